"""Compressing a message before its transaction, so that no lock is held meanwhile."""

from __future__ import annotations

from maild.store.records.arrival import CHUNK_BYTES, Incoming
from maild.store.sql import bodies
from maild.store.sql.arrival import Prepared
from maild.store.staging import StagedBody


def prepare(incoming: Incoming) -> Prepared:
    """The message as it will be written. A staged body must have been finished."""
    body = incoming.body
    if isinstance(body, bytes):
        whole = incoming.prefix + body if incoming.prefix else body
        return Prepared(incoming=incoming, size=len(whole), chunks=tuple(bodies.chunks_of(whole) or _EMPTY))
    if not isinstance(body, StagedBody):
        raise TypeError(f"a body is bytes or comes from Store.stage, not {type(body).__name__}")
    if incoming.id != body.id:
        raise ValueError("the message of a staged body has that body's id")
    rest = body.rest()
    if not body.written:
        whole = incoming.prefix + rest
        return Prepared(incoming=incoming, size=len(whole), chunks=tuple(bodies.chunks_of(whole) or _EMPTY))
    # The chunks written while the data came are numbered from 1: there is room for a prefix of any size before them.
    pieces = -(-len(incoming.prefix) // CHUNK_BYTES)
    before = bodies.chunks_of(incoming.prefix, first=1 - pieces)
    after = bodies.chunks_of(rest, first=body.written + 1)
    return Prepared(incoming=incoming, size=len(incoming.prefix) + body.size, chunks=tuple(before + after), staged=True)


_EMPTY = [(0, 0, bodies.compress(b""))]
"""An empty body still has a chunk, so that it can be told from one that is gone."""
