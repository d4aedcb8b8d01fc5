"""Who waits for whom when many passwords are checked: known clients, known accounts, strangers."""

from __future__ import annotations

import asyncio
import threading

import pytest

from maild.log import Log
from maild.net import FairQueue, Peer, address_of
from maild.policy import LANES, Gate, Login
from maild.settings import AutoBan
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
