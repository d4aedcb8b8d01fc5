"""Mailboxes made and changed on the command line: none without a password that can be used."""

from __future__ import annotations

import datetime as dt
import io
from pathlib import Path

import pytest

from maild.cli.__main__ import main
from maild.policy.passwords import MAX_PASSWORD, verify
from maild.store import Account, CredentialKind, Domain, Forward, Store
from tests.lib.cli_server import settings_of_a_korean_server, with_store

DOMAIN = "xn--9t4b11yi5a.net"
UNUSABLE = ["", "\n", "가" * MAX_PASSWORD]


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    file = settings_of_a_korean_server(tmp_path)

    async def seed(store: Store) -> None:
        await store.directory.save_domain(Domain(name=DOMAIN))

    with_store(file, seed)
    return file


def run(settings: Path, monkeypatch: pytest.MonkeyPatch, given: str, *arguments: str) -> int:
    """The exit status with this on standard input, which is no terminal."""
    monkeypatch.setattr("sys.stdin", io.StringIO(given))
    return main(["account", *arguments, "--settings", str(settings)])


def stored(settings: Path) -> list[str]:
    """The hashes of passwords of the mailbox 김; nothing when there is no such mailbox."""

    async def look(store: Store) -> list[str]:
        account = await store.directory.account_named("김", DOMAIN)
        rows = await store.credentials.of(account.id) if account else []
        return [row.hash for row in rows if row.kind is CredentialKind.PASSWORD]

    return with_store(settings, look)


def test_mailbox_has_the_password_of_standard_input(settings: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run(settings, monkeypatch, "좋은 비밀번호\r\n", "add", "김@테스트.net") == 0
    (kept,) = stored(settings)
    assert verify(kept, "좋은 비밀번호")


@pytest.mark.parametrize("given", UNUSABLE, ids=["nothing", "empty", "too-long"])
def test_no_mailbox_is_made_without_a_usable_password(
    given: str, settings: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(settings, monkeypatch, given, "add", "김@테스트.net") == 1
    assert stored(settings) == []
    assert "비밀번호가 비어 있거나" in capsys.readouterr().err


def test_an_empty_password_does_not_take_the_place_of_the_old_one(
    settings: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(settings, monkeypatch, "처음\n", "add", "김@테스트.net")
    assert run(settings, monkeypatch, "", "password", "김@테스트.net") == 1
    (kept,) = stored(settings)
    assert verify(kept, "처음")


def test_a_made_password_is_printed_and_fits(
    settings: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(settings, monkeypatch, "", "add", "김@테스트.net", "--generate") == 0
    address, _, password = capsys.readouterr().out.strip().partition("\t")
    assert address == "김@테스트.net"
    (kept,) = stored(settings)
    assert verify(kept, password)


def test_a_mailbox_that_is_not_there_is_named_once(
    settings: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(settings, monkeypatch, "", "show", "없는@테스트.net") == 1
    assert capsys.readouterr().err == "maild: 그런 계정이 없습니다: 없는@테스트.net\n"


def incoming(settings: Path) -> Account:
    async def look(store: Store) -> Account:
        account = await store.directory.account_named("김", DOMAIN)
        assert account is not None
        return account

    return with_store(settings, look)


def test_mail_is_forwarded_and_no_longer(
    settings: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(settings, monkeypatch, "좋은 비밀번호\n", "add", "김@테스트.net")
    to = ["--to", "kim@example.org", "--to", "주문@테스트.net"]
    assert run(settings, monkeypatch, "", "forward", "김@테스트.net", *to) == 0
    assert incoming(settings).forward == Forward(targets=("kim@example.org", "주문@테스트.net"), keep=True)
    assert run(settings, monkeypatch, "", "show", "김@테스트.net") == 0
    assert "전달: kim@example.org, 주문@테스트.net (사본을 남김)" in capsys.readouterr().out
    assert run(settings, monkeypatch, "", "forward", "김@테스트.net", "--to", "kim@example.org", "--no-copy") == 0
    assert incoming(settings).forward == Forward(targets=("kim@example.org",), keep=False)
    assert run(settings, monkeypatch, "", "forward", "김@테스트.net", "--to", "kim at example") == 1
    assert run(settings, monkeypatch, "", "forward", "김@테스트.net", "--off") == 0
    assert incoming(settings).forward is None


def test_mail_is_answered_from_the_first_day_to_the_end_of_the_last(
    settings: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run(settings, monkeypatch, "좋은 비밀번호\n", "add", "김@테스트.net")
    days = ["--from", "2026-12-24", "--until", "2026-12-31", "--days", "3", "--subject", "휴가"]
    assert run(settings, monkeypatch, "새해에 뵙겠습니다.\n", "reply", "김@테스트.net", *days) == 0
    reply = incoming(settings).reply
    assert reply is not None
    assert (reply.subject, reply.text, reply.period_seconds) == ("휴가", "새해에 뵙겠습니다.", 3 * 86_400)
    begin, end = (dt.datetime(*day).astimezone() for day in ((2026, 12, 24), (2027, 1, 1)))
    assert (reply.starts_at, reply.ends_at) == (begin.timestamp() * 1e6, end.timestamp() * 1e6)
    assert run(settings, monkeypatch, "", "show", "김@테스트.net") == 0
    assert "자동 회신: 2026-12-24 ~ 2026-12-31" in capsys.readouterr().out
    assert run(settings, monkeypatch, " \n", "reply", "김@테스트.net") == 1
    assert "회신 내용이 비어 있습니다" in capsys.readouterr().err
    assert incoming(settings).reply == reply
    assert run(settings, monkeypatch, "", "reply", "김@테스트.net", "--off") == 0
    assert incoming(settings).reply is None
