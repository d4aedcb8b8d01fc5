"""Application passwords made and removed on the command line."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from maild.cli.__main__ import main
from maild.cli._times import local
from maild.policy.passwords import verify
from maild.store import Account, Credential, Domain, Store
from tests.lib.cli_server import settings_of_a_korean_server, with_store

DOMAIN = "xn--9t4b11yi5a.net"
WHOSE = ("--mailbox", "김@테스트.net")


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    file = settings_of_a_korean_server(tmp_path)

    async def seed(store: Store) -> None:
        await store.directory.save_domain(Domain(name=DOMAIN))
        account = await store.directory.save_account(Account(domain=DOMAIN, local="김"))
        await store.credentials.set_password(account.id, "own")

    with_store(file, seed)
    return file


def run(settings: Path, *arguments: str) -> int:
    return main(["credential", *arguments, *WHOSE, "--settings", str(settings)])


def rows(settings: Path) -> list[Credential]:
    async def look(store: Store) -> list[Credential]:
        account = await store.directory.account_named("김", DOMAIN)
        assert account is not None
        return await store.credentials.of(account.id)

    return with_store(settings, look)


def test_a_made_password_opens_what_it_is_for_until_its_day(settings: Path, capsys: Any) -> None:
    given = ("--label", "휴대전화", "--only", "smtp", "--only", "imap", "--days", "30")
    assert run(settings, "add", *given) == 0
    number, password = capsys.readouterr().out.split()
    own, made = rows(settings)
    assert (made.id, made.kind, made.scope, made.label) == (int(number), "app", "imap,smtp", "휴대전화")
    assert verify(made.hash, password)
    assert made.expires_at is not None
    assert made.expires_at - made.created_at == 30 * 24 * 3600 * 10**6
    assert run(settings, "list") == 0
    text = capsys.readouterr().out
    assert "사용한 적 없음" in text
    assert "휴대전화" in text
    assert made.hash not in text
    assert f"{local(made.expires_at)}까지" in text
    assert run(settings, "list", "--json") == 0
    assert [json.loads(line)["id"] for line in capsys.readouterr().out.splitlines()] == [own.id, made.id]


def test_only_an_application_password_of_that_mailbox_is_removed(settings: Path, capsys: Any) -> None:
    assert run(settings, "add") == 0
    own, made = rows(settings)
    assert run(settings, "remove", str(own.id)) == 1
    assert f"그런 앱 비밀번호가 없습니다: {own.id}" in capsys.readouterr().err
    assert run(settings, "remove", str(made.id)) == 0
    assert [row.id for row in rows(settings)] == [own.id]


def test_a_mailbox_that_is_not_there_is_named(settings: Path, capsys: Any) -> None:
    assert main(["credential", "list", "--mailbox", "없는@테스트.net", "--settings", str(settings)]) == 1
    assert "없는@테스트.net" in capsys.readouterr().err
