"""Makes a backup while mail comes and goes: packs of the bodies that are in none yet, then every row as of one moment.

Bodies never change and none is removed meanwhile, so all that the rows of that moment refer to is in the packs. Nothing
holds a transaction open longer than it takes to read the rows. A backup that was cut off leaves its packs to the next.
"""

from __future__ import annotations

import asyncio
import shutil
import time
from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import msgspec
import zstandard

from maild import __version__
from maild.backup.container import (
    MANIFEST,
    OPEN_SUFFIX,
    REFERENCES,
    SUFFIX,
    BackupError,
    Manifest,
    Member,
    sha256,
    write,
)
from maild.backup.packs import PACK_BYTES, Pack, Pool
from maild.backup.places import Places, put
from maild.mail.domain import to_ascii
from maild.store import BodyChunk, Store, TablePart, new_id

HOLD_SECONDS = 24 * 3600
"""Bodies are kept from being removed for so long; a backup that dies leaves no more than that behind."""

PAGE_BODIES = 1000

READ_AGAIN = 7
"""Each backup reads every so manieth pack again, another share each time; one that has rotted is written anew."""


@dataclass(frozen=True, slots=True)
class Created:
    """A finished backup; ``size`` is what was written, new packs included."""

    file: Path
    manifest: Manifest
    size: int
    packs: int
    """New ones."""
    damaged: tuple[str, ...]
    """Packs that had rotted and were replaced; backups that need them are lost."""


async def create(
    store: Store, places: Places, folder: Path, recipient: str | None, host: str, *, whole: bool = False
) -> Created:
    """Writes a backup into a folder, named after the host and the time; without a recipient it is not encrypted.

    With ``whole`` the packs are in the file as well, which is then all that a restore needs; so they are in an open
    one, since none is left that anybody could read.
    """
    whole = whole or recipient is None
    health = await store.maintenance.health()
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
    manifest = Manifest(
        id=new_id().hex(),
        created_at=time.time_ns() // 1000,
        release=__version__,
        engine=health.engine,
        schema=health.schema,
    )
    target = folder / f"{to_ascii(host)}-{stamp}{SUFFIX if recipient else OPEN_SUFFIX}"
    pool = Pool(folder, recipient)
    await asyncio.to_thread(_make, folder)
    await store.transfer.hold(HOLD_SECONDS)
    try:
        packing = _Packing(store, pool, share=int(manifest.id[-2:], 16) % READ_AGAIN)
        tables = await packing.run()
    finally:
        await store.transfer.hold(0)
    if not whole:
        references = "".join(f"{pack.name}\n" for pack in packing.used)
        await asyncio.to_thread(put, target.with_name(target.name + REFERENCES), references.encode())
    writing = _Writing(manifest, folder, packing.used)
    await write(target, recipient, writing.members(tables, places, whole=whole))
    if recipient is None:
        await asyncio.to_thread(shutil.rmtree, pool.place, ignore_errors=True)
    written = target.stat().st_size + sum(pack.size for pack in packing.written)
    return Created(target, writing.manifest, written, len(packing.written), tuple(packing.damaged))


def _make(folder: Path) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BackupError(f"{folder}: {error.strerror}") from error


@dataclass(slots=True)
class _Packing:
    """Finds the packs that hold the bodies there are, and writes those that are missing."""

    store: Store
    pool: Pool
    share: int
    used: list[Pack] = field(default_factory=list)
    written: list[Pack] = field(default_factory=list)
    damaged: list[str] = field(default_factory=list)
    _covered: set[bytes] = field(default_factory=set)
    _chunks: list[BodyChunk] = field(default_factory=list)
    _size: int = 0

    async def run(self) -> list[TablePart]:
        """All bodies into packs; returns the rows of one moment, whose bodies are all there."""
        present = [blob_id async for blob_id in _all_bodies(self.store)]
        await asyncio.to_thread(self._reuse, frozenset(present))
        for blob_id in present:
            await self._add(blob_id)
        tables = await self.store.transfer.tables()
        for blob_id in _bodies_in(tables):
            await self._add(blob_id)
            if blob_id not in self._covered:
                raise BackupError(f"the body {blob_id.hex()} is not in the database: run maild store check")
        await self._flush()
        return tables

    def _reuse(self, present: frozenset[bytes]) -> None:
        for pack in self.pool.packs():
            live = pack.ids & present
            # One that is mostly of removed mail is not carried on: what still lives in it is packed anew.
            if live <= self._covered or 2 * len(live) < len(pack.ids):
                continue
            if int(pack.name[-7:-5], 16) % READ_AGAIN == self.share and not self.pool.is_sound(pack):
                self.damaged.append(pack.name)
                self.pool.remove(pack)
                continue
            self.pool.keep(pack)
            self.used.append(pack)
            self._covered |= live

    async def _add(self, blob_id: bytes) -> None:
        if blob_id in self._covered:
            return
        chunks: Sequence[BodyChunk] = await self.store.transfer.body(blob_id)
        if not chunks:
            return
        self._covered.add(blob_id)
        self._chunks += chunks
        self._size += sum(len(chunk.data) for chunk in chunks)
        if self._size >= PACK_BYTES:
            await self._flush()

    async def _flush(self) -> None:
        if self._chunks:
            pack = await asyncio.to_thread(self.pool.put, self._chunks)
            self.used.append(pack)
            self.written.append(pack)
            self._chunks, self._size = [], 0


class _Writing:
    """The members of one backup as they are made."""

    def __init__(self, manifest: Manifest, folder: Path, packs: Sequence[Pack]) -> None:
        self.manifest = manifest
        self._folder = folder
        self._packs = packs
        self._hashes: dict[str, str] = {}

    async def members(self, tables: Sequence[TablePart], places: Places, *, whole: bool) -> AsyncIterator[Member]:
        """Everything, the manifest last."""
        for pack in self._packs if whole else ():
            yield Member(pack.name, await asyncio.to_thread(_read, self._folder / pack.name))
        for number, part in enumerate(tables):
            yield self._noted(Member(f"tables/{number:06}-{part.table}", encode(part)))
        for member in places.members():
            yield self._noted(member)
        self.manifest = msgspec.structs.replace(
            self.manifest,
            messages=sum(len(part.rows) for part in tables if part.table == "message"),
            members=self._hashes,
            packs=tuple(pack.name for pack in self._packs),
        )
        yield Member(MANIFEST, msgspec.json.encode(self.manifest))

    def _noted(self, member: Member) -> Member:
        self._hashes[member.name] = sha256(member.data)
        return member


def encode(part: TablePart) -> bytes:
    """Rows of a table as a member holds them."""
    return zstandard.ZstdCompressor(level=3).compress(msgspec.msgpack.encode(part))


def decode(data: bytes) -> TablePart:
    """What ``encode`` made."""
    return msgspec.msgpack.decode(zstandard.ZstdDecompressor().decompress(data), type=TablePart)


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise BackupError(f"{file}: {error.strerror}") from error


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
