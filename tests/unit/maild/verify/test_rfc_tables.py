"""The RFC tables as a whole: no demand without a probe or a reason, no probe that shows nothing."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest

from tests.lib import musts

HERE = Path(__file__).parent


@pytest.mark.parametrize("name", sorted(path.stem for path in musts.DATA.glob("rfc*.toml")))
def test_every_demand_is_shown_or_is_somebody_elses(name: str) -> None:
    rows = musts.read(name)
    modules = [
        importlib.import_module(f"tests.unit.maild.verify.{path.stem}") for path in HERE.glob(f"test_{name}*.py")
    ]
    shown = [probe for module in modules for probe in module.PROBES]
    assert sorted(row.probe for row in rows if row.probe) == sorted(shown)
    assert [str(row) for row in rows if bool(row.probe) == bool(row.why)] == []


def test_a_demand_of_the_text_without_a_row_is_named() -> None:
    text = "1.  First\n\n   A Verifier MUST look.  It MUST NOT\n   guess.\n\n2.  Second\n\n   It MAY rest.\n"
    rows = [
        musts.Must(rfc=1, section="1", words="A Verifier MUST look.", probe="a"),
        musts.Must(rfc=1, section="2", words="It MUST rest.", probe="b"),
    ]
    assert list(musts.faults(rows, text)) == [
        "RFC 1 section 2 does not say: It MUST rest.",
        "RFC 1 section 1 has no row: It MUST NOT guess.",
    ]
