"""Bytes between a socket and a session, encrypted or not, at a few kilobytes a connection.

TLS is pumped here over ``SSLObject`` and two ``MemoryBIO``: asyncio's own costs 278 KB a connection (measured), this
one 18-20. One read buffer serves all connections of a loop. The first step of a handshake, which costs a signature,
runs in the fair queue; everything after it is light and runs here. A session is told in order: ``opened``,
``received``..., ``secured`` after STARTTLS, ``closed`` exactly once.
"""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Callable
from enum import Enum
from typing import cast

from maild.log import Log
from maild.net.errors import Busy, CertificateError
from maild.net.peer import Peer
from maild.net.session import Session, Shared, TLSInfo

READ_BUFFER = 64 * 1024
"""Bytes of the one read buffer; also the most a session is given at once."""
PROACTOR_BUFFER = 8 * 1024
"""Bytes of a Proactor transport's own buffer, which it allocates at 64 KiB for each connection."""
STASH = 64 * 1024
"""Bytes a client may send while its handshake waits; a ClientHello is far smaller."""
WRITE_PIECE = 256 * 1024
"""Bytes encrypted in one call, so that a large answer does not hold the loop."""


class _Phase(Enum):
    PLAIN = 1
    SHAKING = 2
    SECURE = 3
    CLOSED = 4


class Connection(asyncio.BufferedProtocol):
    """The pump. ``write``, ``close`` and the rest may be called at any time; after the end they do nothing."""

    __slots__ = (
        "_deadline",
        "_drained",
        "_ended",
        "_held",
        "_implicit",
        "_incoming",
        "_loop",
        "_on_end",
        "_opened",
        "_outgoing",
        "_phase",
        "_session",
        "_shared",
        "_ssl",
        "_stash",
        "_timer",
        "_transport",
        "_working",
        "id",
        "local",
        "peer",
        "tls",
    )

    def __init__(
        self,
        shared: Shared,
        number: int,
        peer: Peer,
        local: Peer,
        session: Session,
        *,
        implicit_tls: bool,
        on_end: Callable[[Connection], None],
    ) -> None:
        self.id = number
        self.peer = peer
        self.local = local
        self.tls: TLSInfo | None = None
        self._shared = shared
        self._session = session
        self._implicit = implicit_tls
        self._on_end = on_end
        self._loop = asyncio.get_running_loop()
        self._transport: asyncio.Transport | None = None
        self._phase = _Phase.PLAIN
        self._opened = False
        self._ended = False
        self._ssl: ssl.SSLObject | None = None
        self._incoming: ssl.MemoryBIO | None = None
        self._outgoing: ssl.MemoryBIO | None = None
        self._working = False
        self._held = False
        self._stash: list[bytes] = []
        self._drained: asyncio.Future[None] | None = None
        self._deadline = 0.0
        self._timer: asyncio.TimerHandle | None = None

    @property
    def log(self) -> Log:
        """The daemon's log."""
        return self._shared.log

    @property
    def alive(self) -> bool:
        """Whether anything can still be sent."""
        return self._phase is not _Phase.CLOSED

    @property
    def can_start_tls(self) -> bool:
        """Whether STARTTLS can be offered: nothing is encrypted yet and there is a certificate to show."""
        return self.tls is None and self._shared.certificates.loaded

    # What sessions call

    def write(self, data: bytes) -> None:
        """Sends bytes, encrypted when the connection is."""
        if self._phase is _Phase.PLAIN and self._transport is not None:
            self._transport.write(data)
        elif self._phase is _Phase.SECURE and self._ssl is not None:
            try:
                for start in range(0, len(data), WRITE_PIECE):
                    self._ssl.write(data[start : start + WRITE_PIECE] if len(data) > WRITE_PIECE else data)
                    self._flush()
            except ssl.SSLError:
                self.abort()

    async def drain(self) -> None:
        """Returns when the client has taken enough for more to be written."""
        if self._drained is not None and self.alive:
            await asyncio.shield(self._drained)

    def pause(self) -> None:
        """Stops reading: the client feels it as a full window."""
        self._held = True
        self._set_reading()

    def resume(self) -> None:
        """Reads again."""
        self._held = False
        self._set_reading()

    def start_tls(self) -> None:
        """Begins the handshake; bytes received before it must have been thrown away (RFC 3207 section 4.2)."""
        if self._phase is _Phase.PLAIN:
            self._begin_handshake()

    def expect_within(self, seconds: float) -> None:
        """The session's ``timed_out`` is called unless this is called again in time."""
        self._deadline = self._loop.time() + seconds
        if self._timer is None or self._timer.when() > self._deadline:
            if self._timer is not None:
                self._timer.cancel()
            self._timer = self._loop.call_at(self._deadline, self._check_deadline)

    def close(self) -> None:
        """Ends the connection when what was written has gone out."""
        if self._transport is None or self._phase is _Phase.CLOSED:
            return
        if self._phase is _Phase.SECURE and self._ssl is not None:
            with contextlib.suppress(ssl.SSLError):
                self._ssl.unwrap()
            self._flush()
        self._phase = _Phase.CLOSED
        self._transport.close()
        if self._transport.get_write_buffer_size():
            # A client that takes nothing would keep what was written, and this connection, for ever.
            self._loop.call_later(self._shared.handshake_seconds, self._transport.abort)

    def abort(self) -> None:
        """Ends the connection at once."""
        self._phase = _Phase.CLOSED
        if self._transport is not None:
            self._transport.abort()

    # What the transport calls

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """The transport stands."""
        # uvloop's transports are of no common class, only of this shape.
        self._transport = cast("asyncio.Transport", transport)
        if isinstance(getattr(transport, "_data", None), bytearray):
            transport._data = bytearray(PROACTOR_BUFFER)  # type: ignore[attr-defined]  # noqa: SLF001
        if self._implicit:
            self._begin_handshake()
        else:
            self._open()

    def get_buffer(self, sizehint: int) -> memoryview:  # noqa: ARG002 - the buffer is what it is
        """The loop's read buffer; it is emptied before anything else is read."""
        return self._shared.buffer

    def buffer_updated(self, nbytes: int) -> None:
        """Bytes have arrived."""
        data = bytes(self._shared.buffer[:nbytes])
        if self._phase is _Phase.PLAIN:
            self._session.received(data)
        elif self._phase is _Phase.SECURE and self._incoming is not None:
            self._incoming.write(data)
            self._read()
        elif self._phase is _Phase.SHAKING:
            self._stash.append(data)
            if sum(map(len, self._stash)) > STASH:
                self._handshake_failed("too much data before the handshake")
            elif not self._working:
                self._shake()

    def eof_received(self) -> bool:
        """The client sends no more: the connection ends once our answers are out."""
        self.close()
        return False

    def pause_writing(self) -> None:
        """The client reads too slowly."""
        if self._drained is None:
            self._drained = self._loop.create_future()
            self._set_reading()

    def resume_writing(self) -> None:
        """The client has caught up."""
        if self._drained is not None:
            self._drained.set_result(None)
            self._drained = None
            self._set_reading()

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - how it ended changes nothing
        """The end, however it came."""
        self._phase = _Phase.CLOSED
        if self._ended:
            return
        self._ended = True
        self.resume_writing()
        if self._timer is not None:
            self._timer.cancel()
        self._ssl = self._incoming = self._outgoing = None
        if self._opened:
            self._session.closed()
        self._on_end(self)

    def _set_reading(self) -> None:
        """Reads unless the session asked not to, or the client does not take our answers."""
        if self._transport is None or not self.alive:
            return
        wanted = not self._held and self._drained is None
        if wanted and not self._transport.is_reading():
            self._transport.resume_reading()
        elif not wanted and self._transport.is_reading():
            self._transport.pause_reading()

    # TLS

    def _open(self) -> None:
        self._opened = True
        self._session.opened(self)

    def _begin_handshake(self) -> None:
        try:
            context = self._shared.certificates.context()
        except CertificateError as error:
            self._handshake_failed(str(error))
            return
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._ssl = context.wrap_bio(self._incoming, self._outgoing, server_side=True)
        self._phase = _Phase.SHAKING
        self.expect_within(self._shared.handshake_seconds)

    def _shake(self) -> None:
        """A step of the handshake: the first in the fair queue, further ones here."""
        assert self._ssl is not None  # noqa: S101 - made by _begin_handshake
        assert self._incoming is not None  # noqa: S101
        self._incoming.write(b"".join(self._stash))
        self._stash.clear()
        if self._outgoing_was_used():
            self._step_done(_step(self._ssl))
        else:
            self._working = True
            task = self._loop.create_task(self._shake_in_turn(self._ssl))
            task.add_done_callback(lambda done: done.cancelled() or done.exception())

    def _outgoing_was_used(self) -> bool:
        """Whether the server's answer to the ClientHello, and with it the signature, is already made."""
        assert self._ssl is not None  # noqa: S101
        return self._ssl.cipher() is not None

    async def _shake_in_turn(self, connection: ssl.SSLObject) -> None:
        try:
            outcome = await self._shared.handshakes.run(self.peer.network, lambda: _step(connection))
        except Busy:
            outcome = "too many handshakes are waiting"
        self._working = False
        if self._phase is _Phase.SHAKING:
            self._step_done(outcome)

    def _step_done(self, outcome: str | None) -> None:
        """None: done; empty: more bytes are needed; else why it failed."""
        self._flush()
        if outcome is None:
            self._secured()
        elif outcome:
            self._handshake_failed(outcome)
        elif self._stash:
            self._shake()

    def _secured(self) -> None:
        assert self._ssl is not None  # noqa: S101
        cipher = self._ssl.cipher() or ("unknown", "", 0)
        self.tls = TLSInfo(self._ssl.version() or "unknown", cipher[0], cipher[2])
        self._phase = _Phase.SECURE
        self._tell(
            f"TCPConnection - TLS/SSL handshake completed. Session Id: {self.id}, Remote IP: {self.peer.text}, "
            f"Version: {self.tls.version}, Cipher: {self.tls.cipher}, Bits: {self.tls.bits}",
            version=self.tls.version,
            cipher=self.tls.cipher,
        )
        if self._opened:
            self._session.secured()
        else:
            self._open()
        if self._stash and self._incoming is not None:
            self._incoming.write(b"".join(self._stash))
            self._stash.clear()
        self._read()

    def _handshake_failed(self, reason: str) -> None:
        self._tell(
            f"TCPConnection - TLS/SSL handshake failed. Session Id: {self.id}, Remote IP: {self.peer.text}, "
            f"Message: {reason}"
        )
        self._phase = _Phase.CLOSED
        if self._transport is not None:
            self._transport.close()

    def _read(self) -> None:
        """Gives the session everything that is decrypted."""
        pieces: list[bytes] = []
        ended = False
        try:
            while self._ssl is not None and (piece := self._ssl.read(READ_BUFFER)):
                pieces.append(piece)
            ended = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLError:
            ended = True
        if pieces:
            self._session.received(b"".join(pieces))
        if ended:
            self.close()
        else:
            self._flush()

    def _flush(self) -> None:
        if self._outgoing is not None and self._transport is not None and self._outgoing.pending:
            self._transport.write(self._outgoing.read())

    def _check_deadline(self) -> None:
        self._timer = None
        remaining = self._deadline - self._loop.time()
        if remaining > 0:
            self.expect_within(remaining)
        elif self._phase is _Phase.SHAKING:
            self._handshake_failed("timeout")
        elif self.alive:
            self._session.timed_out()

    def _tell(self, text: str, **fields: object) -> None:
        self._shared.log.tcpip(text, session=self.id, address=self.peer.text, **fields)


def _step(connection: ssl.SSLObject) -> str | None:
    """One step of a handshake: None when it is done, empty when it needs more bytes, else why it failed."""
    try:
        connection.do_handshake()
    except ssl.SSLWantReadError:
        return ""
    except ssl.SSLError as error:
        return error.reason or str(error)
    return None
