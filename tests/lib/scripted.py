"""An SMTP session without a network: bytes in, replies out, on the real stream, dialogue and reception."""

from __future__ import annotations

import asyncio
import base64
import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

from maild.delivery.router import Router
from maild.log import Log, Record
from maild.net import Address as IPAddress
from maild.net import Connection, FairQueue, Peer, TLSInfo, address_of
from maild.policy import LANES, Gate, Login, Rates
from maild.settings import AutoBan, Limits, Listener
from maild.smtp import dialogue
from maild.smtp.context import Context, Screen, Verified, Verifier
from maild.store import Budget
from tests.lib.memory_store import MemoryStore

TLS = TLSInfo("TLSv1.3", "TLS_AES_256_GCM_SHA384", 256)
NOW = dt.datetime(2026, 11, 25, 12, 0, 0, tzinfo=dt.UTC)
MX = Listener(name="smtp", protocol="smtp", port=25, tls="starttls", auth="off")
SUBMISSION = Listener(name="submission", protocol="smtp", port=587, tls="starttls-required")
SUBMISSIONS = Listener(name="submissions", protocol="smtp", port=465, tls="implicit")
DOMAIN = "xn--9t4b11yi5a.net"
"""테스트.net"""
MAIL = b"MAIL FROM:<a@example.org>\r\nRCPT TO:<id@xn--9t4b11yi5a.net>\r\nDATA\r\n"
OWN_MAIL = b"MAIL FROM:<id@xn--9t4b11yi5a.net>\r\nRCPT TO:<id@xn--9t4b11yi5a.net>\r\nDATA\r\n"
MESSAGE = b"From: a@example.org\r\nSubject: x\r\n\r\nbody\r\n.\r\n"
OWN_MESSAGE = b"From: id@xn--9t4b11yi5a.net\r\nSubject: x\r\n\r\nbody\r\n.\r\n"


@dataclass
class FakeConnection:
    """What a stream sees of a connection."""

    peer: Peer
    log: Log
    tls: TLSInfo | None = None
    local: Peer = field(default_factory=lambda: Peer(address_of("192.0.2.25"), 25))
    id: int = 1
    sent: bytearray = field(default_factory=bytearray)
    writes: int = 0
    alive: bool = True
    on_tls: Callable[[], None] = lambda: None

    @property
    def can_start_tls(self) -> bool:
        return self.tls is None

    def write(self, data: bytes) -> None:
        self.sent += data
        self.writes += 1

    async def drain(self) -> None:
        return None

    def close(self) -> None:
        self.alive = False

    def pause(self) -> None: ...
    def resume(self) -> None: ...
    def expect_within(self, seconds: float) -> None: ...

    def start_tls(self) -> None:
        self.tls = TLS
        asyncio.get_running_loop().call_soon(self.on_tls)


@dataclass(frozen=True)
class Finds:
    """A verifier that finds the same in every message."""

    found: Verified = field(default_factory=Verified)

    def __call__(self, **_: object) -> Finds:
        return self

    async def feed(self, piece: bytes) -> None:
        del piece

    async def finish(self, head: bytes) -> Verified:
        del head
        return self.found


@dataclass
class House:
    """A server with 테스트.net, its alias domain 테스트.co.kr, and a few people."""

    memory: MemoryStore = field(default_factory=MemoryStore)
    limits: Limits = field(default_factory=Limits)
    auto_ban: AutoBan = field(default_factory=lambda: AutoBan(never=()))
    verifier: Verifier | None = None
    screen: Screen | None = None
    addresses: frozenset[IPAddress] = frozenset()
    messages_per_hour: int = 500
    scram: bool = False
    records: list[Record] = field(default_factory=list)
    arrivals: int = 0
    now: dt.datetime = NOW

    def __post_init__(self) -> None:
        self.memory.budget = Budget(self.limits.unfinished_bytes)
        self.memory.add_domain("xn--9t4b11yi5a.net")
        self.memory.add_alias_domain("xn--9t4b11yi5a.co.kr", "xn--9t4b11yi5a.net")
        self.id = self.memory.add_account("id", "xn--9t4b11yi5a.net", "비밀번호1")
        self.order = self.memory.add_account("주문", "xn--9t4b11yi5a.net", "비밀번호2")

    def context(self, hashing: FairQueue) -> Context:
        log = Log.to(self.records)
        store = self.memory.store
        gate = Gate(store, self.auto_ban, log)
        self.gate = gate
        return Context(
            hostname="smtp.xn--9t4b11yi5a.net",
            default_domain="xn--9t4b11yi5a.net",
            limits=self.limits,
            store=store,
            router=Router(store.directory, store.mailboxes, default_domain="xn--9t4b11yi5a.net"),
            gate=gate,
            login=Login(store, gate, hashing, log, default_domain="xn--9t4b11yi5a.net", scram=self.scram),
            rates=Rates(store.access, self.messages_per_hour, 5000),
            log=log,
            now=lambda: self.now,
            lifetime_hours=120,
            verifier=self.verifier,
            screen=self.screen,
            addresses=self.addresses,
            arriving=self._arriving,
        )

    def _arriving(self) -> None:
        self.arrivals += 1

    def talk(
        self, *chunks: bytes, listener: Listener = MX, tls: bool = False, peer: str = "192.0.2.1"
    ) -> FakeConnection:
        """Sends the chunks one by one, each when the server has answered the one before; returns what it answered."""
        return asyncio.run(self._talk(chunks, listener, tls=tls or listener.tls == "implicit", peer=peer))

    async def _talk(self, chunks: tuple[bytes, ...], listener: Listener, *, tls: bool, peer: str) -> FakeConnection:
        hashing = FairQueue("argon2", threads=1, waiting=100, lanes=LANES)
        context = self.context(hashing)
        await self._refresh()
        stream = dialogue.session(lambda: context, listener)
        connection = FakeConnection(Peer(address_of(peer), 1234), context.log, TLS if tls else None)
        connection.on_tls = stream.secured
        stream.opened(cast("Connection", cast("Any", connection)))
        for chunk in chunks:
            await self._idle(stream)
            if connection.alive:
                stream.received(chunk)
        await self._idle(stream)
        stream.closed()
        await self._idle(stream)
        hashing.close()
        return connection

    async def _refresh(self) -> None:
        if self.memory.error is None:
            await self.gate.refresh()

    @staticmethod
    async def _idle(stream: Any) -> None:
        """Until the session waits for its client or has ended."""
        for _ in range(20_000):
            await asyncio.sleep(0)
            task, arrived = stream._task, stream._arrived
            if task is not None and (task.done() or (arrived is not None and not arrived.done())):
                return
            if task is not None and arrived is not None:
                await asyncio.sleep(0.001)


def plain(user: str, password: str) -> bytes:
    """An AUTH PLAIN command."""
    return b"AUTH PLAIN " + base64.b64encode(f"\0{user}\0{password}".encode()) + b"\r\n"


def replies(connection: FakeConnection) -> list[str]:
    """The last line of each reply."""
    return [line for line in bytes(connection.sent).decode().splitlines() if line[3:4] != "-"]


LOGIN = plain("id@테스트.net", "비밀번호1")


def codes(*chunks: bytes, house: House | None = None, **more: object) -> list[str]:
    """The code of each reply to these chunks, the greeting's first; ``more`` goes to ``House.talk``."""
    connection = (house or House()).talk(*chunks, **more)  # type: ignore[arg-type]
    return [line[:3] for line in replies(connection)]
