"""The durability promise in short, an engine a test."""

from __future__ import annotations

import pytest

from tests.promises.durability import prove


@pytest.mark.parametrize(
    "engine",
    ["sqlite", pytest.param("mariadb", marks=pytest.mark.mariadb), pytest.param("mysql", marks=pytest.mark.mysql)],
)
def test_what_was_synced_holds_every_message_answered_250(engine: str) -> None:
    figures = prove(engine, messages=60, points=2)
    assert figures["answered"] >= 60
    assert figures["syncs"] > 0
