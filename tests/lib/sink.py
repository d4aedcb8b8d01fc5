"""A server that takes every message and forgets it, in a process of its own: ``python -m tests.lib.sink PORT``.

Each line on its stdin is answered with one JSON object, how often what came since it started: ``domains`` for
recipients by domain, ``ids`` for all Message-IDs, a JSON list of some for these alone, which costs it the least.
"""

from __future__ import annotations

import asyncio
import json
import re
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from tests.lib.ports import free_port
from tests.lib.programs import ROOT

MESSAGE_ID = re.compile(rb"(?im)^Message-ID: *<([^>]+)>")
REPLIES = {b"MAIL": b"250 ok\r\n", b"RCPT": b"250 ok\r\n", b"RSET": b"250 ok\r\n", b"QUIT": b"221 bye\r\n"}


@dataclass
class Sink:
    """The process seen from the test."""

    port: int
    process: subprocess.Popen[str]

    def taken(self) -> dict[str, int]:
        """Recipients so far by domain."""
        return self._asked("domains")

    def identifiers(self, some: Collection[str] = ()) -> dict[str, int]:
        """How often each Message-ID came, or each of some."""
        return self._asked(json.dumps(list(some)) if some else "ids")

    def hold(self) -> None:
        """Stops it: whoever delivers here waits, and it answers no question either."""
        self.process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """Ends ``hold``."""
        self.process.send_signal(signal.SIGCONT)

    def _asked(self, what: str) -> dict[str, int]:
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(f"{what}\n")
        self.process.stdin.flush()
        answer: dict[str, int] = json.loads(self.process.stdout.readline())
        return answer


@contextmanager
def sink() -> Iterator[Sink]:
    """A running one on 127.0.0.1 alone, so that other loopback addresses refuse at its port."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.lib.sink", str(port)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        process.stdout.readline()
        yield Sink(port, process)
    finally:
        process.kill()
        process.wait()


async def _serve(port: int) -> None:
    taken: Counter[str] = Counter()
    ids: Counter[str] = Counter()

    async def session(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        recipients: list[str] = []
        writer.write(b"220 sink\r\n")
        # A daemon that is killed leaves its sessions; what came whole has been counted.
        with suppress(OSError, asyncio.IncompleteReadError):
            await talk(reader, writer, recipients)
        writer.close()

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, recipients: list[str]) -> None:
        while line := await reader.readline():
            verb = line[:4].upper()
            if verb == b"EHLO":
                writer.write(b"250-sink\r\n250-PIPELINING\r\n250-8BITMIME\r\n250 SMTPUTF8\r\n")
            elif verb == b"DATA":
                writer.write(b"354 go\r\n")
                message = await reader.readuntil(b"\r\n.\r\n")
                ids.update(found[1].decode() for found in MESSAGE_ID.finditer(message))
                taken.update(recipients)
                recipients.clear()
                writer.write(b"250 ok\r\n")
            else:
                if verb == b"RCPT":
                    recipients.append(line.partition(b"@")[2].partition(b">")[0].decode())
                writer.write(REPLIES.get(verb, b"500 what\r\n"))
                if verb == b"QUIT":
                    break

    await asyncio.start_server(session, "127.0.0.1", port, limit=1 << 20, backlog=1000)
    print("ready", flush=True)
    loop = asyncio.get_running_loop()
    while what := (await loop.run_in_executor(None, sys.stdin.readline)).strip():
        known = {"domains": taken, "ids": ids}
        print(json.dumps(known[what] if what in known else {each: ids[each] for each in json.loads(what)}), flush=True)


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
