"""Reads message bodies from a stream within the size limit and the budget all sessions share.

A body that is too large, or finds no room, is read to its end all the same and only counted: the client must hear the
reply where it waits for it. Reserved bytes are given back by ``release``, whatever happened.
"""

from __future__ import annotations

from collections.abc import Callable

from maild.net import Stream
from maild.smtp.body import Body, DotReader
from maild.smtp.context import Budget


class Intake:
    """The bodies of one session, one at a time."""

    def __init__(self, stream: Stream, budget: Budget, limit: int, patience: Callable[[], float]) -> None:
        self._stream = stream
        self._budget = budget
        self._limit = limit
        self._patience = patience
        self._held = 0
        self.chunked: Body | None = None
        """What BDAT has brought so far."""

    async def data(self) -> Body:
        """A body by DATA, up to its end."""
        reader = DotReader(Body(self._limit))
        rest = None
        while rest is None:
            rest = reader.feed(await self._stream.some(self._patience()))
            self._reserve(reader.body)
        self._stream.unread(rest)
        return reader.body

    async def chunk(self, size: int, *, wanted: bool) -> Body:
        """A chunk by BDAT; one that is not wanted is read and thrown away (RFC 3030 section 2)."""
        body = self.chunked or Body(self._limit)
        while size:
            data = await self._stream.some(self._patience())
            self._stream.unread(data[size:])
            piece = data[:size]
            size -= len(piece)
            if wanted:
                body.add(piece)
                self._reserve(body)
        if wanted:
            self.chunked = body
        return body

    def release(self) -> None:
        """Forgets what was read and gives its bytes back."""
        self._budget.give(self._held)
        self._held = 0
        self.chunked = None

    def _reserve(self, body: Body) -> None:
        kept = 0 if body.too_large or body.crowded_out else body.size
        if kept > self._held and not self._budget.take(kept - self._held):
            body.crowd_out()
            kept = 0
        if kept < self._held:
            self._budget.give(self._held - kept)
        self._held = kept
