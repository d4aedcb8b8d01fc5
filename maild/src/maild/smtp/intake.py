"""Reads messages from a stream within the size limit, and hands them to the spool as they come.

A message that is too large, or cannot be kept, is read to its end all the same and only counted: the client must hear
the reply where it waits for it.
"""

from __future__ import annotations

from collections.abc import Callable

from maild.net import Stream
from maild.smtp.body import Body, DotReader
from maild.smtp.spool import Spool


class Intake:
    """The messages of one session, one at a time."""

    def __init__(self, stream: Stream, limit: int, patience: Callable[[], float]) -> None:
        self._stream = stream
        self._limit = limit
        self._patience = patience
        self.spool: Spool | None = None
        self.chunked: Body | None = None
        """What BDAT has brought so far."""

    async def data(self, spool: Spool) -> Body:
        """A message by DATA, up to its end."""
        self.spool = spool
        reader = DotReader(Body(self._limit))
        rest = None
        while rest is None:
            rest = reader.feed(await self._stream.some(self._patience()))
            await spool.take(reader.body)
        self._stream.unread(rest)
        return reader.body

    async def chunk(self, size: int, spool: Spool, *, last: bool) -> Body:
        """A chunk by BDAT, into the spool of those before it."""
        body = self.chunked or Body(self._limit)
        self.spool, self.chunked = spool, body
        while size:
            piece = await self._some(size)
            size -= len(piece)
            body.add(piece)
            await spool.take(body)
        if last:
            body.finish()
            await spool.take(body)
        return body

    async def pass_over(self, size: int) -> None:
        """A chunk by BDAT that is not wanted is read and thrown away (RFC 3030 section 2)."""
        while size:
            size -= len(await self._some(size))

    async def release(self) -> None:
        """Forgets what was read; what is not part of a message by now is removed from the store."""
        spool, self.spool, self.chunked = self.spool, None, None
        if spool is not None:
            await spool.release()

    async def _some(self, most: int) -> bytes:
        data = await self._stream.some(self._patience())
        self._stream.unread(data[most:])
        return data[:most]
