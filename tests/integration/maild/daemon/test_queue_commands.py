"""``maild queue`` beside a running daemon: what is held waits, what is retried goes, what is dropped is gone."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from maild.cli.__main__ import main
from maild.store import QueueItem, open_store
from tests.lib.daemon import TEST_NET
from tests.lib.exchange import OTHER, Exchange, exchange, wait_for

MAIL = f"From: id@{TEST_NET}\r\nTo: friend@{OTHER}\r\nSubject: 견적서\r\n\r\n확인 부탁드립니다.\r\n".encode()


def queue(both: Exchange, *words: str) -> int:
    return main(["queue", *words, "--settings", str(both.ours.site.settings)])


def waiting(both: Exchange) -> list[QueueItem]:
    async def items() -> list[QueueItem]:
        store = await open_store(both.ours.site.database_settings(), migrate=False)
        try:
            return await store.queue.items()
        finally:
            await store.close()

    return asyncio.run(items())


def tried(both: Exchange, attempts: int) -> str:
    """The number of the one message, once it has been tried so often and nobody works on it."""
    found = wait_for(
        lambda: waiting(both),
        lambda items: len(items) == 1 and items[0].attempts == attempts and not items[0].leased_by,
    )
    return str(found[0].id)


def test_message_to_a_dead_server_is_held_let_go_retried_and_arrives_once(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with exchange(tmp_path) as both:
        both.theirs.stop()
        both.submit(MAIL, f"friend@{OTHER}")
        number = tried(both, 1)
        assert queue(both, "list", "--json") == 0
        (row,) = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
        assert (row["name"], row["waiting"], row["failures"]) == (f"mx:{OTHER}", 1, 1)

        assert queue(both, "retry", number) == 0
        assert tried(both, 2) == number

        assert queue(both, "hold", number) == 0
        both.theirs.start()
        both.submit(MAIL.replace(b"Subject: ", b"Subject: other "), f"friend@{OTHER}")
        assert queue(both, "retry", "--destination", "mx:no-such.example") == 64
        (held,) = [item for item in waiting(both) if str(item.id) == number]
        assert held.held

        assert queue(both, "retry", "--destination", f"mx:{OTHER}") == 0
        received = both.inbox(both.theirs, "friend", OTHER, count=2)
        assert sorted(b"other" in message for message in received) == [False, True]
        wait_for(lambda: waiting(both), lambda items: not items)


def test_dropped_message_is_gone_and_its_sender_is_told_nothing(tmp_path: Path) -> None:
    with exchange(tmp_path) as both:
        both.theirs.stop()
        both.submit(MAIL, f"friend@{OTHER}")
        number = tried(both, 1)
        assert queue(both, "drop", number) == 0
        assert queue(both, "drop", number) == 1
        assert waiting(both) == []
        both.theirs.start()
        both.submit(MAIL.replace(b"Subject: ", b"Subject: later "), f"friend@{OTHER}", f"id@{TEST_NET}")
        queue(both, "retry", "--destination", f"mx:{OTHER}")
        (received,) = both.inbox(both.theirs, "friend", OTHER)
        assert b"later" in received
        assert len(both.inbox(both.ours, "id", TEST_NET)) == 1
