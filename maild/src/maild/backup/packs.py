"""Packs of bodies: written once, named by their newest body and their own hash, shared by the backups of a folder.

Beside each lies, in clear, which bodies it holds: the server cannot open what it has encrypted, and the next backup
writes only what is in no pack yet. A backup that was cut off leaves whole packs, which the next one takes over. Packs
for another key, or for none, are a pool of their own.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from maild.backup.container import BackupError, decrypted, encrypted, sha256
from maild.backup.places import put
from maild.store import BodyChunk

PACK_BYTES = 16 << 20
"""A pack is closed when it has so many; a body is never in two."""

FOLDER = "packs"
PACK, INDEX = ".pack", ".ids"
"""A pack, and what is noted of it."""
NAME = re.compile(r"packs/(open|[0-9a-f]{12})/[0-9a-f]{12}-[0-9a-f]{64}\.pack")
_ID = 16
_DIGEST = 32


class _Index(msgspec.Struct, frozen=True):
    size: int
    ids: bytes


@dataclass(frozen=True, slots=True)
class Pack:
    """One pack; ``name`` is how manifests name it, ``size`` its bytes, ``ids`` its bodies."""

    name: str
    size: int
    ids: frozenset[bytes]


class Pool:
    """The packs of a folder that are encrypted to one recipient, or the open ones."""

    def __init__(self, folder: Path, recipient: str | None) -> None:
        self._folder = folder
        self._recipient = recipient
        self._name = f"{FOLDER}/{sha256(recipient.encode())[:12] if recipient else 'open'}"

    @property
    def place(self) -> Path:
        """The folder of its files."""
        return self._folder / self._name

    def put(self, chunks: Sequence[BodyChunk]) -> Pack:
        """Writes a pack; it has its name only once it is whole, and what it holds is noted before."""
        data = encrypted(msgspec.msgpack.encode(chunks), self._recipient)
        ids = frozenset(chunk.blob_id for chunk in chunks)
        # The first six bytes of an id are its time.
        pack = Pack(f"{self._name}/{max(ids)[:6].hex()}-{sha256(data)}{PACK}", len(data), ids)
        file = self._folder / pack.name
        put(_index_of(file), _noted(pack))
        put(file, data)
        return pack

    def packs(self) -> Iterator[Pack]:
        """Those that are whole by what is noted of them, newest first."""
        for file in sorted(self.place.glob(f"*{PACK}"), reverse=True):
            pack = _read_index(f"{self._name}/{file.name}", file)
            if pack is not None:
                yield pack

    def keep(self, pack: Pack) -> None:
        """Makes a pack young again: a backup that is being made relies on it."""
        os.utime(self._folder / pack.name)

    def is_sound(self, pack: Pack) -> bool:
        """Whether the file still has its hash; no key is needed to see that."""
        with (self._folder / pack.name).open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest() == _hash_of(pack.name)

    def remove(self, pack: Pack) -> None:
        """Takes a pack away that is damaged."""
        for file in (self._folder / pack.name, _index_of(self._folder / pack.name)):
            file.unlink(missing_ok=True)


def bodies(name: str, data: bytes, identity: str | None) -> list[BodyChunk]:
    """What is in a pack; raises ``BackupError`` when it is not what was written."""
    if not NAME.fullmatch(name) or sha256(data) != _hash_of(name):
        raise BackupError("{file} is damaged: its hash is not the one it was written with", file=name)
    try:
        return msgspec.msgpack.decode(decrypted(name, data, identity), type=list[BodyChunk])
    except msgspec.DecodeError as error:
        raise BackupError(f"{name}: {error}") from error


def files_of(folder: Path, name: str) -> tuple[Path, Path]:
    """A pack and what is noted of it."""
    return folder / name, _index_of(folder / name)


def collect(folder: Path, wanted: set[str], *, young: float, now: float | None = None) -> list[Path]:
    """Removes packs that no backup refers to and that are older than ``young`` seconds; returns them."""
    limit = (time.time() if now is None else now) - young
    gone = []
    for file in folder.glob(f"{FOLDER}/*/*"):
        pack = file.with_suffix(PACK)
        if pack.relative_to(folder).as_posix() not in wanted and file.stat().st_mtime < limit:
            file.unlink(missing_ok=True)
            gone.append(file)
    return [file for file in gone if file.suffix == PACK]


def _hash_of(name: str) -> str:
    return name.rpartition("-")[2].removesuffix(PACK)


def _index_of(file: Path) -> Path:
    return file.with_suffix(INDEX)


def _noted(pack: Pack) -> bytes:
    data = msgspec.msgpack.encode(_Index(pack.size, b"".join(sorted(pack.ids))))
    return data + _digest(pack.name, data)


def _read_index(name: str, file: Path) -> Pack | None:
    """None when what is noted is damaged or not of this file; its bodies are then packed again."""
    try:
        noted = _index_of(file).read_bytes()
        size = file.stat().st_size
    except OSError:
        return None
    data, digest = noted[:-_DIGEST], noted[-_DIGEST:]
    if _digest(name, data) != digest:
        return None
    index = msgspec.msgpack.decode(data, type=_Index)
    ids = frozenset(index.ids[start : start + _ID] for start in range(0, len(index.ids), _ID))
    return Pack(name, size, ids) if index.size == size else None


def _digest(name: str, data: bytes) -> bytes:
    return hashlib.sha256(name.encode() + data).digest()
