"""Brings a backup onto an empty server; the same backup again is no change, another one is refused.

It is read twice: once to see that all of it is there and as it was written, once to restore. Packs are looked for in
the file and beside it, and several are opened and written at once. A restore that was interrupted begins anew. UIDs,
UIDVALIDITY and every id stay what they were.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from maild.backup.container import FORMAT, MANIFEST, REFERENCES, BackupError, Manifest, Member, read, sha256
from maild.backup.packs import FOLDER, INDEX, PACK, bodies
from maild.backup.places import PREFIX, Places, put
from maild.backup.taking import decode
from maild.store import BodyChunk, Store

RESTORED = "restored.from"
"""Name in ``meta``: the id of the backup this database came from."""

RESTORING = "restoring.from"
"""The same while a restore is under way."""

PACKS_AT_ONCE = 4
"""Packs opened and written at once; each may hold some tens of MiB."""

LOAD_BYTES = 8 << 20
"""Bytes of bodies in one transaction: below MariaDB's max_allowed_packet of 16 MiB."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did."""

    manifest: Manifest
    changed: bool
    """False: this backup had been restored before."""


def verify(file: Path, identity: str | None) -> Manifest:
    """Reads all of a backup and compares every hash; raises ``BackupError``."""
    return _survey(file, identity).manifest


async def restore(store: Store, places: Places, file: Path, identity: str | None, *, apply: bool = True) -> Restored:
    """Verifies, then restores; with ``apply=False`` only says whether there is something to do."""
    survey = await asyncio.to_thread(_survey, file, identity)
    manifest = survey.manifest
    if await store.state.get(RESTORED) == manifest.id:
        return Restored(manifest, changed=False)
    begun = await store.state.get(RESTORING) == manifest.id
    if not begun and not await store.transfer.holds_nothing():
        raise BackupError("this server already holds mail or domains; a backup is restored onto an empty one only")
    if apply:
        await store.transfer.clear()
        await store.state.put(RESTORING, manifest.id)
        await _load(store, places, file, identity, survey)
        await store.state.put(RESTORED, manifest.id)
        await store.state.delete(RESTORING)
    return Restored(manifest, changed=True)


@dataclass(frozen=True, slots=True)
class _Survey:
    """A backup that was read: what it is, and which pack each body is taken from."""

    manifest: Manifest
    packs: dict[str, frozenset[bytes]]


def _survey(file: Path, identity: str | None) -> _Survey:
    seen: dict[str, str] = {}
    wanted: set[bytes] = set()
    held: dict[str, frozenset[bytes]] = {}
    manifest: Manifest | None = None
    for member in read(file, identity):
        if member.name == MANIFEST:
            manifest = _manifest(file, member.data)
            continue
        if _is_pack(member):
            held[member.name] = _ids(bodies(member.name, member.data, identity))
            continue
        if member.name.endswith((REFERENCES, INDEX)):
            continue
        seen[member.name] = sha256(member.data)
        if member.name.endswith("-blob") and member.name.startswith("tables/"):
            wanted |= _bodies_of(member.data)
    if manifest is None:
        raise BackupError("{file} has no manifest: it was not finished", file=file)
    wrong = sorted(
        name for name in seen.keys() | manifest.members.keys() if seen.get(name) != manifest.members.get(name)
    )
    if wrong:
        raise BackupError(f"{file}: {len(wrong)} members differ from the manifest, the first is {wrong[0]}")
    for name in manifest.packs:
        if name not in held:
            held[name] = _ids(bodies(name, _beside(file, name), identity))
    return _Survey(manifest, _shared_out(file, wanted, held))


def _is_pack(member: Member) -> bool:
    return member.name.startswith(f"{FOLDER}/") and member.name.endswith(PACK)


def _manifest(file: Path, data: bytes) -> Manifest:
    try:
        manifest = msgspec.json.decode(data, type=Manifest)
    except msgspec.DecodeError as error:
        raise BackupError(f"{file}: its manifest cannot be read: {error}") from error
    if manifest.format != FORMAT:
        raise BackupError(
            "{file} is of format {found}, this release reads {known}", file=file, found=manifest.format, known=FORMAT
        )
    return manifest


def _shared_out(file: Path, wanted: set[bytes], held: dict[str, frozenset[bytes]]) -> dict[str, frozenset[bytes]]:
    """Which bodies to take from which pack: a pack also holds removed ones, and a body may be in two."""
    shares = {}
    for name, ids in held.items():
        shares[name] = ids & wanted
        wanted -= ids
    if wanted:
        raise BackupError(f"{file}: {len(wanted)} bodies are in none of its packs, the first is {min(wanted).hex()}")
    return shares


def _ids(chunks: list[BodyChunk]) -> frozenset[bytes]:
    return frozenset(chunk.blob_id for chunk in chunks)


def _bodies_of(data: bytes) -> set[bytes]:
    part = decode(data)
    place = part.columns.index("id")
    return {bytes(row[place]) for row in part.rows}


def _beside(file: Path, name: str) -> bytes:
    """A pack of the folder that the backup lies in."""
    try:
        return (file.parent / name).read_bytes()
    except OSError as error:
        raise BackupError(f"{file.parent / name}: {error.strerror}; {file.name} needs it") from error


async def _load(store: Store, places: Places, file: Path, identity: str | None, survey: _Survey) -> None:
    try:
        async with asyncio.TaskGroup() as group:
            loading = _Loading(store, file, identity, survey.packs, group)
            members = read(file, identity)
            while (member := await asyncio.to_thread(next, members, None)) is not None:
                await _load_member(store, places, loading, member)
            for name in survey.manifest.packs:
                if name not in loading.begun:
                    await loading.begin(name)
    except BaseExceptionGroup as several:
        raise several.exceptions[0] from None


async def _load_member(store: Store, places: Places, loading: _Loading, member: Member) -> None:
    if _is_pack(member):
        await loading.begin(member.name, member.data)
    elif member.name.startswith("tables/"):
        await store.transfer.load(decode(member.data))
    elif member.name.startswith(PREFIX):
        target = places.target(member.name)
        if target is not None:
            put(target, member.data)


@dataclass(slots=True)
class _Loading:
    """Packs on their way into the store, several at once."""

    store: Store
    file: Path
    identity: str | None
    shares: dict[str, frozenset[bytes]]
    group: asyncio.TaskGroup
    begun: set[str] = field(default_factory=set)
    _room: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(PACKS_AT_ONCE))

    async def begin(self, name: str, data: bytes | None = None) -> None:
        """Starts on a pack as soon as there is room; without its bytes it is read from beside the file."""
        await self._room.acquire()
        self.begun.add(name)
        self.group.create_task(self._one(name, data))

    async def _one(self, name: str, data: bytes | None) -> None:
        try:
            for part in _by_bytes(await asyncio.to_thread(self._opened, name, data)):
                await self.store.transfer.load_bodies(part)
        finally:
            self._room.release()

    def _opened(self, name: str, data: bytes | None) -> list[BodyChunk]:
        chunks = bodies(name, _beside(self.file, name) if data is None else data, self.identity)
        return [chunk for chunk in chunks if chunk.blob_id in self.shares[name]]


def _by_bytes(chunks: list[BodyChunk]) -> Iterator[list[BodyChunk]]:
    part: list[BodyChunk] = []
    size = 0
    for chunk in chunks:
        if part and size + len(chunk.data) > LOAD_BYTES:
            yield part
            part, size = [], 0
        part.append(chunk)
        size += len(chunk.data)
    if part:
        yield part
