"""Every ``maild`` command that a page shows is one that there is."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from maild.cli.__main__ import main

ROOT = Path(__file__).resolve().parents[4]
PAGES = [ROOT / "README.md", ROOT / "README.ko.md", *sorted((ROOT / "docs").glob("*.md"))]
BLOCK = re.compile(r"```\w*\n(.*?)```", re.DOTALL)
# Words after a group that are its command; an option, a placeholder or a sentence ends it.
COMMAND = re.compile(r"\bmaild ([a-z]+)((?: [a-z]+)?)(?=[ `/,.;:)\n]|$)")


def commands() -> set[tuple[str, ...]]:
    """Groups and commands that stand in code, in a line or a block."""
    found: set[tuple[str, ...]] = set()
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        code = BLOCK.findall(text) + re.findall(r"`([^`]+)`", BLOCK.sub("", text))
        for piece in code:
            found |= {tuple(filter(None, (group, command.strip()))) for group, command in COMMAND.findall(piece)}
    return found


@pytest.mark.parametrize("command", sorted(commands()), ids=" ".join)
def test_a_command_of_the_pages_is_there(command: tuple[str, ...]) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*command, "--help"])
    assert ended.value.code == 0
