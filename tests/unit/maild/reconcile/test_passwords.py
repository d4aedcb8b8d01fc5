"""First passwords: what is given is kept when it can be used, what is not given is made once and written down."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from maild.policy.passwords import MAX_PASSWORD, Kept
from maild.reconcile import ReconcileError
from maild.reconcile.passwords import FirstPasswords


def first(file: Path | None, given: str | None) -> str:
    """The password that is kept, in clear."""
    return asyncio.run(FirstPasswords(file, Kept).first("id@테스트.net", given)).hash


@pytest.mark.parametrize("given", ["", "x" * (MAX_PASSWORD + 1)], ids=["empty", "too-long"])
def test_a_given_password_that_nobody_could_use_is_refused_by_the_name_of_its_account(given: str) -> None:
    with pytest.raises(ReconcileError, match=r"id@테스트\.net"):
        first(None, given)


def test_a_given_one_is_kept_and_written_nowhere(tmp_path: Path) -> None:
    assert first(tmp_path / "first", "비밀") == "비밀"
    assert not list(tmp_path.iterdir())


def test_a_made_one_is_written_before_it_is_used_and_stays_the_same(tmp_path: Path) -> None:
    file = tmp_path / "first"
    made = first(file, None)
    assert file.read_text(encoding="utf-8") == f"id@테스트.net\t{made}\n"
    assert first(file, None) == made
