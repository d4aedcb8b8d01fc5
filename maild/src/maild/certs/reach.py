"""Whether a host name leads here: its addresses asked of DNS, and a token of ours fetched through each of them.

The ACME server will do the same, and counts its failures against us. A name that does not lead here yet is no fault:
it waits, with the reason in words.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from dataclasses import dataclass, field

from maild.certs.responder import PATH, Responder
from maild.dns.answer import DNSError, NoData, NoName, Resolver

FETCH_SECONDS = 10.0
"""Time one address has to show the token; the ACME server waits as long."""
MAX_ANSWER = 4096
"""Octets of an answer that are read."""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a name waits: an English text that the translator knows, and its values."""

    text: str
    values: dict[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.text.format_map(self.values)


class Unreachable(Exception):  # noqa: N818
    """An address that did not answer at all."""


async def why_not(name: str, resolver: Resolver, responder: Responder, port: int) -> Reason | None:
    """Why a name cannot be verified now, None when it can."""
    addresses: list[str] = []
    for rdtype in ("AAAA", "A"):
        try:
            addresses += [str(record) for record in (await resolver.query(name, rdtype)).records]
        except (NoName, NoData):
            continue
        except DNSError as error:
            return Reason("DNS does not answer for it ({cause})", {"cause": str(error)})
    if not addresses:
        return Reason("it has no address in DNS yet")
    token, text = secrets.token_urlsafe(24), secrets.token_urlsafe(24)
    responder.show(token, text)
    try:
        return await _fetched(name, addresses, port, token, text)
    finally:
        responder.hide(token)


async def _fetched(name: str, addresses: list[str], port: int, token: str, text: str) -> Reason | None:
    """As ACME servers do: IPv6 first, the next address when one is dead, and a wrong answer is the end."""
    causes: list[str] = []
    for address in addresses:
        try:
            answer = await _get(name, address, port, PATH + token)
        except Unreachable as error:
            causes.append(f"{address}: {error}")
            continue
        if answer == text:
            return None
        return Reason("its address {address} leads to another server", {"address": address})
    return Reason(
        "port {port} does not answer at its address ({cause})", {"port": str(port), "cause": "; ".join(causes)}
    )


async def _get(name: str, address: str, port: int, path: str) -> str:
    """The body of a 200 answer, empty for any other one."""
    request = f"GET {path} HTTP/1.1\r\nHost: {name}\r\nUser-Agent: maild\r\nConnection: close\r\n\r\n"
    try:
        async with asyncio.timeout(FETCH_SECONDS):
            reader, writer = await asyncio.open_connection(address, port)
            try:
                writer.write(request.encode("ascii"))
                await writer.drain()
                answer = await _read(reader)
            finally:
                writer.close()
                with contextlib.suppress(OSError):
                    await writer.wait_closed()
    except TimeoutError:
        raise Unreachable(f"nothing within {FETCH_SECONDS:g} s") from None
    except OSError as error:
        raise Unreachable(error.strerror or str(error)) from error
    head, _, body = answer.partition("\r\n\r\n")
    return body.strip() if " 200" in head.split("\r\n", 1)[0] else ""


async def _read(reader: asyncio.StreamReader) -> str:
    pieces = b""
    while len(pieces) < MAX_ANSWER and (piece := await reader.read(MAX_ANSWER)):
        pieces += piece
    return pieces.decode("utf-8", "replace")
