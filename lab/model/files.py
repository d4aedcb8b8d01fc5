"""Drive C: real files below the lab's root with recorded owners and access lists.

Refuses what Windows refuses: another spelling of slashes, a name in use by a process, a folder that is not empty, a
write without room. It does not keep an access list for what merely inherits; that is computed from the folders above.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from lab.model.access import AccessLists
from lab.model.errors import (
    ERROR_ALREADY_EXISTS,
    ERROR_DIR_NOT_EMPTY,
    HostError,
    disk_full,
    not_found,
    of_system,
    sharing_violation,
)
from lab.model.paths import MAX_DIRECTORY, Drive, invalid, parent, split
from lab.model.state import Journal, State

BLOCK = 1 << 20  # bytes read or written at a time
Holders = Callable[[Path], list[str]]
Room = Callable[[], int]


@contextmanager
def _windows_errors(path: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise of_system(error, path) from error


class Files:
    """The file tree. ``holders`` names the processes that hold a real path, ``room`` gives the bytes that are free."""

    def __init__(self, drive: Drive, state: State, journal: Journal, holders: Holders, room: Room) -> None:
        self.drive = drive
        self._journal = journal
        self._state = state
        self._holders = holders
        self._room = room
        self._lists = AccessLists(drive, state, journal)

    # --- reading -----------------------------------------------------------------------------------------------

    def stat(self, path: str) -> dict[str, Any] | None:
        """``{path, type: file|directory|junction, size, mtime, target}``, or None when nothing is there."""
        real = self.drive.real(path)
        if real.is_symlink():
            target = self.drive.windows(Path(os.path.normpath(real.parent / os.readlink(real))))
            if real.suffix.casefold() != ".exe" and (target is not None or real.is_dir()):
                return {"path": self.drive.stored(path), "type": "junction", "size": 0, "target": target}
        if not real.exists():
            return None
        status = real.stat()
        kind = "directory" if real.is_dir() else "file"
        size = status.st_size if kind == "file" else 0
        return {"path": self.drive.stored(path), "type": kind, "size": size, "mtime": status.st_mtime, "target": None}

    def names(self, path: str) -> list[str]:
        """The names in a folder."""
        real = self._existing(path)
        if not real.is_dir():
            raise invalid(path, "it is no folder")
        return sorted((child.name for child in real.iterdir()), key=str.casefold)

    def read(self, path: str, offset: int = 0, length: int | None = None) -> bytes:
        """The bytes of a file, or a part of them."""
        with _windows_errors(path), self._existing(path).open("rb") as file:
            file.seek(offset)
            return file.read() if length is None else file.read(length)

    def sha256(self, path: str) -> str:
        """The hash of a file's content, in lower-case hexadecimal."""
        return hash_of(self._existing(path))

    def holders(self, path: str) -> list[str]:
        """The processes that hold the file, or something below the folder, open."""
        return self._holders(self.drive.real(path))

    # --- changing ----------------------------------------------------------------------------------------------

    def create_directory(self, path: str) -> None:
        """Makes a folder and those above it; nothing happens when it is there."""
        names = split(path)
        if len(path) >= MAX_DIRECTORY and not path.startswith("\\\\?\\"):
            raise invalid(path, "it is too long for a folder")
        for end in range(1, len(names) + 1):
            part = "C:\\" + "\\".join(names[:end])
            real = self.drive.real(part)
            if real.is_dir():
                continue
            if real.exists():
                raise HostError("other", f"'{part}' is there already and is no folder.", part, ERROR_ALREADY_EXISTS)
            with _windows_errors(part):
                real.mkdir()
            self._journal.record("directory", part, "state", "absent", "present")

    def write(self, path: str, data: bytes) -> None:
        """Makes the file or gives it new content in place; its access list stays."""
        real = self._free_to_change(path)
        old = hash_of(real) if real.exists() else None
        self._make_room(path, len(data) - (real.stat().st_size if real.exists() else 0))
        with _windows_errors(path):
            real.write_bytes(data)
        self._journal.record("file", self.drive.stored(path), "sha256", old, hashlib.sha256(data).hexdigest())

    def append(self, path: str, data: bytes) -> None:
        """Adds to a file; only that it was made is journalled, because only what is under way is written like this."""
        real = self._parent_there(path)
        self._make_room(path, len(data))
        if not real.exists():
            self._journal.record("file", self.drive.stored(path), "sha256", None, hashlib.sha256().hexdigest())
        with _windows_errors(path), real.open("ab") as file:
            file.write(data)

    def replace(self, source: str, target: str, sha256: str = "") -> None:
        """File.Replace, or a move when the target is not there: the target keeps its access list.

        ``sha256``: the content's hash, when it is known already.
        """
        moved, real = self._existing(source), self._free_to_change(target)
        if real.is_dir():
            raise HostError("access-denied", f"'{target}' is a folder.", target)
        self._refuse_held(source)
        old = hash_of(real) if real.exists() else None
        stored, content = self.drive.stored(source), sha256 or hash_of(moved)
        with _windows_errors(target):
            os.replace(moved, real)
        self._lists.forget(source)
        self._journal.record("file", stored, "sha256", content, None)
        self._journal.record("file", self.drive.stored(target), "sha256", old, content)

    def move(self, source: str, target: str) -> None:
        """A rename within the drive: refused when the target is there or something below the source is held open."""
        moved, real = self._existing(source), self._parent_there(target)
        if (real.exists() or real.is_symlink()) and real != moved:
            raise HostError(
                "other", f"Cannot create '{target}' because it already exists.", target, ERROR_ALREADY_EXISTS
            )
        self._refuse_held(source)
        was = self.drive.stored(source)
        self._lists.move(source, target)
        with _windows_errors(target):
            os.rename(moved, real.parent / split(target)[-1])
        now = self.drive.stored(target)
        if self.drive.real(now).is_dir():
            self._journal.record("directory", was, "state", "present", "absent")
            self._journal.record("directory", now, "state", "absent", "present")
        else:
            content = hash_of(self.drive.real(now))
            self._journal.record("file", was, "sha256", content, None)
            self._journal.record("file", now, "sha256", None, content)

    def copy(self, source: str, target: str) -> None:
        """Copies a file; the copy inherits where it lies."""
        data = self._existing(source)
        real = self._free_to_change(target)
        old = hash_of(real) if real.exists() else None
        self._make_room(target, data.stat().st_size)
        with _windows_errors(target):
            shutil.copyfile(data, real)
        self._journal.record("file", self.drive.stored(target), "sha256", old, hash_of(real))

    def delete(self, path: str) -> None:
        """Removes a file or a junction (never what it points to)."""
        real = self._existing(path)
        if real.is_dir() and not real.is_symlink():
            raise HostError("access-denied", f"'{path}' is a folder.", path)
        self._refuse_held(path)
        stored = self.drive.stored(path)
        target = (self.stat(path) or {})["target"]
        content = None if target else hash_of(real)
        with _windows_errors(path):
            real.unlink()
        self._lists.forget(path)
        if target:
            self._journal.record("junction", stored, "target", target, None)
        else:
            self._journal.record("file", stored, "sha256", content, None)

    def delete_directory(self, path: str, recursive: bool = False) -> None:
        """Removes a folder, with its content only when asked to; a junction inside loses its name alone."""
        real = self._existing(path)
        if real.is_symlink():
            self.delete(path)
            return
        if not real.is_dir():
            raise invalid(path, "it is no folder")
        if any(real.iterdir()) and not recursive:
            raise HostError("other", f"The directory '{path}' is not empty.", path, ERROR_DIR_NOT_EMPTY)
        self._refuse_held(path)
        stored = self.drive.stored(path)
        with _windows_errors(path):
            shutil.rmtree(real)
        self._lists.forget(path)
        self._journal.record("directory", stored, "state", "present", "absent")

    def create_junction(self, path: str, target: str) -> None:
        """Makes a junction, or points one elsewhere."""
        real, aim = self._parent_there(path), self.drive.real(target)
        before = self.stat(path)
        if before is not None and before["type"] != "junction":
            raise HostError("other", f"'{path}' is there already and is no junction.", path, ERROR_ALREADY_EXISTS)
        with _windows_errors(path):
            if real.is_symlink():
                real.unlink()
            real.symlink_to(os.path.relpath(aim, real.parent), target_is_directory=True)
        old = before["target"] if before else None
        self._journal.record("junction", self.drive.stored(path), "target", old, self.drive.stored(target))

    # --- access ------------------------------------------------------------------------------------------------

    def sddl(self, path: str) -> str:
        """Owner and access list as SDDL, inherited entries included."""
        self._existing(path)
        return self._lists.effective(path).text()

    def set_sddl(self, path: str, sddl: str) -> None:
        """Sets the owner, the explicit entries and the protection that the SDDL names."""
        self._existing(path)
        self._lists.set(path, sddl)

    def owner(self, path: str) -> str:
        """The owner's SID."""
        return self._lists.effective(path).owner

    def allows(self, path: str, holder: list[str], mask: int) -> bool:
        """Whether a token with these SIDs has all rights of the mask on the path."""
        return self._lists.allows(path, holder, mask)

    # --- inside ------------------------------------------------------------------------------------------------

    def _existing(self, path: str) -> Path:
        real = self.drive.real(path)
        if not real.exists() and not real.is_symlink():
            raise not_found(path)
        return real

    def _parent_there(self, path: str) -> Path:
        above = self.drive.real(parent(path))
        if not above.is_dir():
            raise HostError("not-found", f"Could not find a part of the path '{path}'.", path, 3)
        return self.drive.real(path)

    def _free_to_change(self, path: str) -> Path:
        real = self._parent_there(path)
        if real.exists():
            self._refuse_held(path)
        return real

    def _refuse_held(self, path: str) -> None:
        holding = self._holders(self.drive.real(path))
        if holding:
            raise sharing_violation(path, holding[0])

    def _make_room(self, path: str, more: int) -> None:
        if more > self._room():
            raise disk_full(path)


def hash_of(real: Path) -> str:
    """SHA-256 of a real file."""
    digest = hashlib.sha256()
    with real.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()
