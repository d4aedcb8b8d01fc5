"""Messages from files into a mailbox and out of it again, and shown in words."""

from __future__ import annotations

import mailbox as stdlib_mailbox
from pathlib import Path

import pytest

from maild.cli.__main__ import main
from maild.store import Account, Domain, Store
from tests.lib.cli_server import settings_of_a_korean_server, with_store

DATA = Path("tests/data/mail")
MESSAGES = {path.name: path.read_bytes() for path in sorted(DATA.glob("*.eml"))}


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    file = settings_of_a_korean_server(tmp_path)

    async def seed(store: Store) -> None:
        await store.directory.save_domain(Domain(name="xn--9t4b11yi5a.net"))
        await store.directory.save_account(Account(domain="xn--9t4b11yi5a.net", local="id"))

    with_store(file, seed)
    return file


def test_folder_is_taken_in_and_given_out_byte_for_byte(
    settings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert (
        main(["message", "import", "id@테스트.net", str(DATA), "--mailbox", "옛날/2026", "--settings", str(settings)])
        == 0
    )
    assert f"옛날/2026 편지함에 {len(MESSAGES)}통을 가져왔습니다" in capsys.readouterr().out
    assert main(["message", "export", "id@테스트.net", str(tmp_path / "out"), "--settings", str(settings)]) == 0
    found = [path.read_bytes() for path in (tmp_path / "out" / "옛날" / "2026").glob("*.eml")]
    assert sorted(found) == sorted(MESSAGES.values())


def test_maildir_keeps_flags_and_mbox_is_split(settings: Path, tmp_path: Path) -> None:
    folder = stdlib_mailbox.Maildir(tmp_path / "maildir")
    seen = stdlib_mailbox.MaildirMessage(b"Subject: seen\n\n.\nFrom here\n")
    seen.set_subdir("cur")
    seen.set_flags("FS")
    folder.add(seen)
    box = stdlib_mailbox.mbox(tmp_path / "mbox")
    for number in range(3):
        box.add(
            b"Subject: %d\nDate: Wed, 25 Nov 2026 03:00:0%d +0000\n\nFrom the start\n\nFrom again\n" % (number, number)
        )
    box.close()
    paths = [str(tmp_path / "maildir"), str(tmp_path / "mbox")]
    assert main(["message", "import", "id@xn--9t4b11yi5a.net", *paths, "--settings", str(settings)]) == 0

    async def look(store: Store) -> list[tuple[int, int, bytes]]:
        account = await store.directory.account_named("id", "xn--9t4b11yi5a.net")
        assert account is not None
        rows = await store.messages.range(account.inbox_id, 1, 99)
        return [(row.flags, row.internal_at, await store.messages.read(row.blob_id)) for row in rows]

    first, *others = with_store(settings, look)
    assert (first[0], first[2]) == (1 | 4, b"Subject: seen\r\n\r\n.\r\nFrom here\r\n")
    assert [at // 1_000_000 for _, at, _ in others] == [1_795_575_600 + number for number in range(3)]
    assert [data.split(b"\r\n")[3:6] for _, _, data in others] == [[b"From the start", b"", b"From again"]] * 3


def test_account_or_file_that_is_not_there_is_one_sentence(
    settings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["message", "import", "nobody@테스트.net", str(DATA), "--settings", str(settings)]) == 1
    assert "maild: nobody@테스트.net 계정이 없습니다" in capsys.readouterr().err
    missing = str(tmp_path / "missing.eml")
    assert main(["message", "import", "id@테스트.net", missing, "--settings", str(settings)]) == 1
    assert missing in capsys.readouterr().err
    assert main(["message", "show", missing]) == 1


def test_message_is_shown_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["message", "show", str(DATA / "korean-euckr-attachment.eml"), "--language", "ko"]) == 0
    out = capsys.readouterr().out
    assert "From: 홍길동 <gildong@example.co.kr>" in out
    assert "Subject: 주문하신 상품이 발송되었습니다" in out
    assert "경로 1: from mail.example.co.kr" in out
    assert "application/pdf, base64, 374바이트, 견적서.pdf" in out
    assert "안녕하세요. 주문하신 상품을 보내 드렸습니다." in out
