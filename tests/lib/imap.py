"""An IMAP session without a network: the real stream, commands and SQLite store, bytes in and lines out."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self, cast

from maild.imap.commands import COMMANDS
from maild.imap.serve import session
from maild.imap.session import Services
from maild.log import Log, Record
from maild.net import Connection, Peer, Stream, address_of
from maild.policy.login import Answer, Outcome
from maild.policy.scram import SCRAMError
from maild.settings import Database, Limits, Listener
from maild.store import Account, Delivery, Domain, Incoming, Store, new_id, open_store
from tests.lib.scripted import TLS, FakeConnection

IMAPS = Listener(name="imaps", protocol="imap", port=993)
IMAP = Listener(name="imap", protocol="imap", port=143, tls="starttls-required")
NOW = 1_795_575_600_000_000
"""2026-11-25 03:00:00 UTC."""

DATA = Path(__file__).parents[1] / "data" / "mail"
KOREAN = (DATA / "korean-euckr-attachment.eml").read_bytes()
FORWARDED = (DATA / "forwarded-message.eml").read_bytes()
PLAIN = b"From: a@b.net\r\nSubject: plain\r\n\r\nbody\r\n"


@dataclass
class Passwords:
    """Stands for policy: accounts by name and password."""

    store: Store
    banned: bool = False
    mechanisms: tuple[str, ...] = ("PLAIN",)

    async def exchange(self, *_: object) -> Answer:
        raise SCRAMError("nobody offered it")

    async def check(self, user: str, password: str, peer: Peer, protocol: str, session: int) -> Answer:
        assert (protocol, session, str(peer.address)) == ("imap", 1, "192.0.2.7")
        local, _, domain = user.partition("@")
        account = await self.store.directory.account_named(local, domain)
        if account is not None and password == f"{local}-secret":
            return Answer(Outcome.GOOD, account)
        return Answer(Outcome.BANNED if self.banned else Outcome.WRONG)


@dataclass
class Talk:
    """One client. ``ask`` sends a command and returns everything up to its tagged answer."""

    store: Store
    listener: Listener = IMAPS
    limits: Limits = field(default_factory=Limits)
    secure: bool = True
    records: list[Record] = field(default_factory=list)
    _number: int = 0

    def __post_init__(self) -> None:
        self.passwords = Passwords(self.store)
        services = Services(self.store, self.passwords, "smtp.a.net", self.limits, lambda: NOW, COMMANDS)
        self.connection = FakeConnection(Peer(address_of("192.0.2.7"), 4000), Log.to(self.records))
        self.connection.tls = TLS if self.secure else None
        self.stream: Stream = session(lambda: services, self.listener)
        self.connection.on_tls = self.stream.secured

    async def __aenter__(self) -> Self:
        self.stream.opened(cast("Connection", self.connection))
        await self.until(rb"\* OK ")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.stream.closed()
        task = self.stream._task
        assert task is not None
        await asyncio.wait({task}, timeout=10)

    async def ask(self, command: str | bytes) -> list[bytes]:
        """Sends a command with a new tag; the lines of the answer, the tagged one last."""
        self._number += 1
        tag = b"t%d" % self._number
        self.send(tag + b" " + (command if isinstance(command, bytes) else command.encode()) + b"\r\n")
        return await self.until(tag)

    async def ok(self, command: str | bytes) -> list[bytes]:
        """As ``ask``, for a command that must succeed; without the tagged line."""
        *lines, last = await self.ask(command)
        assert last.split(b" ")[1] == b"OK", last
        return lines

    async def refused(self, command: str | bytes) -> bytes:
        """As ``ask``, for a command that must not; the tagged answer without its tag."""
        answer = (await self.ask(command))[-1].partition(b" ")[2]
        assert not answer.startswith(b"OK"), answer
        return answer

    async def login(self, user: str = "id@a.net") -> None:
        """Logs in."""
        await self.ok(f"LOGIN {user} {user.partition('@')[0]}-secret")

    def send(self, data: bytes) -> None:
        """Bytes from the client."""
        self.stream.received(data)

    async def until(self, start: bytes, seconds: float = 20) -> list[bytes]:
        """The lines up to the first that begins so; literals stay in the line that has them."""
        async with asyncio.timeout(seconds):
            while True:
                lines = split(bytes(self.connection.sent))
                for at, line in enumerate(lines):
                    if re.match(start, line):
                        self.connection.sent = bytearray(b"".join(each + b"\r\n" for each in lines[at + 1 :]))
                        return lines[: at + 1]
                if not self.connection.alive:
                    raise ConnectionError(bytes(self.connection.sent))
                await asyncio.sleep(0.001)


def split(data: bytes) -> list[bytes]:
    """Whole lines, each with its literals."""
    lines, start, position = [], 0, 0
    while (end := data.find(b"\r\n", position)) >= 0:
        literal = re.search(rb"\{(\d+)\}$", data[max(start, end - 24) : end])
        if literal:
            position = end + 2 + int(literal[1])
            continue
        lines.append(data[start:end])
        start = position = end + 2
    return lines


def literal(line: bytes, name: bytes) -> bytes:
    """The literal behind an item of a FETCH line."""
    found = re.search(re.escape(name) + rb" ~?\{(\d+)\}\r\n", line)
    assert found, line
    return line[found.end() : found.end() + int(found[1])]


async def open_seeded(folder: Path) -> Store:
    """A SQLite store with id@a.net and other@a.net."""
    file = folder / "mail.db"
    if _seeded:
        file.write_bytes(_seeded[0])
        return await open_store(Database(engine="sqlite", file=file), migrate=False)
    store = await open_store(Database(engine="sqlite", file=file))
    await store.directory.save_domain(Domain(name="a.net"))
    for local in ("id", "other"):
        await store.directory.save_account(Account(domain="a.net", local=local))
    await store.close()
    _seeded.append(file.read_bytes())
    return await open_store(Database(engine="sqlite", file=file), migrate=False)


_seeded: list[bytes] = []
"""The file of a seeded store: making one takes longer than most tests."""


async def deliver(
    store: Store, message: bytes, *, mailbox: str = "INBOX", flags: tuple[str, ...] = (), at: int = NOW
) -> int:
    """Puts a message into a mailbox of id@a.net; returns its UID."""
    account = await store.directory.account_named("id", "a.net")
    assert account is not None
    target = await store.mailboxes.named(account.id, mailbox)
    assert target is not None
    incoming = Incoming(
        id=new_id(), body=message, deliveries=(Delivery(mailbox_id=target.id, flags=flags),), internal_at=at
    )
    accepted = await store.accept(incoming)
    return accepted.placed[0].uid


async def inbox(talk: Talk, *messages: bytes, flags: tuple[str, ...] = ()) -> None:
    """Puts messages into INBOX of id@a.net and selects it."""
    for message in messages:
        await deliver(talk.store, message, flags=flags)
    await talk.ok("SELECT INBOX")


Scenario = Callable[[Talk], Awaitable[None]]


def with_talk(scenario: Scenario) -> Callable[[Path], None]:
    """Makes a test of a coroutine: it gets a session that is logged in, over a store of its own."""

    def test(tmp_path: Path) -> None:
        asyncio.run(_run(tmp_path, scenario))

    test.__name__ = scenario.__name__
    test.__module__ = scenario.__module__
    test.__doc__ = scenario.__doc__
    return test


async def _run(folder: Path, scenario: Scenario) -> None:
    store = await open_seeded(folder)
    try:
        async with Talk(store) as talk:
            await talk.login()
            await scenario(talk)
            faults = [record.text for record in talk.records if record.kind == "ERROR"]
            assert not faults, faults
    finally:
        await store.close()
