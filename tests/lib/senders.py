"""Many SMTP clients that keep sending and remember what each attempt was answered.

Every attempt has an id of its own in the message. A client that loses its connection, or is told 4xx, goes on with a
new attempt; nothing is ever repeated, so an id that is stored twice was doubled by the server.
"""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

ANSWER_SECONDS = 30.0
PAUSE_SECONDS = 0.03
"""After a 4xx or a lost connection."""
KNOCK_SECONDS = 0.1
"""After a connection that was refused: clients that knock all the time would take the CPU a start needs."""


@dataclass
class Ledger:
    """What was answered: 250, refused for now, refused, or nothing at all after the final dot."""

    accepted: set[str] = field(default_factory=set)
    deferred: set[str] = field(default_factory=set)
    refused: dict[str, str] = field(default_factory=dict)
    unanswered: set[str] = field(default_factory=set)
    slowest: float = 0.0
    """Longest time from a command or the final dot to its answer, or to giving it up, seconds."""
    slowest_small: float = 0.0
    """The same without the ends of large messages, which the store has taken in chunks before."""
    hung_up: int = 0
    """Connections that ended, or were given up, without an answer to what was said last."""
    replies: Counter[str] = field(default_factory=Counter)
    """First words of what was said that was not what a client hopes for."""

    def waited(self, seconds: float, *, large: bool = False) -> None:
        """An answer took so long."""
        self.slowest = max(self.slowest, seconds)
        if not large:
            self.slowest_small = max(self.slowest_small, seconds)


@dataclass
class Senders:
    """So many clients against one port; ``start`` and ``stop`` on the loop that runs them."""

    port: int
    recipients: Sequence[str]
    count: int
    seed: int
    large_every: int = 0
    """Each so manieth message is larger than a staged chunk; 0: none."""
    body: int = 1500
    on_accepted: Callable[[str], None] | None = None
    """Called the moment a 250 has been read."""
    ledger: Ledger = field(default_factory=Ledger)
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)
    _stopping: bool = False

    def start(self) -> None:
        """Begins to send."""
        self._tasks = [asyncio.create_task(self._send_on(number)) for number in range(self.count)]

    async def stop(self) -> None:
        """Lets each client finish its attempt."""
        self._stopping = True
        await asyncio.gather(*self._tasks)

    async def _send_on(self, number: int) -> None:
        drawn = random.Random(f"{self.seed}-{number}")
        attempt = 0
        while not self._stopping:
            try:
                reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            except OSError:
                await asyncio.sleep(KNOCK_SECONDS)
                continue
            try:
                await self._expect(reader, b"220")
                await self._say(reader, writer, b"EHLO client.example\r\n", b"250")
                while not self._stopping:
                    attempt += 1
                    await self._send(reader, writer, f"{number}-{attempt}", drawn)
            except (OSError, EOFError):
                self.ledger.hung_up += 1
                await asyncio.sleep(PAUSE_SECONDS)
            except ValueError:
                await asyncio.sleep(PAUSE_SECONDS)
            finally:
                writer.close()

    async def _send(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, name: str, drawn: random.Random
    ) -> None:
        await self._say(reader, writer, b"MAIL FROM:<stranger@example.org>\r\n", b"250")
        for recipient in self.recipients:
            await self._say(reader, writer, f"RCPT TO:<{recipient}>\r\n".encode(), b"250")
        await self._say(reader, writer, b"DATA\r\n", b"354")
        large = bool(self.large_every) and drawn.randrange(self.large_every) == 0
        size = 1_500_000 if large else drawn.randrange(self.body)
        text = drawn.randbytes(size // 2 + 1).hex().encode()
        lines = b"\r\n".join(text[start : start + 70] for start in range(0, len(text), 70))
        head = f"From: <stranger@example.org>\r\nSubject: crash\r\nX-Attempt: {name}\r\n\r\n".encode()
        writer.write(head + lines + b"\r\n.\r\n")
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            reply = await asyncio.wait_for(reader.readline(), ANSWER_SECONDS)
        except (OSError, TimeoutError) as error:
            self.ledger.unanswered.add(name)
            raise EOFError from error
        finally:
            self.ledger.waited(loop.time() - began, large=large)
        if not reply.endswith(b"\n"):
            # A server that is killed may leave a piece of a line.
            self.ledger.unanswered.add(name)
            raise EOFError
        if reply.startswith(b"250"):
            if self.on_accepted is not None:
                self.on_accepted(name)
            self.ledger.accepted.add(name)
        elif reply.startswith(b"4"):
            self.ledger.deferred.add(name)
            self.ledger.replies[_short(reply)] += 1
            await asyncio.sleep(PAUSE_SECONDS)
        else:
            self.ledger.refused[name] = reply.decode(errors="replace")

    async def _say(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, line: bytes, wanted: bytes
    ) -> None:
        writer.write(line)
        await self._expect(reader, wanted)

    async def _expect(self, reader: asyncio.StreamReader, wanted: bytes) -> None:
        loop = asyncio.get_running_loop()
        began = loop.time()
        try:
            async with asyncio.timeout(ANSWER_SECONDS):
                while True:
                    line = await reader.readline()
                    if not line:
                        raise EOFError
                    if line[3:4] != b"-":
                        break
        except TimeoutError as error:
            raise EOFError from error
        finally:
            self.ledger.waited(loop.time() - began)
        if not line.startswith(wanted):
            self.ledger.replies[_short(line)] += 1
            raise ValueError(line)


def _short(reply: bytes) -> str:
    return reply.decode(errors="replace")[:60].strip()
