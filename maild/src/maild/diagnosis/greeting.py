"""What a listener says to a client on this machine: one connection, through TLS where TLS comes first.

Certificates are not judged here. Raises ``OSError`` and ``TimeoutError``; how to tell of them is the caller's.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl

from maild.settings import Listener

_GREETINGS = {"smtp": b"220 ", "imap": b"* OK", "pop3": b"+OK", "http": b"HTTP/1.1 "}
_ASKED = {"http": b"HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n"}
"""What a client says first, for the protocols in which it does."""


async def greeting(listener: Listener, seconds: float) -> tuple[bool, str]:
    """Whether the listener greets as its protocol does within that time, and the first of what it says."""
    async with asyncio.timeout(seconds):
        reader, writer = await connect(listener)
        writer.write(_ASKED.get(listener.protocol, b""))
        said = await reader.readline()
        await close(writer)
    return said.startswith(_GREETINGS[listener.protocol]), said.decode("utf-8", "replace").strip()[:80]


async def connect(listener: Listener) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    """A connection to a listener of this machine."""
    host = {"::": "::1", "0.0.0.0": "127.0.0.1"}.get(listener.bind, listener.bind)  # noqa: S104 - what is compared
    context = None
    if listener.tls == "implicit":
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return await asyncio.open_connection(host, listener.real_port, ssl=context)


async def close(writer: asyncio.StreamWriter) -> None:
    """Ends it, whatever the other side does."""
    writer.close()
    with contextlib.suppress(OSError):
        await writer.wait_closed()
