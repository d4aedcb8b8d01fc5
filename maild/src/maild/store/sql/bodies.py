"""Bodies: compressed chunks of at most 1 MiB, written once, read in stretches, removed when nothing refers to them."""

from __future__ import annotations

import functools
import threading
from collections.abc import Sequence

import zstandard
from sqlalchemy import bindparam, delete, exists, insert, select, update

from maild.store.engine.base import Transaction, keyed_rows, one, run_keyed
from maild.store.errors import Corrupt, NotFound
from maild.store.records.arrival import CHUNK_BYTES
from maild.store.records.mail import Structure
from maild.store.sql.schema import BLOB, BLOB_CHUNK, GARBAGE, MESSAGE, QUEUE_ITEM
from maild.store.sql.statement import Keyed, Statement

COMPRESSION_LEVEL = 1
"""zstd's fastest: 5 µs for 3 KB; mail that compresses at all does so here."""

GOING = 2
"""``complete`` of a body that nothing may refer to any more and whose chunks are being removed."""

SLICE_BYTES = 8 << 20
"""Bytes of bodies removed in one transaction: 4 ms of SQLite's writer, measured."""

SLICE_BODIES = 100

_OPEN = Statement(
    insert(BLOB).values(
        id=bindparam("id"), size=0, complete=0, created_at=bindparam("at"), structure_version=0, structure=None
    )
)
_ADD = Statement(
    insert(BLOB_CHUNK).values(
        blob_id=bindparam("blob_id"), number=bindparam("number"), size=bindparam("size"), data=bindparam("data")
    )
)
_TOUCH = Statement(
    update(BLOB).where(BLOB.c.id == bindparam("key"), BLOB.c.complete == 0).values(created_at=bindparam("at"))
)
_SIZES = Statement(
    select(BLOB_CHUNK.c.number, BLOB_CHUNK.c.size)
    .where(BLOB_CHUNK.c.blob_id == bindparam("id"))
    .order_by(BLOB_CHUNK.c.number)
)
_DATA = Statement(
    select(BLOB_CHUNK.c.data).where(BLOB_CHUNK.c.blob_id == bindparam("id"), BLOB_CHUNK.c.number == bindparam("number"))
)
_STRUCTURES = Keyed(
    lambda keys: select(BLOB.c.id, BLOB.c.structure_version, BLOB.c.structure).where(
        BLOB.c.id.in_(keys), BLOB.c.structure.is_not(None)
    )
)
_SET_STRUCTURE = Statement(
    update(BLOB)
    .where(BLOB.c.id == bindparam("key"))
    .values(structure_version=bindparam("version"), structure=bindparam("data"))
)
_DISCARD = Statement(
    insert(GARBAGE)
    .prefix_with("IGNORE", dialect="mysql")
    .prefix_with("OR IGNORE", dialect="sqlite")
    .values(blob_id=bindparam("blob_id"), at=bindparam("at"))
)
_GARBAGE = Statement(
    select(GARBAGE.c.blob_id)
    .where(GARBAGE.c.at <= bindparam("before"))
    .order_by(GARBAGE.c.at)
    .limit(bindparam("limit"))
)
_STALE = Statement(
    select(BLOB.c.id)
    .where(BLOB.c.complete == 0, BLOB.c.created_at <= bindparam("before"))
    .order_by(BLOB.c.created_at)
    .limit(bindparam("limit"))
)
_USED = Keyed(
    lambda keys: select(BLOB.c.id).where(
        BLOB.c.id.in_(keys),
        exists().where(MESSAGE.c.blob_id == BLOB.c.id) | exists().where(QUEUE_ITEM.c.blob_id == BLOB.c.id),
    )
)
_NOTED = Keyed(lambda keys: select(GARBAGE.c.blob_id).where(GARBAGE.c.blob_id.in_(keys)))
_COMPLETE = Keyed(lambda keys: select(BLOB.c.id).where(BLOB.c.id.in_(keys), BLOB.c.complete == 1))
_MARK_UNFINISHED = Keyed(
    lambda keys: update(BLOB).where(BLOB.c.id.in_(keys), BLOB.c.complete == 0).values(complete=GOING)
)
_MARK = Keyed(lambda keys: update(BLOB).where(BLOB.c.id.in_(keys)).values(complete=GOING))
_GOING = Statement(
    select(BLOB.c.id).where(BLOB.c.complete == GOING).order_by(BLOB.c.created_at).limit(bindparam("limit"))
)
_SIZES_OF = Keyed(
    lambda keys: (
        select(BLOB_CHUNK.c.blob_id, BLOB_CHUNK.c.number, BLOB_CHUNK.c.size)
        .where(BLOB_CHUNK.c.blob_id.in_(keys))
        .order_by(BLOB_CHUNK.c.blob_id, BLOB_CHUNK.c.number)
    )
)
_REMOVE = Keyed(lambda keys: delete(BLOB).where(BLOB.c.id.in_(keys)))
_REMOVE_CHUNKS = Keyed(lambda keys: delete(BLOB_CHUNK).where(BLOB_CHUNK.c.blob_id.in_(keys)))
_REMOVE_FIRST = Statement(
    delete(BLOB_CHUNK).where(BLOB_CHUNK.c.blob_id == bindparam("id"), BLOB_CHUNK.c.number <= bindparam("last"))
)
_FORGET = Keyed(lambda keys: delete(GARBAGE).where(GARBAGE.c.blob_id.in_(keys)))


def compress(data: bytes | bytearray | memoryview) -> bytes:
    """One chunk as it is stored; the frame carries a checksum."""
    return _compressor(threading.get_ident()).compress(data)


@functools.lru_cache(maxsize=64)
def _compressor(thread: int) -> zstandard.ZstdCompressor:
    """One a thread: making its tables costs ten times what compressing 4 KB does."""
    del thread
    return zstandard.ZstdCompressor(level=COMPRESSION_LEVEL, write_checksum=True)


def decompress(data: bytes, size: int) -> bytes:
    """The chunk's bytes; raises ``Corrupt`` when the checksum or the size differs."""
    try:
        plain = zstandard.ZstdDecompressor().decompress(data, max_output_size=size)
    except zstandard.ZstdError as error:
        raise Corrupt(f"a chunk does not decompress: {error}") from error
    if len(plain) != size:
        raise Corrupt(f"a chunk of {size} bytes decompresses to {len(plain)}")
    return plain


def chunks_of(body: bytes, first: int = 0) -> list[tuple[int, int, bytes]]:
    """Number, size and compressed bytes of each chunk of a body."""
    view = memoryview(body)
    pieces = [view[start : start + CHUNK_BYTES] for start in range(0, len(body), CHUNK_BYTES)]
    return [(number, len(piece), compress(piece)) for number, piece in enumerate(pieces, first)]


def open_staged(tx: Transaction, blob_id: bytes) -> None:
    """The row of a body whose chunks will follow."""
    tx.run(_OPEN, {"id": blob_id, "at": tx.now()})


def add_chunk(tx: Transaction, blob_id: bytes, number: int, size: int, data: bytes) -> None:
    """One more chunk of a staged body, which stays young by it."""
    if not tx.run(_TOUCH, {"key": blob_id, "at": tx.now()}):
        raise NotFound(f"staged body {blob_id.hex()}")
    tx.run(_ADD, {"blob_id": blob_id, "number": number, "size": size, "data": data})


def abandon(tx: Transaction, blob_ids: list[bytes]) -> int:
    """Gives staged bodies to ``purge`` unless they have been accepted meanwhile; returns how many."""
    # The mark decides the race with ``accept`` and with a late chunk, which both need the body unfinished.
    return sum(run_keyed(tx, _MARK_UNFINISHED, [blob_id]) for blob_id in sorted(blob_ids))


def purge(tx: Transaction) -> bool:
    """Removes a slice of what is marked to go; says whether there is more."""
    going = [bytes(row[0]) for row in tx.rows(_GOING, {"limit": SLICE_BODIES})]
    if not going:
        return False
    taken = 0
    for blob_id, number, size in keyed_rows(tx, _SIZES_OF, sorted(going)):
        taken += size
        if taken > SLICE_BYTES:
            _purge_until(tx, going, bytes(blob_id), number)
            return True
    run_keyed(tx, _REMOVE_CHUNKS, going)
    run_keyed(tx, _REMOVE, going)
    return len(going) == SLICE_BODIES


def _purge_until(tx: Transaction, going: list[bytes], blob_id: bytes, number: int) -> None:
    """Removes the bodies before this one, in order of ids, and this one's chunks up to a number."""
    before = [id_ for id_ in going if id_ < blob_id]
    if before:
        run_keyed(tx, _REMOVE_CHUNKS, before)
        run_keyed(tx, _REMOVE, before)
    tx.run(_REMOVE_FIRST, {"id": blob_id, "last": number})


def sizes(tx: Transaction, blob_id: bytes) -> list[tuple[int, int]]:
    """Number and size of each chunk; raises ``NotFound``."""
    found = [(int(number), int(size)) for number, size in tx.rows(_SIZES, {"id": blob_id})]
    if not found:
        raise NotFound(f"body {blob_id.hex()}")
    return found


def chunk(tx: Transaction, blob_id: bytes, number: int, size: int) -> bytes:
    """The bytes of one chunk; raises ``NotFound``."""
    row = one(tx, _DATA, {"id": blob_id, "number": number})
    if row is None:
        raise NotFound(f"body {blob_id.hex()}, chunk {number}")
    return decompress(row[0], size)


def stretch(sizes_: list[tuple[int, int]], offset: int, length: int | None) -> list[tuple[int, int, int, int]]:
    """What of which chunk makes up a stretch: number, size, first and end byte in it."""
    end = sum(size for _, size in sizes_) if length is None else offset + length
    wanted = []
    start = 0
    for number, size in sizes_:
        first, last = max(offset - start, 0), min(end - start, size)
        if first < last:
            wanted.append((number, size, first, last))
        start += size
    return wanted


def read(tx: Transaction, blob_id: bytes, offset: int, length: int | None) -> bytes:
    """A stretch of a body."""
    wanted = stretch(sizes(tx, blob_id), offset, length)
    return b"".join([chunk(tx, blob_id, number, size)[first:last] for number, size, first, last in wanted])


def structures(tx: Transaction, blob_ids: Sequence[bytes]) -> dict[bytes, Structure]:
    """What has been encoded for these bodies."""
    rows = keyed_rows(tx, _STRUCTURES, blob_ids)
    return {bytes(id_): Structure(version=version, data=data) for id_, version, data in rows}


def save_structure(tx: Transaction, blob_id: bytes, structure: Structure) -> None:
    """Replaces what was encoded before."""
    tx.run(_SET_STRUCTURE, {"key": blob_id, "version": structure.version, "data": structure.data})


def discard(tx: Transaction, blob_ids: list[bytes], now: int) -> None:
    """Notes bodies that lost a reference; ``collect`` looks later whether it was the last."""
    for blob_id in sorted(set(blob_ids)):
        tx.run(_DISCARD, {"blob_id": blob_id, "at": now})


def collect(tx: Transaction, before: int, limit: int) -> tuple[int, int]:
    """Gives bodies noted before that time that nothing refers to to ``purge``; returns (notes read, bodies given).

    A new reference to an existing body is only made beside a row that holds one, under that row's mailbox or lease:
    none can appear here between the look and the removal.
    """
    noted = [bytes(row[0]) for row in tx.rows(_GARBAGE, {"before": before, "limit": limit})]
    if not noted:
        return 0, 0
    used = {bytes(row[0]) for row in keyed_rows(tx, _USED, noted)}
    unused = sorted(set(noted) - used)
    if unused:
        run_keyed(tx, _MARK, unused)
    run_keyed(tx, _FORGET, noted)
    return len(noted), len(unused)


def orphans(tx: Transaction, blob_ids: Sequence[bytes]) -> list[bytes]:
    """Those of these bodies that nothing refers to and that nobody has noted to be looked at."""
    left = set(blob_ids)
    # One that is being collected meanwhile is no longer complete: that is asked last.
    for keyed in (_USED, _NOTED):
        left -= {bytes(row[0]) for row in keyed_rows(tx, keyed, sorted(left))}
    return sorted(bytes(row[0]) for row in keyed_rows(tx, _COMPLETE, sorted(left)))


def stale(tx: Transaction, before: int, limit: int) -> list[bytes]:
    """Staged bodies nobody has written to since then."""
    return [bytes(row[0]) for row in tx.rows(_STALE, {"before": before, "limit": limit})]
