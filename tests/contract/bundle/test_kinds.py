"""Every kind on the model and on a real PowerShell: the same answers, the same host in the end."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyinfra_winrm.kinds import KINDS
from pyinfra_winrm.resource import Present
from tests.lib.kindcases.ends import End, comparable, end, generated, unlike
from tests.lib.kindcases.material import Material
from tests.lib.kindcases.runner import all_cases, uncovered

pytestmark = [pytest.mark.pwsh, pytest.mark.mariadb]
Ends = dict[str, End]


@pytest.fixture(scope="module")
def ends(tmp_path_factory: pytest.TempPathFactory) -> Ends:
    folder = tmp_path_factory.mktemp("ends")
    cases = all_cases(Material(folder / "material"))
    # one after the other, for both databases have the same port
    return {engine: end(folder / engine, engine, "bare", cases) for engine in ("model", "pwsh")}


def test_every_field_of_every_kind_has_a_case(tmp_path: Path) -> None:
    assert uncovered(all_cases(Material(tmp_path))) == []


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_both_engines_read_the_same(kind: str, ends: Ends) -> None:
    mine = [case for case in ends["model"].states if case.split()[0] == kind]
    assert mine
    for case in mine:
        model, pwsh = (comparable(ends[engine].states[case]) for engine in ("model", "pwsh"))
        assert isinstance(ends["model"].states[case], Present)
        assert model == pwsh


def test_both_engines_end_at_the_same_host(ends: Ends) -> None:
    assert unlike(ends["model"].picture, ends["pwsh"].picture) == []


def test_no_more_than_twelve_fields_are_made_anew() -> None:
    assert 0 < len(generated()) <= 12
