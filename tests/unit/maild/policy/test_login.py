"""Logins: bans after three failures, memory of good ones, unknown users like known ones, older hashes."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import unicodedata
from collections.abc import Awaitable, Callable

import pytest

from maild.log import Log, Record
from maild.net import FairQueue, Peer, address_of
from maild.policy import LANES, Gate, Login, Outcome, passwords
from maild.settings import AutoBan
from maild.store import CredentialKind, StoreUnavailable
from tests.lib.memory_store import MemoryStore

DOMAIN = "xn--9t4b11yi5a.net"
MINUTE = 60_000_000


class Desk:
    """A login with its gate, a clock that the test moves, and the records of the log."""

    def __init__(self, auto_ban: AutoBan | None = None) -> None:
        self.memory = MemoryStore()
        self.memory.add_domain(DOMAIN)
        self.account = self.memory.add_account("id", DOMAIN, "비밀번호")
        self.time = 1_000_000_000_000
        self.records: list[Record] = []
        log = Log.to(self.records)
        store = self.memory.store
        self.gate = Gate(store, auto_ban or AutoBan(never=()), log, lambda: self.time)
        self.hashing = FairQueue("test", threads=1, waiting=10, lanes=LANES)
        self.login = Login(store, self.gate, self.hashing, log, default_domain=DOMAIN, clock=lambda: self.time)

    async def check(self, user: str, password: str, peer: str = "192.0.2.1", protocol: str = "smtp") -> Outcome:
        answer = await self.login.check(user, password, Peer(address_of(peer), 1), protocol, 7)
        return answer.outcome


def run(test: Callable[[Desk], Awaitable[None]], auto_ban: AutoBan | None = None) -> Desk:
    async def whole() -> Desk:
        desk = Desk(auto_ban)
        await test(desk)
        desk.hashing.close()
        return desk

    return asyncio.run(whole())


@pytest.mark.parametrize("user", [f"id@{DOMAIN}", "id@테스트.net", "ID@테스트.NET", "id"])
def test_every_spelling_of_the_address_logs_in(user: str) -> None:
    async def test(desk: Desk) -> None:
        assert await desk.check(user, "비밀번호") is Outcome.GOOD

    run(test)


def test_a_password_typed_decomposed_is_the_same() -> None:
    async def test(desk: Desk) -> None:
        assert await desk.check("id", unicodedata.normalize("NFD", "비밀번호")) is Outcome.GOOD

    run(test)


@pytest.mark.parametrize("user", ["id", "nobody", "id+tag", "id@elsewhere.example", "not an address @@"])
def test_wrong_is_wrong_and_the_third_failure_bans(user: str) -> None:
    async def test(desk: Desk) -> None:
        outcomes = [await desk.check(user, f"wrong{number}") for number in range(3)]
        assert outcomes == [Outcome.WRONG, Outcome.WRONG, Outcome.BANNED]
        assert desk.gate.refusal(Peer(address_of("192.0.2.1"), 1), "imap") is not None
        assert desk.gate.refusal(Peer(address_of("192.0.2.2"), 1), "imap") is None

    run(test)


def test_failures_count_over_all_protocols_and_within_the_window_alone() -> None:
    async def test(desk: Desk) -> None:
        assert await desk.check("id", "x", protocol="smtp") is Outcome.WRONG
        assert await desk.check("id", "x", protocol="imap") is Outcome.WRONG
        desk.time += 31 * MINUTE
        assert await desk.check("id", "x", protocol="pop3") is Outcome.WRONG

    run(test)


def test_a_success_clears_that_accounts_failures_only() -> None:
    async def test(desk: Desk) -> None:
        desk.memory.add_account("two", DOMAIN, "other")
        assert await desk.check("id", "x") is Outcome.WRONG
        assert await desk.check("two", "x") is Outcome.WRONG
        assert await desk.check("id", "비밀번호") is Outcome.GOOD
        assert [each.account for each in desk.memory.failure_rows] == [f"two@{DOMAIN}"]

    run(test)


def test_an_ipv6_client_is_banned_by_its_64() -> None:
    async def test(desk: Desk) -> None:
        for number in range(3):
            await desk.check("id", "x", f"2001:db8::{number + 1}")
        assert str(desk.memory.ban_rows[0].network) == "2001:db8::/64"

    run(test)


def test_a_declared_network_is_never_banned() -> None:
    async def test(desk: Desk) -> None:
        for _ in range(5):
            assert await desk.check("id", "x") is Outcome.WRONG
        assert not desk.memory.ban_rows

    run(test, AutoBan(never=("192.0.2.0/24",)))


def test_a_ban_ends_after_its_time() -> None:
    async def test(desk: Desk) -> None:
        for _ in range(3):
            await desk.check("id", "x")
        peer = Peer(address_of("192.0.2.1"), 1)
        desk.time += 61 * MINUTE
        await desk.gate.refresh()
        assert desk.gate.refusal(peer, "smtp") is None

    run(test)


def test_a_removed_ban_is_gone_at_the_next_refresh() -> None:
    async def test(desk: Desk) -> None:
        for _ in range(3):
            await desk.check("id", "x")
        await desk.gate.refresh()
        desk.memory.ban_rows.clear()
        await desk.gate.refresh()
        assert desk.gate.refusal(Peer(address_of("192.0.2.1"), 1), "smtp") is None

    run(test)


def test_a_good_login_is_remembered_and_a_changed_password_ends_that(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    real = passwords.verify

    def counted(stored: str, password: str) -> bool:
        calls.append(password)
        return real(stored, password)

    monkeypatch.setattr("maild.policy.login.verify", counted)

    async def test(desk: Desk) -> None:
        assert await desk.check("id", "비밀번호") is Outcome.GOOD
        assert await desk.check("id", "비밀번호") is Outcome.GOOD
        assert len(calls) == 1
        row = desk.memory.credentials_rows[0]
        desk.memory.credentials_rows[0] = type(row)(
            id=row.id, account_id=row.account_id, kind=row.kind, hash=passwords.hash_password("새 비밀번호")
        )
        assert await desk.check("id", "비밀번호") is Outcome.WRONG
        assert await desk.check("id", "새 비밀번호") is Outcome.GOOD

    run(test)


def test_an_unknown_user_costs_one_check_too(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[str] = []
    monkeypatch.setattr("maild.policy.login.verify", lambda stored, _: bool(calls.append(stored)))

    async def test(desk: Desk) -> None:
        await desk.check("nobody", "x")
        await desk.check("id", "x")

    run(test)
    assert len(calls) == 2


@pytest.mark.parametrize("change", [{"active": False}, {"domain": "other.example"}])
def test_a_disabled_account_or_one_of_another_domain_does_not_log_in(change: dict[str, object]) -> None:
    async def test(desk: Desk) -> None:
        desk.memory.account_rows.clear()
        desk.memory.add_account(
            "id", str(change.get("domain", DOMAIN)), "p", **{k: v for k, v in change.items() if k != "domain"}
        )
        assert await desk.check("id", "p") is Outcome.WRONG

    run(test)


def test_an_expired_or_foreign_app_password_does_not_log_in() -> None:
    async def test(desk: Desk) -> None:
        row = desk.memory.credentials_rows[0]
        make = type(row)
        app = {"account_id": row.account_id, "kind": CredentialKind.APP, "hash": passwords.hash_password("app")}
        desk.memory.credentials_rows.append(make(id=2, **app, scope="imap"))
        assert await desk.check("id", "app", protocol="smtp") is Outcome.WRONG
        assert await desk.check("id", "app", protocol="imap") is Outcome.GOOD
        desk.memory.credentials_rows[1] = make(id=3, **app, expires_at=desk.time - 1)
        assert await desk.check("id", "app", protocol="imap") is Outcome.WRONG

    run(test)


def test_a_store_that_is_away_counts_nothing_and_says_later() -> None:
    async def test(desk: Desk) -> None:
        desk.memory.error = StoreUnavailable()
        for _ in range(5):
            assert await desk.check("id", "x") is Outcome.LATER
        desk.memory.error = None
        assert await desk.check("id", "비밀번호") is Outcome.GOOD

    run(test)


def test_passwords_are_in_no_log() -> None:
    async def test(desk: Desk) -> None:
        await desk.check("id", "절대비밀")
        await desk.check("nobody", "절대비밀")

    desk = run(test)
    assert not [record for record in desk.records if "절대비밀" in record.text]
    assert any(f"failed to log in as id@{DOMAIN}. Session Id: 7" in record.text for record in desk.records)


@pytest.mark.parametrize(
    "stored",
    [
        "{HMAIL-SHA256}abc123" + hashlib.sha256(b"abc123" + "암호".encode()).hexdigest(),
        "{HMAIL-MD5}" + hashlib.md5("암호".encode(), usedforsecurity=False).hexdigest(),
        "{SSHA256}" + base64.b64encode(hashlib.sha256("암호".encode() + b"salt").digest() + b"salt").decode(),
        "{SSHA512}" + base64.b64encode(hashlib.sha512("암호".encode() + b"salt").digest() + b"salt").decode(),
        passwords.hash_password("암호"),
    ],
)
def test_hashes_of_older_servers_are_understood(stored: str) -> None:
    assert passwords.verify(stored, "암호")
    assert not passwords.verify(stored, "암호 ")


@pytest.mark.parametrize("stored", ["", "plain", "{}", "{NONE}x", "$argon2id$nonsense", "{SSHA256}!!", "{HMAIL-MD5}"])
def test_a_hash_of_no_known_form_fits_nothing(stored: str) -> None:
    assert not passwords.verify(stored, "")
    assert not passwords.verify(stored, "plain")


def test_an_empty_password_fits_nothing_even_where_one_was_stored() -> None:
    assert not passwords.verify(passwords.hash_password(""), "")
