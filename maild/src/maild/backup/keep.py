"""Copies of backups elsewhere, and which stay: the newest so many, and all that are young enough; packs as needed."""

from __future__ import annotations

import hashlib
import os
import shutil
import tarfile
import time
from pathlib import Path

from maild.backup.container import REFERENCES, SUFFIX, BackupError
from maild.backup.packs import collect, files_of
from maild.backup.taking import HOLD_SECONDS

DAY_SECONDS = 24 * 3600


def copy(file: Path, folder: Path) -> Path:
    """Copies a backup and the packs it needs to another place, each under its name only once it is whole."""
    try:
        for name in _references(file):
            for source, target in zip(files_of(file.parent, name), files_of(folder, name), strict=True):
                if target.exists() and target.stat().st_size == source.stat().st_size:
                    os.utime(target)
                else:
                    _copy(source, target)
        references = file.with_name(file.name + REFERENCES)
        if references.exists():
            _copy(references, folder / references.name)
        _copy(file, folder / file.name)
    except OSError as error:
        raise BackupError(f"{error.filename or folder}: {error.strerror}") from error
    return folder / file.name


def join(file: Path, target: Path) -> Path:
    """Writes one file of a backup and the packs it needs, as ``tar`` would; it needs no key and changes nothing."""
    unfinished = target.with_name(target.name + ".part")
    try:
        with tarfile.open(unfinished, "w") as archive:
            for name in _references(file):
                archive.add(file.parent / name, name)
            archive.add(file, file.name)
        unfinished.replace(target)
    except OSError as error:
        raise BackupError(f"{error.filename or target}: {error.strerror}") from error
    return target


def prune(folder: Path, *, count: int, days: int, now: float | None = None) -> list[Path]:
    """Removes backups beyond ``count`` that are older than ``days``, and packs that none needs; returns what went."""
    found = sorted(folder.glob(f"*{SUFFIX}"), key=lambda file: file.name, reverse=True)
    limit = (time.time() if now is None else now) - days * DAY_SECONDS
    gone = [file for file in found[count:] if file.stat().st_mtime < limit]
    for file in gone:
        file.unlink(missing_ok=True)
        file.with_name(file.name + REFERENCES).unlink(missing_ok=True)
    return gone + release(folder, now=now)


def release(folder: Path, *, now: float | None = None) -> list[Path]:
    """Removes packs that no backup needs, but none that one being made may rely on; returns them."""
    wanted = {name for file in folder.glob(f"*{REFERENCES}") for name in file.read_text(encoding="ascii").split()}
    return collect(folder, wanted, young=HOLD_SECONDS, now=now)


def _references(file: Path) -> list[str]:
    try:
        return file.with_name(file.name + REFERENCES).read_text(encoding="ascii").split()
    except FileNotFoundError:
        return []


def _copy(source: Path, target: Path) -> None:
    unfinished = target.with_name(target.name + ".part")
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copyfile(source, unfinished)
    if _hash(unfinished) != _hash(source):
        raise BackupError(f"{unfinished} differs from {source} after it was copied")
    unfinished.replace(target)


def _hash(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
