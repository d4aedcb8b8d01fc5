"""Logins by SCRAM: who has a verifier and when, unknown users like known ones, failures that lead to a ban."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from maild.log import Log, Record
from maild.net import FairQueue, Peer, address_of
from maild.policy import LANES, Gate, Login, Outcome
from maild.settings import AutoBan
from maild.store import CredentialKind, StoreUnavailable
from tests.lib.memory_store import MemoryStore
from tests.lib.scram import Client

DOMAIN = "xn--9t4b11yi5a.net"
RIGHT = "비밀번호"
PEER = Peer(address_of("192.0.2.1"), 1)


class Desk:
    """A login that offers SCRAM, and the challenge that was sent last."""

    def __init__(self, *, scram: bool = True) -> None:
        self.memory = MemoryStore()
        self.memory.add_domain(DOMAIN)
        self.account = self.memory.add_account("id", DOMAIN, RIGHT)
        self.records: list[Record] = []
        log, store = Log.to(self.records), self.memory.store
        self.gate = Gate(store, AutoBan(never=()), log)
        self.hashing = FairQueue("test", threads=1, waiting=10, lanes=LANES)
        self.login = Login(store, self.gate, self.hashing, log, default_domain=DOMAIN, scram=scram)
        self.challenge = b""

    async def plain(self, password: str = RIGHT) -> Outcome:
        return (await self.login.check("id", password, PEER, "smtp", 7)).outcome

    async def exchange(self, user: str = f"id@{DOMAIN}", password: str = RIGHT) -> Outcome:
        client = Client(user, password)

        async def ask(message: bytes) -> bytes:
            if message.startswith(b"v="):
                assert client.trusts(message)
                return b""
            self.challenge = message
            return client.final(message)

        return (await self.login.exchange(client.first(), ask, PEER, "smtp", 7)).outcome

    async def salt_of(self, user: str) -> str:
        await self.exchange(user, "wrong")
        return self.challenge.decode().split(",")[1]

    def verifiers(self) -> list[str]:
        return [each.hash for each in self.memory.credentials_rows if each.kind is CredentialKind.SCRAM_SHA_256]


def run(test: Callable[[Desk], Awaitable[None]], **options: bool) -> Desk:
    async def whole() -> Desk:
        desk = Desk(**options)
        await test(desk)
        desk.hashing.close()
        return desk

    return asyncio.run(whole())


def test_login_with_plain_makes_the_verifier_that_the_next_exchange_uses() -> None:
    async def test(desk: Desk) -> None:
        assert await desk.exchange() is Outcome.WRONG
        assert await desk.plain() is Outcome.GOOD
        assert await desk.exchange() is Outcome.GOOD
        assert await desk.exchange(password="비밀") is Outcome.WRONG
        assert await desk.plain() is Outcome.GOOD
        assert len(desk.verifiers()) == 1

    run(test)


def test_without_the_setting_nothing_is_offered_and_no_verifier_made() -> None:
    async def test(desk: Desk) -> None:
        assert desk.login.mechanisms == ("PLAIN",)
        await desk.plain()
        assert desk.verifiers() == []
        desk.login.configure(default_domain=DOMAIN, scram=True)
        assert desk.login.mechanisms == ("SCRAM-SHA-256", "PLAIN")
        await desk.plain()
        assert len(desk.verifiers()) == 1

    run(test, scram=False)


def test_wrong_password_makes_no_verifier() -> None:
    async def test(desk: Desk) -> None:
        await desk.plain("wrong")
        assert desk.verifiers() == []

    run(test)


def test_password_that_scram_cannot_be_used_with_still_logs_in_with_plain() -> None:
    async def test(desk: Desk) -> None:
        desk.memory.add_account("smile", DOMAIN, "\U0001f600")
        answer = await desk.login.check("smile", "\U0001f600", PEER, "smtp", 7)
        assert answer.outcome is Outcome.GOOD
        assert desk.verifiers() == []

    run(test)


def test_unknown_user_gets_a_challenge_that_looks_like_a_known_ones_and_stays_the_same() -> None:
    async def test(desk: Desk) -> None:
        await desk.plain()
        await desk.exchange()
        known = desk.challenge.decode().split(",")
        first = await desk.salt_of(f"nobody@{DOMAIN}")
        unknown = desk.challenge.decode().split(",")
        assert [len(part) for part in known] == [len(part) for part in unknown]
        assert known[2] == unknown[2]
        desk.login = Login(desk.memory.store, desk.gate, desk.hashing, Log.to(desk.records), scram=True)
        assert await desk.salt_of(f"nobody@{DOMAIN}") == first
        assert await desk.salt_of(f"other@{DOMAIN}") != first

    run(test)


def test_every_spelling_of_an_unknown_address_is_challenged_with_the_same_salt() -> None:
    async def test(desk: Desk) -> None:
        users = (f"nobody@{DOMAIN}", "NOBODY@테스트.net", "nobody")
        assert len({await desk.salt_of(user) for user in users}) == 1

    run(test)


@pytest.mark.parametrize("user", [f"id@{DOMAIN}", f"nobody@{DOMAIN}", "no address"])
def test_three_failures_ban_whoever_was_named(user: str) -> None:
    async def test(desk: Desk) -> None:
        await desk.plain()
        said = [await desk.exchange(user, "wrong") for _ in range(3)]
        assert said == [Outcome.WRONG, Outcome.WRONG, Outcome.BANNED]
        assert desk.gate.refusal(PEER, "smtp")

    run(test)


def test_success_clears_the_failures_of_the_account() -> None:
    async def test(desk: Desk) -> None:
        await desk.plain()
        for _ in range(2):
            await desk.exchange(password="wrong")
        assert len(desk.memory.failure_rows) == 2
        assert await desk.exchange() is Outcome.GOOD
        assert desk.memory.failure_rows == []

    run(test)


def test_store_that_is_away_counts_nothing() -> None:
    async def test(desk: Desk) -> None:
        desk.memory.error = StoreUnavailable("away")
        assert await desk.exchange() is Outcome.LATER
        desk.memory.error = None
        assert desk.memory.failure_rows == []

    run(test)


def test_disabled_account_is_refused_whatever_it_proves() -> None:
    async def test(desk: Desk) -> None:
        await desk.plain()
        [desk.memory.account_rows[0]] = [desk.memory.add_account("off", DOMAIN, active=False)]
        assert await desk.exchange() is Outcome.WRONG

    run(test)
