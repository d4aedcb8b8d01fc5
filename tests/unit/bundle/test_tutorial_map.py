"""The tutorial map: every step once, its number alone in the first cell; each test and promise it names is there."""

from __future__ import annotations

import re
from pathlib import Path

from tests.show import names

ROOT = Path(__file__).resolve().parents[3]
STEPS = 43


def rows() -> dict[int, list[str]]:
    text = (ROOT / "docs" / "tutorial-map.md").read_text(encoding="utf-8")
    cells = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("|")
    ]
    return {int(row[0]): row for row in cells if row[0].isdigit()}


def test_every_step_of_the_tutorial_has_one_row() -> None:
    assert list(rows()) == list(range(1, STEPS + 1))


def test_every_row_says_what_happens_instead_which_resource_and_which_test() -> None:
    for number, row in rows().items():
        assert len(row) == 5, (number, row)
        assert all(row), (number, row)


def test_every_row_names_a_test_or_a_promise_or_says_why_there_is_none() -> None:
    for number, row in rows().items():
        assert re.search(r"`test_\w+`|promise `", row[4]) or row[4].startswith("none, "), (number, row[4])


def test_every_test_that_is_named_exists() -> None:
    defined = set()
    for file in (ROOT / "tests").rglob("test_*.py"):
        defined |= set(re.findall(r"def (test_\w+)", file.read_text(encoding="utf-8"))) | {file.name}
    named = {name for row in rows().values() for name in re.findall(r"`(test_\w+(?:\.py)?)`", row[4])}
    assert named - defined == set()


def test_every_promise_that_is_named_exists() -> None:
    named = {name for row in rows().values() for name in re.findall(r"promise `([a-z-]+)`", row[4])}
    assert named - set(names()) == set()
