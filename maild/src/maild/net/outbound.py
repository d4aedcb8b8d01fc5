"""A connection that we open: lines and bytes with time limits, TLS over ``SSLObject`` when the peer agrees.

asyncio's ``ssl=`` is not used, for its memory and because DANE needs the chain the peer showed. Verification is the
context's; ``chain`` is what it rests on where the names are checked by someone else.
"""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import socket
import ssl
from typing import Protocol, cast

from maild.net.errors import NetError

LINE_BYTES = 4096
"""Longest line of a reply that is read; RFC 5321 section 4.5.3.1.5 allows 512 octets, servers are chattier."""
PIECE = 64 * 1024
"""Bytes read at once, and encrypted at once."""


class OutboundError(NetError):
    """The peer could not be reached, broke off, was too slow, or TLS failed; the text says which."""


class TLSFailed(OutboundError):  # noqa: N818
    """The handshake failed, or the certificate is not the one that was wanted."""


class _Chain(Protocol):
    def get_unverified_chain(self) -> list[object] | None: ...


class Outbound:
    """One opened connection. Every wait is bounded by the ``seconds`` given with it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, address: str) -> None:
        self._reader = reader
        self._writer = writer
        self._buffer = bytearray()
        self._tls: ssl.SSLObject | None = None
        self._incoming = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        self.address = address

    @classmethod
    async def open(cls, address: str, port: int, seconds: float, *, source: str | None = None) -> Outbound:
        """Connects to a numeric address; ``source`` is the local address to leave from."""
        local = (source, 0) if source else None
        try:
            async with asyncio.timeout(seconds):
                reader, writer = await asyncio.open_connection(address, port, local_addr=local)
        except TimeoutError:
            raise OutboundError(f"{address}:{port} did not answer within {seconds:g} s") from None
        except OSError as error:
            raise OutboundError(f"{address}:{port}: {error.strerror or error}") from error
        own = writer.get_extra_info("socket")
        own.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return cls(reader, writer, str(ipaddress.ip_address(address)))

    @property
    def secure(self) -> bool:
        """Whether TLS stands."""
        return self._tls is not None

    @property
    def cipher(self) -> tuple[str, str, int] | None:
        """TLS version, cipher and bits."""
        found = self._tls.cipher() if self._tls else None
        return (self._tls.version() or "", found[0], found[2]) if self._tls and found else None

    @property
    def pending(self) -> bool:
        """Whether bytes are there that were not read; before STARTTLS they are an injection."""
        return bool(self._buffer)

    def chain(self) -> list[bytes]:
        """The certificates the peer showed, its own first, as DER."""
        if self._tls is None:
            return []
        own = getattr(self._tls, "get_unverified_chain", None)
        if own is not None:  # CPython 3.13 and newer
            return list(own())
        held = cast("_Chain", self._tls._sslobj)  # type: ignore[attr-defined]  # noqa: SLF001 - not public before 3.13
        shown = held.get_unverified_chain() or []
        return [ssl.PEM_cert_to_DER_cert(each.public_bytes()) for each in shown]  # type: ignore[attr-defined]

    async def start_tls(self, context: ssl.SSLContext, server_name: str, seconds: float) -> None:
        """Runs the handshake; raises ``TLSFailed``. Bytes that came before it must have been refused."""
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls = context.wrap_bio(self._incoming, self._outgoing, server_hostname=server_name or None)
        try:
            async with asyncio.timeout(seconds):
                await self._shake(tls)
        except TimeoutError:
            raise TLSFailed(f"{self.address}: no TLS handshake within {seconds:g} s") from None
        except (ssl.SSLError, ssl.CertificateError, OSError) as error:
            raise TLSFailed(f"{self.address}: {_reason(error)}") from error
        self._tls = tls

    async def line(self, seconds: float) -> bytes:
        """The next line without its end; a bare LF ends one, as old servers send it."""
        while (end := self._buffer.find(b"\n")) < 0:
            if len(self._buffer) > LINE_BYTES:
                raise OutboundError(f"{self.address} sent a line of more than {LINE_BYTES} bytes")
            await self._more(seconds)
        line = bytes(self._buffer[:end]).removesuffix(b"\r")
        del self._buffer[: end + 1]
        return line

    async def write(self, data: bytes, seconds: float) -> None:
        """Sends all of it; raises when the peer does not take a piece in that time."""
        for start in range(0, len(data), PIECE):
            piece = data[start : start + PIECE]
            if self._tls is not None:
                self._tls.write(piece)
                piece = self._outgoing.read()
            self._writer.write(piece)
            try:
                async with asyncio.timeout(seconds):
                    await self._writer.drain()
            except TimeoutError:
                raise OutboundError(f"{self.address} took no data for {seconds:g} s") from None
            except OSError as error:
                raise OutboundError(f"{self.address}: {error.strerror or error}") from error

    def close(self) -> None:
        """Ends the connection; what was written still goes out."""
        if self._tls is not None:
            with contextlib.suppress(ssl.SSLError):
                self._tls.unwrap()
            self._writer.write(self._outgoing.read())
        self._writer.close()

    async def _shake(self, tls: ssl.SSLObject) -> None:
        while True:
            try:
                tls.do_handshake()
            except ssl.SSLWantReadError:
                self._writer.write(self._outgoing.read())
                await self._writer.drain()
                data = await self._reader.read(PIECE)
                if not data:
                    raise ConnectionResetError("the peer ended the connection during the TLS handshake") from None
                self._incoming.write(data)
            except ssl.SSLError:
                self._writer.write(self._outgoing.read())
                raise
            else:
                self._writer.write(self._outgoing.read())
                return

    async def _more(self, seconds: float) -> None:
        if self._tls is not None and self._decrypt():
            return
        try:
            async with asyncio.timeout(seconds):
                data = await self._reader.read(PIECE)
        except TimeoutError:
            raise OutboundError(f"{self.address} was silent for {seconds:g} s") from None
        except OSError as error:
            raise OutboundError(f"{self.address}: {error.strerror or error}") from error
        if not data:
            raise OutboundError(f"{self.address} ended the connection")
        if self._tls is None:
            self._buffer += data
        else:
            self._incoming.write(data)
            self._decrypt()

    def _decrypt(self) -> bool:
        """Moves what can be decrypted into the buffer; whether there was any."""
        assert self._tls is not None  # noqa: S101 - only called under TLS
        before = len(self._buffer)
        try:
            while piece := self._tls.read(PIECE):
                self._buffer += piece
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError as error:
            raise OutboundError(f"{self.address}: {_reason(error)}") from error
        return len(self._buffer) > before


def _reason(error: Exception) -> str:
    """Why TLS failed, in the library's own words without its error codes."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"the certificate does not verify: {error.verify_message}"
    if isinstance(error, ssl.SSLError) and error.reason:
        return error.reason.lower().replace("_", " ")
    return str(error)
