"""Who waits for whom when many passwords are checked: known clients, known accounts, strangers."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Sequence

import pytest

from maild.log import Log
from maild.net import FairQueue, Peer, address_of
from maild.policy import LANES, Gate, Login
from maild.settings import AutoBan
from maild.store import LoginFailure
from tests.lib.memory_store import MemoryStore

DOMAIN = "xn--9t4b11yi5a.net"


def order(monkeypatch: pytest.MonkeyPatch, tries: list[tuple[str, str]], known: list[tuple[str, str]]) -> list[str]:
    """The order in which tries (user, address) are checked that all wait at once."""
    gate = threading.Event()
    checked: list[str] = []

    def verify(stored: str, password: str) -> bool:
        del stored
        gate.wait()
        checked.append(password)
        return False

    monkeypatch.setattr("maild.policy.login.verify", verify)

    async def run() -> None:
        memory = MemoryStore()
        memory.add_domain(DOMAIN)
        for local in ("one", "two"):
            memory.add_account(local, DOMAIN, "p")
        memory.success_rows = [(account, Peer(address_of(address), 1).network) for account, address in known]
        log = Log.to([])
        hashing = FairQueue("test", threads=1, waiting=100, lanes=LANES)
        store = memory.store
        login = Login(store, Gate(store, AutoBan(enabled=False), log), hashing, log, default_domain=DOMAIN)
        await login.refresh()
        tasks = [
            asyncio.create_task(login.check(user, f"{user} {address}", Peer(address_of(address), 1), "smtp", 1))
            for user, address in [("first", "192.0.2.99"), *tries]
        ]
        for _ in range(50):
            await asyncio.sleep(0)
        assert hashing.waiting == len(tries)
        gate.set()
        await asyncio.gather(*tasks)
        hashing.close()

    asyncio.run(run())
    return checked[1:]


def test_a_client_that_logged_in_lately_goes_first_then_an_account_that_did(monkeypatch: pytest.MonkeyPatch) -> None:
    known = [(f"one@{DOMAIN}", "192.0.2.1")]
    tries = [("nobody", "192.0.2.9"), ("two", "192.0.2.8"), ("one", "192.0.2.7"), ("two", "192.0.2.1")]
    assert order(monkeypatch, tries, known) == ["two 192.0.2.1", "one 192.0.2.7", "nobody 192.0.2.9", "two 192.0.2.8"]


def test_strangers_take_turns_by_address(monkeypatch: pytest.MonkeyPatch) -> None:
    tries = [("a", "192.0.2.1"), ("b", "192.0.2.1"), ("c", "192.0.2.1"), ("d", "192.0.2.2")]
    assert order(monkeypatch, tries, []) == ["a 192.0.2.1", "d 192.0.2.2", "b 192.0.2.1", "c 192.0.2.1"]


def test_failures_of_a_flood_are_counted_in_few_writes() -> None:
    """Else who only wants to read waits behind a commit for each of them."""
    writes: list[int] = []

    class Slow(MemoryStore):
        """A store whose writes take a moment."""

        async def record_failures(self, failures: Sequence[LoginFailure], *, since: int, most: int) -> list[int]:
            writes.append(len(failures))
            await asyncio.sleep(0.01)
            return await super().record_failures(failures, since=since, most=most)

    async def run() -> None:
        gate = Gate(Slow().store, AutoBan(enabled=False), Log.to([]))
        peers = [Peer(address_of(f"192.0.2.{number}"), 1) for number in range(200)]
        await asyncio.gather(*(gate.failed(peer, "id", "smtp") for peer in peers))

    asyncio.run(run())
    assert sum(writes) == 200
    assert len(writes) <= 200 // 64 + 2
