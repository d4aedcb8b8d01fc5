"""Whole tables out of one snapshot and in again, as functions of an open transaction."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from sqlalchemy import bindparam, delete, select

from maild.store.engine.base import SnapshotTransaction, Transaction, one
from maild.store.interface import BodyChunk, TablePart
from maild.store.sql import state
from maild.store.sql.arrival import INSERT_CHUNKS
from maild.store.sql.schema import (
    BLOB,
    BLOB_CHUNK,
    DOMAIN,
    MESSAGE,
    META,
    QUEUE_ITEM,
    SNAPSHOT,
    metadata,
)
from maild.store.sql.statement import Rows, Statement

PAGE_ROWS = 5000

HELD_UNTIL = "backup.until"
"""Name in ``meta``: no body is removed before that time."""

_LEFT_OUT = {BLOB_CHUNK.name, SNAPSHOT.name}
_DUMPED = [table for table in metadata.sorted_tables if table.name not in _LEFT_OUT]
_SELECTS = {
    table.name: Statement(
        select(*table.columns).where(BLOB.c.complete == 1) if table is BLOB else select(*table.columns)
    )
    for table in _DUMPED
}
_CLEAR = [Statement(delete(table)) for table in metadata.sorted_tables]
_ANY = [Statement(select(*table.primary_key.columns).limit(1)) for table in (DOMAIN, BLOB, MESSAGE, QUEUE_ITEM)]
_BODY_IDS = Statement(
    select(BLOB.c.id)
    .where(BLOB.c.complete == 1, BLOB.c.id > bindparam("after"))
    .order_by(BLOB.c.id)
    .limit(bindparam("limit"))
)
_BODY = Statement(
    select(*BLOB_CHUNK.columns).where(BLOB_CHUNK.c.blob_id == bindparam("id")).order_by(BLOB_CHUNK.c.number)
)


def hold(tx: Transaction, microseconds: int) -> None:
    """Keeps bodies from being removed for so long."""
    state.put(tx, HELD_UNTIL, str(tx.now() + microseconds))


def is_held(tx: Transaction) -> bool:
    """Whether bodies are kept from being removed now."""
    until = state.get(tx, HELD_UNTIL)
    return until is not None and tx.now() < int(until)


def body_ids(tx: Transaction, after: bytes, limit: int) -> list[bytes]:
    """Finished bodies by rising id."""
    return [bytes(row[0]) for row in tx.rows(_BODY_IDS, {"after": after, "limit": limit})]


def body(tx: Transaction, blob_id: bytes) -> list[BodyChunk]:
    """All chunks of a body."""
    return [
        BodyChunk(bytes(id_), number, size, bytes(data)) for id_, number, size, data in tx.rows(_BODY, {"id": blob_id})
    ]


def tables(tx: SnapshotTransaction) -> Iterator[TablePart]:
    """All rows but bodies and caches."""
    for table in _DUMPED:
        columns = tuple(str(column.name) for column in table.columns)
        for page in tx.pages(_SELECTS[table.name], PAGE_ROWS):
            yield TablePart(str(table.name), columns, tuple(tuple(row) for row in page if row[0] != HELD_UNTIL))


def holds_nothing(tx: Transaction) -> bool:
    """Whether nothing that a backup would hold is there."""
    return not any(one(tx, statement) for statement in _ANY)


def clear(tx: Transaction) -> None:
    """Removes every row."""
    for statement in _CLEAR:
        tx.run(statement)


def load(tx: Transaction, part: TablePart) -> None:
    """Writes rows of a table; queue items are held, since they may have been sent since the backup."""
    table = metadata.tables.get(part.table)
    if table is None or not part.rows:
        return
    known = [column.name for column in table.columns if column.name in part.columns]
    places = [part.columns.index(name) for name in known]
    held = known.index(QUEUE_ITEM.c.held.name) if table is QUEUE_ITEM else -1
    rows = [tuple(1 if number == held else row[place] for number, place in enumerate(places)) for row in part.rows]
    if table is META:
        for name, value in rows:
            state.put(tx, str(name), str(value))
        return
    tx.insert_rows(_insert(table.name, tuple(known)), rows)


def load_bodies(tx: Transaction, chunks: Sequence[BodyChunk]) -> None:
    """Writes chunks."""
    tx.insert_rows(INSERT_CHUNKS, [(chunk.blob_id, chunk.number, chunk.size, chunk.data) for chunk in chunks])


@lru_cache(maxsize=128)
def _insert(table: str, columns: tuple[str, ...]) -> Rows:
    return Rows(metadata.tables[table], *columns)
