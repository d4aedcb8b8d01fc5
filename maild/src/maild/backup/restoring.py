"""Brings a backup onto an empty server; the same backup again is no change, another one is refused.

The file is read twice: once to see that all of it is there and as it was written, once to restore. A restore that was
interrupted begins anew. UIDs, UIDVALIDITY and every id stay what they were.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from maild.backup.container import FORMAT, MANIFEST, BackupError, Manifest, Member, read, sha256
from maild.backup.places import PREFIX, Places, put
from maild.backup.taking import decode
from maild.store import BodyChunk, Store

RESTORED = "restored.from"
"""Name in ``meta``: the id of the backup this database came from."""

RESTORING = "restoring.from"
"""The same while a restore is under way."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore did."""

    manifest: Manifest
    changed: bool
    """False: this backup had been restored before."""


def verify(file: Path, identity: str | None) -> Manifest:
    """Reads all of a backup and compares every hash; raises ``BackupError``."""
    seen: dict[str, str] = {}
    manifest: Manifest | None = None
    for member in read(file, identity):
        if member.name == MANIFEST:
            try:
                manifest = msgspec.json.decode(member.data, type=Manifest)
            except msgspec.DecodeError as error:
                raise BackupError(f"{file}: its manifest cannot be read: {error}") from error
        else:
            seen[member.name] = sha256(member.data)
    if manifest is None:
        raise BackupError(f"{file} has no manifest: it was not finished")
    if manifest.format != FORMAT:
        raise BackupError(f"{file} is of format {manifest.format}, this release reads {FORMAT}")
    wrong = sorted(
        name for name in seen.keys() | manifest.members.keys() if seen.get(name) != manifest.members.get(name)
    )
    if wrong:
        raise BackupError(f"{file}: {len(wrong)} members differ from the manifest, the first is {wrong[0]}")
    return manifest


async def restore(store: Store, places: Places, file: Path, identity: str | None, *, apply: bool = True) -> Restored:
    """Verifies, then restores; with ``apply=False`` only says whether there is something to do."""
    manifest = verify(file, identity)
    if await store.state.get(RESTORED) == manifest.id:
        return Restored(manifest, changed=False)
    begun = await store.state.get(RESTORING) == manifest.id
    if not begun and not await store.transfer.holds_nothing():
        raise BackupError("this server already holds mail or domains; a backup is restored onto an empty one only")
    if apply:
        await store.transfer.clear()
        await store.state.put(RESTORING, manifest.id)
        await _load(store, places, read(file, identity))
        await store.state.put(RESTORED, manifest.id)
        await store.state.delete(RESTORING)
    return Restored(manifest, changed=True)


async def _load(store: Store, places: Places, members: Iterator[Member]) -> None:
    for member in members:
        if member.name.startswith("bodies/"):
            await store.transfer.load_bodies(msgspec.msgpack.decode(member.data, type=list[BodyChunk]))
        elif member.name.startswith("tables/"):
            await store.transfer.load(decode(member.data))
        elif member.name.startswith(PREFIX):
            target = places.target(member.name)
            if target is not None:
                put(target, member.data)
