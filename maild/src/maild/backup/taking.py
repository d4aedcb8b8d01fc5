"""Makes a backup while mail comes and goes: bodies first, then every row as of one moment, then the bodies since.

Bodies never change and none is removed meanwhile, so all that the rows of that moment refer to is in the file. Nothing
holds a transaction open longer than it takes to read the rows.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec
import zstandard

from maild import __version__
from maild.backup.container import MANIFEST, BackupError, Manifest, Member, sha256, write
from maild.backup.places import Places
from maild.mail.domain import to_ascii
from maild.store import BodyChunk, Store, TablePart, new_id

HOLD_SECONDS = 24 * 3600
"""Bodies are kept from being removed for so long; a backup that dies leaves no more than that behind."""

PACK_BYTES = 8 << 20
PAGE_BODIES = 1000

SUFFIX = ".maild.age"
OPEN_SUFFIX = ".maild.tar"
"""Of one that is not encrypted."""


@dataclass(frozen=True, slots=True)
class Created:
    """A finished backup."""

    file: Path
    manifest: Manifest
    size: int


async def create(store: Store, places: Places, folder: Path, recipient: str | None, host: str) -> Created:
    """Writes a backup into a folder, named after the host and the time; without a recipient it is not encrypted."""
    health = await store.maintenance.health()
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    manifest = Manifest(
        id=new_id().hex(),
        created_at=time.time_ns() // 1000,
        release=__version__,
        engine=health.engine,
        schema=health.schema,
    )
    await asyncio.to_thread(_make, folder)
    target = folder / f"{to_ascii(host)}-{stamp}{SUFFIX if recipient else OPEN_SUFFIX}"
    await store.transfer.hold(HOLD_SECONDS)
    try:
        writing = _Writing(manifest)
        await write(target, [recipient] if recipient else [], writing.members(store, places))
    finally:
        await store.transfer.hold(0)
    return Created(target, writing.manifest, target.stat().st_size)


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BackupError(f"{folder}: {error.strerror}") from error


class _Writing:
    """The members of one backup as they are made."""

    def __init__(self, manifest: Manifest) -> None:
        self.manifest = manifest
        self._hashes: dict[str, str] = {}

    async def members(self, store: Store, places: Places) -> AsyncIterator[Member]:
        """Everything, the manifest last."""
        packs = _Packs()
        async for blob_id in _all_bodies(store):
            for member in packs.add(blob_id, await store.transfer.body(blob_id)):
                yield self._noted(member)
        tables = await store.transfer.tables()
        for blob_id in _bodies_in(tables):
            if blob_id not in packs.seen:
                for member in packs.add(blob_id, await store.transfer.body(blob_id)):
                    yield self._noted(member)
        for member in packs.rest():
            yield self._noted(member)
        for number, part in enumerate(tables):
            yield self._noted(Member(f"tables/{number:06}-{part.table}", encode(part)))
        for member in places.members():
            yield self._noted(member)
        messages = sum(len(part.rows) for part in tables if part.table == "message")
        self.manifest = replace_manifest(self.manifest, messages=messages, members=self._hashes)
        yield Member(MANIFEST, msgspec.json.encode(self.manifest))

    def _noted(self, member: Member) -> Member:
        self._hashes[member.name] = sha256(member.data)
        return member


class _Packs:
    """Gathers bodies into packs."""

    def __init__(self) -> None:
        self.seen: set[bytes] = set()
        self._chunks: list[BodyChunk] = []
        self._size = 0
        self._number = 0

    def add(self, blob_id: bytes, chunks: Sequence[BodyChunk]) -> Iterable[Member]:
        """Takes a body in; gives back the packs that are full."""
        if not chunks:
            return
        self.seen.add(blob_id)
        for chunk in chunks:
            self._chunks.append(chunk)
            self._size += len(chunk.data)
            if self._size >= PACK_BYTES:
                yield from self.rest()

    def rest(self) -> Iterable[Member]:
        """The pack that has begun."""
        if self._chunks:
            yield Member(f"bodies/{self._number:06}.pack", msgspec.msgpack.encode(self._chunks))
            self._number += 1
            self._chunks, self._size = [], 0


def encode(part: TablePart) -> bytes:
    """Rows of a table as a member holds them."""
    return zstandard.ZstdCompressor(level=3).compress(msgspec.msgpack.encode(part))


def decode(data: bytes) -> TablePart:
    """What ``encode`` made."""
    return msgspec.msgpack.decode(zstandard.ZstdDecompressor().decompress(data), type=TablePart)


def replace_manifest(manifest: Manifest, *, messages: int, members: dict[str, str]) -> Manifest:
    """The manifest with what has been written."""
    return msgspec.structs.replace(manifest, messages=messages, members=members)


async def _all_bodies(store: Store) -> AsyncIterator[bytes]:
    after = b""
    while ids := await store.transfer.body_ids(after, PAGE_BODIES):
        for blob_id in ids:
            yield blob_id
        after = ids[-1]


def _bodies_in(tables: Iterable[TablePart]) -> Iterable[bytes]:
    for part in tables:
        if part.table == "blob":
            place = part.columns.index("id")
            for row in part.rows:
                yield bytes(row[place])
