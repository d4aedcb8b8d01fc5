"""A picture of a host taken from outside its model: files by inode, time and hash, processes by pid and start.

It asks the file system and the operating system, never the model, so that a change which the model did not notice shows
all the same. What a mail server writes while it serves is left out by its path.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psutil

# Logs, mail and tables change while nobody deploys; the tables are compared by a dump of their own.
APART = ("Mailhost/logs", "Mailhost/data", "Mailhost/mysql/data")
BLOCK = 1 << 20  # bytes hashed at a time
CACHES = "__pycache__"  # what Python writes beside modules when it first imports them


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing on drive C: kind, inode, time of change, and its hash or target."""

    kind: str
    inode: int
    mtime_ns: int
    content: str


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Files by path and processes by command line."""

    files: Mapping[str, Entry]
    processes: Mapping[str, tuple[int, float]]


def take(folder: Path, process: int, apart: tuple[str, ...] = APART) -> Snapshot:
    """The drive of a lab's folder and the processes below the lab's own, those of WinRM sessions left out."""
    drive = folder / "c"
    left_out = {drive / name for name in apart}
    files = {str(path.relative_to(drive)): _entry(path) for path in _below(drive, left_out)}
    return Snapshot(files, dict(_processes(process)))


def differences(before: Snapshot, after: Snapshot) -> list[str]:
    """What is not as it was, one line each."""
    found = []
    for name in sorted({*before.files, *after.files}):
        old, new = before.files.get(name), after.files.get(name)
        if old is None or new is None:
            found.append(f"{name}: {'is new' if old is None else 'is gone'}")
        elif old != new:
            changed = [field for field in Entry.__slots__ if getattr(old, field) != getattr(new, field)]
            found.append(f"{name}: {', '.join(changed)}")
    running = {name: (before.processes.get(name), after.processes.get(name)) for name in before.processes}
    running |= {name: (None, after.processes[name]) for name in after.processes if name not in running}
    found += [f"process {name}: {old} -> {new}" for name, (old, new) in sorted(running.items()) if old != new]
    return found


def _below(folder: Path, left_out: set[Path]) -> Iterator[Path]:
    for entry in sorted(os.scandir(folder), key=lambda each: each.name):
        path = Path(entry.path)
        if path in left_out or entry.name == CACHES:
            continue
        yield path
        if entry.is_dir(follow_symlinks=False):
            yield from _below(path, left_out)


def _entry(path: Path) -> Entry:
    status = path.lstat()
    if path.is_symlink():
        return Entry("link", status.st_ino, status.st_mtime_ns, os.readlink(path))
    if path.is_dir():
        # A folder's time changes with what is in it, and what is in it is looked at itself.
        return Entry("folder", status.st_ino, 0, "")
    if not path.is_file():
        return Entry("socket", status.st_ino, 0, "")
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            digest.update(block)
    return Entry("file", status.st_ino, status.st_mtime_ns, digest.hexdigest())


def _processes(parent: int) -> Iterator[tuple[str, tuple[int, float]]]:
    for process in psutil.Process(parent).children():
        try:
            line = " ".join(process.cmdline())
            if process.status() != psutil.STATUS_ZOMBIE and "-EncodedCommand" not in line:
                yield line, (process.pid, process.create_time())
        except psutil.NoSuchProcess:
            continue
