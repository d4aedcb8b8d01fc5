"""A load of mail: some sessions that send incompressible messages one after the other, as fast as they are answered.

A process of its own, so that it can be put on a core of its own: ``python -m bench.load PORT SESSIONS BYTES SECONDS``
prints how many were answered 250, in how many seconds, and the quantiles of the answer times.
"""

from __future__ import annotations

import asyncio
import json
import random
import sys
import time
from dataclasses import dataclass, field

import uvloop

BODIES = 64
"""Different bodies, so that nothing is stored once for all."""
RECIPIENT = "box@bench.example"
_LETTERS = bytes(byte for byte in range(0x21, 0xFF) if byte not in b".\x7f")


def message(number: int, size: int) -> bytes:
    """A message of about that size whose body no compressor can shorten by much."""
    chance = random.Random(number)
    head = f"From: sender@example.org\r\nTo: {RECIPIENT}\r\nSubject: {number}\r\n"
    head += f"Message-ID: <{number}@example.org>\r\n\r\n"
    lines: list[bytes] = []
    left = size - len(head)
    while left > 0:
        lines.append(bytes(chance.choices(_LETTERS, k=min(74, left))))
        left -= 76
    return head.encode() + b"\r\n".join(lines) + b"\r\n"


@dataclass
class Tally:
    """What all sessions share."""

    until: float
    bodies: list[bytes]
    done: int = 0
    times: list[float] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


class Sender(asyncio.Protocol):
    """One session: EHLO once, then the envelope pipelined, the body, and again."""

    def __init__(self, tally: Tally, ended: asyncio.Future[None]) -> None:
        self.tally = tally
        self.ended = ended
        self.step = self.greeted
        self.data = b""
        self.number = random.randrange(BODIES)
        self.started = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.data += data
        while b"\n" in self.data:
            line, _, self.data = self.data.partition(b"\n")
            if line[3:4] != b"-":
                self.step(line)

    def connection_lost(self, exc: Exception | None) -> None:
        del exc
        if not self.ended.done():
            self.ended.set_result(None)

    def write(self, data: bytes) -> None:
        self.transport.write(data)  # type: ignore[attr-defined]

    def greeted(self, line: bytes) -> None:
        self.expect(line, b"220")
        self.write(b"EHLO load.example\r\n")
        self.step = self.known

    def known(self, line: bytes) -> None:
        self.expect(line, b"250")
        self.envelope()

    def envelope(self) -> None:
        if time.monotonic() >= self.tally.until:
            self.write(b"QUIT\r\n")
            self.step = self.left
            return
        self.started = time.monotonic()
        self.write(f"MAIL FROM:<sender@example.org>\r\nRCPT TO:<{RECIPIENT}>\r\nDATA\r\n".encode())
        self.step = self.sender_taken

    def sender_taken(self, line: bytes) -> None:
        self.expect(line, b"250")
        self.step = self.recipient_taken

    def recipient_taken(self, line: bytes) -> None:
        self.expect(line, b"250")
        self.step = self.go_ahead

    def go_ahead(self, line: bytes) -> None:
        self.expect(line, b"354")
        self.number = (self.number + 1) % BODIES
        self.write(self.tally.bodies[self.number])
        self.step = self.accepted

    def accepted(self, line: bytes) -> None:
        self.expect(line, b"250")
        self.tally.done += 1
        self.tally.times.append(time.monotonic() - self.started)
        self.envelope()

    def left(self, line: bytes) -> None:
        self.expect(line, b"221")
        self.transport.close()

    def expect(self, line: bytes, code: bytes) -> None:
        if not line.startswith(code):
            self.tally.problems.append(line.decode("ascii", "replace").strip())
            self.transport.close()


async def load(port: int, sessions: int, size: int, seconds: float) -> dict[str, object]:
    """Runs the sessions and sums up."""
    loop = asyncio.get_running_loop()
    started = time.monotonic()
    tally = Tally(started + seconds, [message(number, size) + b".\r\n" for number in range(BODIES)])
    started = time.monotonic()
    tally.until = started + seconds
    ends: list[asyncio.Future[None]] = []
    for _ in range(sessions):
        ended: asyncio.Future[None] = loop.create_future()
        ends.append(ended)
        await loop.create_connection(lambda ended=ended: Sender(tally, ended), "127.0.0.1", port)  # type: ignore[misc]
    await asyncio.gather(*ends)
    taken = time.monotonic() - started
    times = sorted(tally.times) or [0.0]
    return {
        "done": tally.done,
        "seconds": taken,
        "rate": tally.done / taken,
        "p50_ms": round(times[len(times) // 2] * 1000, 2),
        "p99_ms": round(times[int(len(times) * 0.99)] * 1000, 2),
        "problems": tally.problems[:3],
    }


if __name__ == "__main__":
    port, sessions, size, seconds = sys.argv[1:]
    result = uvloop.run(load(int(port), int(sessions), int(size), float(seconds)))
    print(json.dumps(result))
