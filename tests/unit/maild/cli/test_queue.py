"""The queue on the command line, in the language of the settings; JSON stays as it is for programs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from maild.cli.__main__ import main
from maild.store import Incoming, QueueEntry, QueueRecipient, Store, new_id
from tests.lib.cli_server import settings_of_a_korean_server, with_store


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    """A queue with one message to 주문@example.org."""
    file = settings_of_a_korean_server(tmp_path)

    async def seed(store: Store) -> None:
        now = await store.queue.now()
        entry = QueueEntry(
            destination="mx:example.org",
            sender="id@a.net",
            recipients=(QueueRecipient(address="주문@example.org"),),
            expires_at=now + 1_000_000,
        )
        await store.accept(Incoming(id=new_id(), prefix=b"", body=b"Subject: a\r\n\r\na\r\n", queue=(entry,)))

    with_store(file, seed)
    return file


def test_a_message_is_shown_in_the_language_of_the_settings(settings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["queue", "list", "--destination", "mx:example.org", "--json", "--settings", str(settings)]) == 0
    number = json.loads(capsys.readouterr().out)["id"]
    assert main(["queue", "hold", str(number), "--settings", str(settings)]) == 0
    capsys.readouterr()
    assert main(["queue", "show", str(number), "--settings", str(settings)]) == 0
    said = capsys.readouterr().out
    assert "보낸 사람: <id@a.net>" in said
    assert "다음 시도: 보류됨" in said
    assert "주문@example.org\t대기 중" in said


def test_drop_names_what_it_leaves_because_it_is_being_sent(settings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    async def work(store: Store) -> None:
        (item,) = await store.queue.items()
        assert await store.queue.lease_item(item.id, "a daemon", 3600) is not None
        numbers.append(str(item.id))

    numbers: list[str] = []
    with_store(settings, work)
    assert main(["queue", "drop", numbers[0], "--settings", str(settings)]) == 1
    said = capsys.readouterr()
    assert (said.out, said.err) == ("0\n", f"maild: 지금 발송 중이라 삭제하지 않은 메일: {numbers[0]}\n")


def test_what_is_not_there_is_said_in_the_language_of_the_settings(
    settings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["queue", "show", "12", "--settings", str(settings)]) == 1
    assert main(["queue", "retry", "--settings", str(settings)]) == 64
    assert capsys.readouterr().err == (
        "maild: 발송 대기열에 12번 메일이 없습니다.\nmaild: 메일 번호나 --destination을 지정하십시오.\n"
    )
