"""What ``make defects`` takes for noticed: only a check that ran on the seeded defect and failed."""

from __future__ import annotations

import pytest

from tests.defects.__main__ import Defect, turns_red

ONCE = "Runs a named promise and prints its evidence"


def seeded(check: str, text: str = ONCE) -> tuple[bool, str]:
    return turns_red(Defect(promise="any", file="tests/show.py", text=text, replacement="changed", check=check))


def test_a_check_that_fails_has_noticed_the_defect() -> None:
    assert seeded('grep -q \'^"""Runs a named promise\' tests/show.py')[0]


@pytest.mark.parametrize("status", [0, 2, 4, 5])
def test_a_check_that_passes_or_finds_no_test_has_noticed_nothing(status: int) -> None:
    assert not seeded(f"sh -c 'exit {status}'")[0]


@pytest.mark.parametrize("text", ["there is no such text", "import "])
def test_a_text_that_is_not_there_exactly_once_is_an_error(text: str) -> None:
    red, said = seeded("false", text)
    assert not red
    assert said.startswith("the text is")
