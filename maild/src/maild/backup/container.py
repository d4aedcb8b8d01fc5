"""The file of a backup: a tar stream inside age encryption, written and read in one pass without touching the disk.

Anyone with the key can look into it with ``age -d FILE | tar t``; without a recipient it is the bare tar, for a folder
that only administrators read. Members are small (some MiB), and packs are encrypted once more, as they lie in the
folder; the last member is the manifest with the SHA-256 of every other, so a file that was cut off or changed is
noticed before anything is restored. A bare tar of such a file and its packs is read as one, too.
"""

from __future__ import annotations

import asyncio
import hashlib
import io
import os
import tarfile
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import msgspec
import pyrage

from maild.locale import Translator

FORMAT = 2
SUFFIX = ".maild.age"
OPEN_SUFFIX = ".maild.tar"
"""Of one that is not encrypted."""
REFERENCES = ".packs"
"""Added to a backup's name: the packs beside it that it needs, in clear, so that no other is kept."""
MANIFEST = "manifest.json"
_BLOCK = tarfile.BLOCKSIZE
_AGE = b"age-encryption.org/"
"""What an encrypted file begins with."""
_COPY = 1 << 20


class BackupError(Exception):
    """A backup cannot be made, read or restored; the message says what and what to do.

    ``text`` is one of the catalogue's where there is something to translate, its ``{name}`` taken from ``values``.
    """

    def __init__(self, text: str, /, **values: object) -> None:
        self.text = text
        self.values = values
        super().__init__(text.format_map(values) if values else text)

    def said(self, say: Translator) -> str:
        """The message as a translator says it."""
        return say(self.text, **self.values)


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup is and holds."""

    format: int = FORMAT
    id: str
    created_at: int
    release: str
    engine: str
    schema: str
    messages: int = 0
    members: dict[str, str] = {}
    """SHA-256 by name, of all but the packs."""
    packs: tuple[str, ...] = ()
    """What holds the bodies, in this file or beside it; the names have the hashes."""


@dataclass(frozen=True, slots=True)
class Member:
    """One piece of the file."""

    name: str
    data: bytes


def packed(member: Member) -> bytes:
    """The member as it lies in a tar."""
    info = tarfile.TarInfo(member.name)
    info.size = len(member.data)
    info.mode = 0o600
    padding = -len(member.data) % _BLOCK
    return info.tobuf(tarfile.PAX_FORMAT) + member.data + bytes(padding)


async def write(target: Path, recipient: str | None, members: AsyncIterator[Member]) -> None:
    """Writes the file, encrypted when there is a recipient; it has its name only once all of it is on the disk."""
    keys = _recipients(recipient)
    unfinished = target.with_name(target.name + ".part")
    source = _Pulled(_tar(members), asyncio.get_running_loop())
    try:
        await asyncio.to_thread(_put, source, unfinished, keys)
        unfinished.replace(target)
    except (OSError, pyrage.EncryptError) as error:
        # What remains of a run that failed is of no use and may be large.
        unfinished.unlink(missing_ok=True)
        if source.failure is not None:
            raise source.failure from None
        raise BackupError(f"{unfinished}: {error}") from error


def is_encrypted(source: Path) -> bool:
    """Whether a backup needs a key to be read; raises ``BackupError`` when it cannot be opened."""
    try:
        with source.open("rb") as stream:
            return stream.read(len(_AGE)) == _AGE
    except OSError as error:
        raise BackupError(f"{source}: {error.strerror}") from error


def read(source: Path, identity: str | None) -> Iterator[Member]:
    """The members of a file, one after the other; ``identity`` is the text of the age key file that opens it."""
    with _opened(source, identity) as stream:
        for member in _members(stream):
            if member.name.endswith(SUFFIX):
                yield from _members(io.BytesIO(decrypted(member.name, member.data, identity)))
            else:
                yield member


def encrypted(data: bytes, recipient: str | None) -> bytes:
    """The bytes for this recipient's key alone; without one they stay as they are."""
    keys = _recipients(recipient)
    return bytes(pyrage.encrypt(data, keys)) if keys else data


def decrypted(name: str, data: bytes, identity: str | None) -> bytes:
    """What ``encrypted`` was given; raises ``BackupError``, which says ``name``, when the key does not open it."""
    if not data.startswith(_AGE):
        return data
    if identity is None:
        raise BackupError("{file} is encrypted: name the age key file that opens it", file=name)
    try:
        return bytes(pyrage.decrypt(data, _identities(identity)))
    except pyrage.DecryptError as error:
        raise _not_opened(name, error) from error


def sha256(data: bytes) -> str:
    """The hash that the manifest has."""
    return hashlib.sha256(data).hexdigest()


def _members(stream: IO[bytes]) -> Iterator[Member]:
    with tarfile.open(fileobj=stream, mode="r|") as archive:
        for info in archive:
            content = archive.extractfile(info)
            if content is not None:
                yield Member(info.name.removeprefix("./"), content.read())


async def _tar(members: AsyncIterator[Member]) -> AsyncIterator[bytes]:
    async for member in members:
        yield packed(member)
    yield bytes(2 * _BLOCK)


class _Pulled:
    """A file to read from, whose bytes an async iterator makes on its loop; read from another thread."""

    def __init__(self, blocks: AsyncIterator[bytes], loop: asyncio.AbstractEventLoop) -> None:
        self._blocks = blocks
        self._loop = loop
        self._rest = b""
        self.failure: Exception | None = None

    def read(self, size: int) -> bytes:
        """At most so many bytes; none at the end."""
        while not self._rest:
            try:
                block = asyncio.run_coroutine_threadsafe(_next(self._blocks), self._loop).result()
            except Exception as error:
                self.failure = error
                raise OSError("the backup could not be read from the store") from error
            if block is None:
                return b""
            self._rest = block
        piece, self._rest = self._rest[:size], self._rest[size:]
        return piece


async def _next(blocks: AsyncIterator[bytes]) -> bytes | None:
    return await anext(blocks, None)


def _put(source: _Pulled, target: Path, keys: list[Any]) -> None:
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "wb") as stream:
        if keys:
            pyrage.encrypt_io(source, stream, keys)
        else:
            while piece := source.read(_COPY):
                stream.write(piece)
        stream.flush()
        os.fsync(stream.fileno())


@contextmanager
def _opened(source: Path, identity: str | None) -> Iterator[IO[bytes]]:
    if is_encrypted(source):
        if identity is None:
            raise BackupError("{file} is encrypted: name the age key file that opens it", file=source)
        with _decrypted(source, identity) as stream:
            yield stream
        return
    try:
        with source.open("rb") as stream:
            yield stream
    except (tarfile.TarError, EOFError) as error:
        raise BackupError(f"{source}: {error}") from error


@contextmanager
def _decrypted(source: Path, identity: str) -> Iterator[io.BufferedReader]:
    keys = _identities(identity)
    reading, writing = os.pipe()
    failures: list[BaseException] = []
    thread = threading.Thread(target=_decrypt, args=(source, keys, writing, failures), daemon=True)
    thread.start()
    try:
        with os.fdopen(reading, "rb") as stream:
            try:
                yield stream
            except (tarfile.TarError, EOFError) as error:
                thread.join()
                raise _not_opened(source, failures[0] if failures else error) from error
            # What follows the tar is read too, so that the encryption's own end is checked.
            while stream.read(_BLOCK * 128):
                pass
    finally:
        thread.join()
    if failures:
        raise _not_opened(source, failures[0])


def _not_opened(source: object, error: BaseException) -> BackupError:
    """Why an encrypted file cannot be read; age's own words for a key of somebody else's say too little."""
    if "No matching keys" in str(error):
        return BackupError("{file} is encrypted to another key: name the one it was made for", file=source)
    return BackupError(f"{source}: {error}")


def _decrypt(source: Path, keys: list[Any], writing: int, failures: list[BaseException]) -> None:
    with os.fdopen(writing, "wb") as target:
        try:
            with source.open("rb") as encrypted:
                pyrage.decrypt_io(encrypted, target, keys)
        except BrokenPipeError:
            return
        except (OSError, pyrage.DecryptError) as error:
            failures.append(error)


def _recipients(recipient: str | None) -> list[Any]:
    try:
        return [pyrage.x25519.Recipient.from_str(recipient)] if recipient else []
    except pyrage.RecipientError as error:
        raise BackupError("the recipient is no age public key (age1...): {problem}", problem=error) from error


def _identities(text: str) -> list[Any]:
    lines = [line.strip() for line in text.splitlines()]
    try:
        keys = [pyrage.x25519.Identity.from_str(line) for line in lines if line and not line.startswith("#")]
    except pyrage.IdentityError as error:
        raise BackupError("the identity is no age key (AGE-SECRET-KEY-1...): {problem}", problem=error) from error
    if not keys:
        raise BackupError("the identity holds no age key (AGE-SECRET-KEY-1...)")
    return keys
