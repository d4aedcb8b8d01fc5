"""Collects one command from the stream: its lines, its literals, and messages, which go straight to the store.

A command whose literals are refused is still read to its end when the client has sent them unasked, so that the next
one is understood.
"""

from __future__ import annotations

from collections.abc import Callable

from maild.imap import framing
from maild.imap.errors import Goodbye, Refused
from maild.imap.parser import Literal
from maild.imap.session import Session
from maild.store import errors as store_errors

PIECE = 64 * 1024
"""Octets of a message handed to the store at once."""
MAX_PASSED_OVER = 256 << 20
"""Octets of a literal that is refused and yet read: a client that sends more unasked is cut off instead."""


class Reader:
    """Collects the lines and literals of one command."""

    def __init__(self, session: Session, seconds: float) -> None:
        self.texts: list[bytes] = []
        self.literals: list[Literal] = []
        self.tag = b"*"
        self._session = session
        self._seconds = seconds
        self._kept = 0
        self._refused: Refused | store_errors.StoreError | None = None

    async def read(self) -> None:
        """Reads up to the end of the command; raises ``Refused`` for one whose literals are too large."""
        stream = self._session.stream
        while True:
            line = await stream.line(self._seconds)
            found = framing.announced(line)
            if not self.texts:
                self.tag = line.partition(b" ")[0][:100] or b"*"
                log_line(self._session, stream.connection.log.received, line)
            if found is None:
                self.texts.append(line)
                break
            self.texts.append(found.text)
            await self._literal(found)
        if self._refused is not None:
            raise self._refused

    async def _literal(self, found: framing.Announced) -> None:
        """Takes one literal, or passes over it when the command is refused anyway."""
        is_message = self._session.account is not None and framing.is_message(
            self.texts[0], len(self.literals), found.text
        )
        self._refused = self._refused or self._refusal(found, is_message=is_message)
        if self._refused is not None and found.waits:
            raise self._refused
        if self._refused is not None:
            await self._pass_over(found.size)
            self.literals.append(Literal(b""))
            return
        if found.waits:
            self._session.send(b"+ Ready for %d octets\r\n" % found.size)
            self._session.flush()
        if is_message:
            await self._stage(found)
        else:
            data = await self._session.stream.exactly(found.size, self._seconds)
            self.literals.append(Literal(data, binary=found.binary))

    def _refusal(self, found: framing.Announced, *, is_message: bool) -> Refused | None:
        if is_message:
            limit = self._session.services.limits.message_bytes
            return Refused("The message is too large", b"TOOBIG") if found.size > limit else None
        self._kept += found.size
        limit = framing.MAX_BEFORE_LOGIN if self._session.account is None else framing.MAX_TEXTS
        if self._kept > limit or len(self.literals) >= framing.MAX_LITERALS:
            return Refused("The literal is too large", b"TOOBIG")
        return None

    async def _stage(self, found: framing.Announced) -> None:
        body = self._session.services.store.stage(found.size)
        self.literals.append(Literal(b"", body, found.binary))
        left = found.size
        while left:
            piece = await self._session.stream.exactly(min(left, PIECE), self._seconds)
            left -= len(piece)
            if self._refused is None:
                try:
                    await body.write(piece)
                except store_errors.StoreError as error:
                    # The rest of the literal is on its way and must be read.
                    self._refused = error

    async def _pass_over(self, size: int) -> None:
        if size > MAX_PASSED_OVER:
            raise Goodbye("The literal is too large")
        while size:
            size -= len(await self._session.stream.exactly(min(size, PIECE), self._seconds))


def log_line(session: Session, write: Callable[..., None], line: bytes) -> None:
    """Writes a line of the conversation to the log, without passwords."""
    connection = session.stream.connection
    shown = line
    _, _, rest = line.partition(b" ")
    if rest[:6].upper() == b"LOGIN ":
        words = line.split(b" ")
        shown = b" ".join([*words[:3], b"***"])
    elif rest[:13].upper() == b"AUTHENTICATE ":
        shown = b" ".join([*line.split(b" ")[:3], b"***"])
    write("IMAPD", connection.id, connection.peer.text, shown[:500].decode("utf-8", "replace"))
