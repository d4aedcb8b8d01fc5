"""One message in is one message: no variant of the end of data splits or ends it, by DATA or BDAT, in or out."""

from __future__ import annotations

import asyncio
import itertools
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from maild.delivery.next_hop import Addressee, Capabilities, Endpoint, Transaction
from maild.log import Log
from maild.settings import Database
from maild.smtp.client import Client
from maild.smtp.client_tls import Trust
from maild.store import Store, open_store
from tests.lib.daemon import TEST_NET, Running, Site
from tests.lib.wire import Wire

ABOUT = "every known variant of the end of data, by DATA, BDAT and cut at every byte, in and out: one message stays one"

BREAKS = (b"\r\n", b"\n", b"\r", b"\r\r\n", b"\n\r", b"\r\n\0", b"\0\r\n", b"\x0b", b"\x0c", b"\x85", "\u2028".encode())
"""What some server has taken for a line end (the variants of December 2023 and after, and what stands near them)."""
DOTS = (b".", b"..", b".\0", b"\0.", b". ", b" .", b"\xe3\x80\x82")
"""What some server has taken for the dot."""
HEAD = b"From: stranger@example.org\r\nSubject: outer\r\n\r\nouter"
INNER = (
    b"MAIL FROM:<admin@example.com>\r\nRCPT TO:<id@xn--9t4b11yi5a.net>\r\nDATA\r\n"
    b"From: admin@example.com\r\nSubject: smuggled\r\n\r\ninner"
)
STRICT_END = b"\r\n.\r\n"


def variants() -> Iterator[bytes]:
    """Every sequence of break, dot, break but the real end of data."""
    for before, dot, after in itertools.product(BREAKS, DOTS, BREAKS):
        if before + dot + after != STRICT_END and STRICT_END not in before + dot + after:
            yield before + dot + after


def run(_: str) -> dict[str, object]:
    """The promise; the size makes no difference. The real end of data is one variant more wherever it ends nothing."""
    by_dots = list(variants())
    every = [*by_dots, STRICT_END]
    with tempfile.TemporaryDirectory(prefix="mailhost-smuggling-") as name:
        site = Site(Path(name), more="[limits]\nconnections_per_address = 500\nerrors_per_session = 50")
        site.write()
        site.seed()
        with Running(site):
            by_data = sum(_in_by_data(site, variant) for variant in by_dots)
            by_bdat = sum(_in_by_bdat(site, variant) for variant in every)
            cut = _in_cut_at_every_byte(site)
        found = asyncio.run(_with_store(site.database_settings(), _subjects))
    assert "smuggled" not in found, found
    assert len(found) == by_data + by_bdat + cut, (len(found), by_data, by_bdat, cut)
    out = sum(asyncio.run(_out(every, Sink(chunking=chunking))) for chunking in (False, True))
    return {
        "engine": "sqlite",
        "cases": len(by_dots) + len(every) + cut + out,
        "taken": {"DATA": by_data, "BDAT": by_bdat, "DATA, cut at every byte": cut},
        "refused": {"DATA": len(by_dots) - by_data, "BDAT": len(every) - by_bdat},
        "out": out,
        "variants": len(every),
    }


def _wanted(variant: bytes) -> str:
    """A message with a bare CR or LF, or with NUL, is refused whole, any other taken whole."""
    bare = {b"\r"[0], b"\n"[0], 0} & set((HEAD + variant + INNER).replace(b"\r\n", b""))
    return "550" if bare else "250"


def _envelope(wire: Wire) -> None:
    assert wire.ask("EHLO client.example").startswith("250")
    assert wire.ask("MAIL FROM:<stranger@example.org>").startswith("250")
    assert wire.ask(f"RCPT TO:<id@{TEST_NET}>").startswith("250")


def _in_by_data(site: Site, variant: bytes) -> bool:
    """Sends outer, variant, inner; there is one reply to it all, and then the session is where it was."""
    with Wire(site.ports["smtp"]) as wire:
        _envelope(wire)
        assert wire.ask("DATA").startswith("354")
        wire.send(HEAD + variant + INNER + STRICT_END)
        said = wire.reply()
        assert said.startswith(_wanted(variant)), (variant, said)
        after = wire.ask("NOOP")
        assert after == "250 2.0.0 Ok", (variant, after)
        return said.startswith("250")


def _in_by_bdat(site: Site, variant: bytes) -> bool:
    """The same by BDAT, the variant cut in two chunks."""
    with Wire(site.ports["smtp"]) as wire:
        _envelope(wire)
        first, second = HEAD + variant[:1], variant[1:] + INNER + b"\r\n"
        wire.send(b"BDAT %d\r\n%bBDAT %d LAST\r\n%b" % (len(first), first, len(second), second))
        assert wire.reply().startswith("250")
        said = wire.reply()
        assert said.startswith(_wanted(variant)), (variant, said)
        after = wire.ask("NOOP")
        assert after == "250 2.0.0 Ok", (variant, after)
        return said.startswith("250")


def _in_cut_at_every_byte(site: Site) -> int:
    """The real end, cut anywhere, ends the message there and what follows is a command."""
    tail = b"\r\n..\r\n...x\r\n.\r\nNOOP\r\n"
    for place in range(1, len(tail)):
        with Wire(site.ports["smtp"]) as wire:
            _envelope(wire)
            assert wire.ask("DATA").startswith("354")
            wire.send(HEAD + tail[:place])
            wire.send(tail[place:])
            assert wire.reply().startswith("250")
            assert wire.reply() == "250 2.0.0 Ok"
    return len(tail) - 1


async def _with_store(database: Database, work: Callable[[Store], Awaitable[list[str]]]) -> list[str]:
    store = await open_store(database)
    try:
        return await work(store)
    finally:
        await store.close()


async def _subjects(store: Store) -> list[str]:
    """The subjects of everything that was delivered."""
    found: list[str] = []
    for account in await store.directory.accounts():
        view = await store.messages.view(account.inbox_id)
        for message in await store.messages.get(account.inbox_id, list(view.uids)):
            body = await store.messages.read(message.blob_id)
            found.append(body.partition(b"Subject: ")[2].partition(b"\r\n")[0].decode())
    return found


@dataclass
class Sink:
    """A server that takes everything and keeps the bytes of each message as they came.

    After DATA that is up to a strict end, and with it; a chunk of BDAT is taken by its size.
    """

    chunking: bool
    taken: list[bytes] = field(default_factory=list)

    async def __call__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 sink ESMTP\r\n")
        chunks = b""
        while line := await reader.readline():
            verb = line[:4].upper()
            if verb == b"EHLO":
                writer.write(b"250-sink\r\n250-PIPELINING\r\n")
                writer.write(b"250-CHUNKING\r\n250 8BITMIME\r\n" if self.chunking else b"250 8BITMIME\r\n")
            elif verb == b"DATA":
                writer.write(b"354 go\r\n")
                self.taken.append(await reader.readuntil(STRICT_END))
                writer.write(b"250 ok\r\n")
            elif verb == b"BDAT":
                chunks += await reader.readexactly(int(line.split()[1]))
                if line.upper().endswith(b"LAST\r\n"):
                    self.taken.append(chunks)
                    chunks = b""
                writer.write(b"250 ok\r\n")
            else:
                writer.write(b"250 ok\r\n")
                if verb == b"QUIT":
                    break
        writer.close()


async def _out(variants: list[bytes], sink: Sink) -> int:
    """What we send: one message, no bare CR or LF in it, whatever it holds."""
    server = await asyncio.start_server(sink, "127.0.0.1", 0, limit=1 << 20)
    port = server.sockets[0].getsockname()[1]
    session = await Client("client.example", Trust(), Log.to([]))(Endpoint(host="sink", address="127.0.0.1", port=port))
    for variant in variants:
        message = HEAD + variant + INNER

        async def body(_: Capabilities, message: bytes = message) -> bytes:
            return message

        replies = await session.send(
            Transaction(sender="a@b.example", recipients=(Addressee(address="c@d.example"),), body=body)
        )
        assert [reply.code for reply in replies] == [250]
    await session.close()
    server.close()
    assert len(sink.taken) == len(variants)
    for variant, taken in zip(variants, sink.taken, strict=True):
        assert taken.startswith(b"From: stranger@example.org\r\n"), variant
        rest = taken.replace(b"\r\n", b"")
        assert b"\r" not in rest, variant
        assert b"\n" not in rest, variant
        assert b"smuggled" in taken, variant
    return len(variants)
