"""Copies of backups elsewhere, and which stay: the newest so many, and all that are young enough."""

from __future__ import annotations

import hashlib
import shutil
import time
from pathlib import Path

from maild.backup.container import BackupError
from maild.backup.taking import SUFFIX

DAY_SECONDS = 24 * 3600


def copy(file: Path, folder: Path) -> Path:
    """Copies a backup to another place, where it has its name only once it is whole."""
    target = folder / file.name
    unfinished = target.with_name(target.name + ".part")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(file, unfinished)
        if _hash(unfinished) != _hash(file):
            raise BackupError(f"{unfinished} differs from {file} after it was copied")
        unfinished.replace(target)
    except OSError as error:
        raise BackupError(f"{target}: {error.strerror}") from error
    return target


def _hash(file: Path) -> str:
    with file.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def prune(folder: Path, *, count: int, days: int, now: float | None = None) -> list[Path]:
    """Removes backups beyond ``count`` that are older than ``days``; returns what went."""
    found = sorted(folder.glob(f"*{SUFFIX}"), key=lambda file: file.name, reverse=True)
    limit = (time.time() if now is None else now) - days * DAY_SECONDS
    gone = [file for file in found[count:] if file.stat().st_mtime < limit]
    for file in gone:
        file.unlink(missing_ok=True)
    return gone
