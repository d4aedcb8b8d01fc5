"""Every kind has its page, every field is on it, and its examples are Python that makes the resource."""

from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

import pytest

from pyinfra_winrm import kinds
from pyinfra_winrm.kinds import KINDS
from pyinfra_winrm.secret import Secret
from tests.lib.programs import ROOT

PAGES = ROOT / "docs" / "kinds"


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_a_page_names_every_field(kind: str) -> None:
    page = (PAGES / f"{kind}.md").read_text(encoding="utf-8")
    missing = [each.name for each in fields(KINDS[kind].resource) if f"| `{each.name}` |" not in page]
    assert missing == []


@pytest.mark.parametrize("kind", sorted(KINDS))
def test_an_example_makes_the_resource(kind: str, tmp_path: Path) -> None:
    page = (PAGES / f"{kind}.md").read_text(encoding="utf-8").replace('sha256="…"', f'sha256="{"0" * 64}"')
    wheels = tmp_path / "wheels.zip"
    wheels.write_bytes(b"")
    known = {
        "Path": lambda _: wheels,
        "Secret": Secret,
        "closed": kinds.Acl((kinds.Allow("SYSTEM", "full"),)),
        "rendered": "[mysqld]\n",
        "key": "k",
        "lock": "",
        "fingerprint_of_the_settings": "f",
    }
    examples = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert examples
    for example in examples:
        for call in re.split(r"\n(?=[A-Z])", example.strip()):
            made = eval(call, {**vars(kinds), **known})  # noqa: S307 - our own pages
            assert made.kind == kind
            assert KINDS[kind].key(made)
            assert KINDS[kind].desired(made)["state"] == "present"


def test_the_index_names_every_kind() -> None:
    index = (PAGES / "README.md").read_text(encoding="utf-8")
    assert [kind for kind in KINDS if f"({kind}.md)" not in index] == []
