"""Bad logins in masses do not hold up a good one: who logged in within the last day goes first."""

from __future__ import annotations

import asyncio
import base64
import statistics
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.lib.daemon import PASSWORDS, TEST_NET, Running, Site
from tests.lib.wire import client_context

ABOUT = "500 bad logins a second from 1, 50 and 500 addresses, bans off: a known login is delayed by 1 s at most"

MOST_DELAY = 1.0
GOOD, KNOWN = "127.77.7.7", "127.77.7.8"
"""The address that logged in before the flood, and a new one used by an account that did."""
BAD = base64.b64encode(f"\0id@{TEST_NET}\0guessed".encode())
RIGHT = base64.b64encode(f"\0id@{TEST_NET}\0{PASSWORDS['id']}".encode())
OTHER = base64.b64encode(f"\0other@{TEST_NET}\0{PASSWORDS['other']}".encode())


@dataclass(frozen=True)
class Plan:
    """How hard it is tried."""

    sources: tuple[int, ...]
    connections: int
    rate: int
    probes: int


SIZES = {"full": Plan((1, 50, 500), 600, 500, 20), "small": Plan((1, 20, 80), 100, 200, 4)}


@dataclass
class Flood:
    """Clients that only guess; ``tries`` counts what was sent, ``answers`` what came back."""

    port: int
    plan: Plan
    sources: int
    tries: int = 0
    answers: int = 0
    under_way: asyncio.Event = field(default_factory=asyncio.Event)
    """Set when each client has tried once."""
    tokens: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))

    async def run(self) -> None:
        """Until it is cancelled."""
        clients = [asyncio.create_task(self._guess(number)) for number in range(self.plan.connections)]
        try:
            while True:
                await asyncio.sleep(0.05)
                for _ in range(self.plan.rate // 20):
                    self.tokens.release()
        finally:
            for client in clients:
                client.cancel()
            await asyncio.gather(*clients, return_exceptions=True)

    async def _guess(self, number: int) -> None:
        place = number % self.sources
        source = f"127.1.{place // 200}.{place % 200 + 1}"
        while True:
            try:
                session = await Client.open(self.port, source)
                while True:
                    await self.tokens.acquire()
                    self.tries += 1
                    if self.tries >= self.plan.connections:
                        self.under_way.set()
                    said = await session.ask(b"AUTH PLAIN " + BAD)
                    self.answers += 1
                    if said[:3] not in {b"535", b"454"}:
                        break
            except (OSError, asyncio.IncompleteReadError):
                await asyncio.sleep(0.1)


@dataclass
class Client:
    """A session on 465 from a chosen address."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    async def open(cls, port: int, source: str) -> Client:
        """Connects and says EHLO."""
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=client_context(), server_hostname="localhost", local_addr=(source, 0)
        )
        client = cls(reader, writer)
        await client._reply()
        await client.ask(b"EHLO client.example")
        return client

    async def ask(self, line: bytes) -> bytes:
        """The last line of the reply."""
        self.writer.write(line + b"\r\n")
        return await self._reply()

    async def _reply(self) -> bytes:
        while True:
            line = await self.reader.readuntil(b"\n")
            if line[3:4] != b"-":
                return line


async def login(port: int, source: str, credentials: bytes) -> float:
    """Seconds from connecting to 235."""
    started = time.monotonic()
    client = await Client.open(port, source)
    said = await client.ask(b"AUTH PLAIN " + credentials)
    assert said.startswith(b"235"), said
    client.writer.close()
    return time.monotonic() - started


def run(size: str) -> dict[str, object]:
    """The promise."""
    plan = SIZES[size]
    more = (
        f"[limits]\nconnections_per_address = 2000\nlogins_waiting = {max(50, plan.connections // 2)}\n"
        "[logs]\njson = false"
    )
    with tempfile.TemporaryDirectory(prefix="mailhost-flood-") as name:
        site = Site(Path(name), more=more)
        site.write()
        site.settings.write_text(
            site.settings.read_text(encoding="utf-8").replace("[auto_ban]", "[auto_ban]\nenabled = false"),
            encoding="utf-8",
        )
        site.seed()
        with Running(site):
            figures = asyncio.run(_measure(site.ports["submissions"], plan, strict=size == "full"))
    return {"cases": len(plan.sources) * plan.probes * 3, **figures, "size": size}


async def _measure(port: int, plan: Plan, *, strict: bool) -> dict[str, object]:
    await login(port, GOOD, RIGHT)
    idle = statistics.median([await login(port, GOOD, RIGHT) for _ in range(5)])
    figures: dict[str, object] = {"idle_ms": round(idle * 1000)}
    for sources in plan.sources:
        flood = Flood(port, plan, sources)
        task = asyncio.create_task(flood.run())
        await flood.under_way.wait()
        tries, started = flood.tries, time.monotonic()
        worst = 0.0
        for _ in range(plan.probes):
            for source, credentials in ((GOOD, RIGHT), (KNOWN, RIGHT), (GOOD, OTHER)):
                taken = await login(port, source, credentials)
                assert flood.tries > flood.answers, "no bad login was waiting while the good one was answered"
                worst = max(worst, taken - idle)
            await asyncio.sleep(0.2)
        rate = (flood.tries - tries) / (time.monotonic() - started)
        figures[f"from_{sources}"] = {"bad_a_second": round(rate), "worst_delay_ms": round(worst * 1000)}
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        if strict:
            assert worst <= MOST_DELAY, figures
    return figures
