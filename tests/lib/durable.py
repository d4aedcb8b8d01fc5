"""What would be on the disk after a power cut: files rebuilt from recorded writes up to the syncs that had ended.

``recorder`` builds the library to preload; ``Disk`` replays its records onto a copy of the files: a write counts once a
sync of its file that began after it has ended. Names of messages answered 250 stand between the records as marks.
"""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

SOURCE = Path(__file__).with_name("record_writes.c")
HEAD = struct.Struct("<2scHHQQQ")
MARK = b"M"


def recorder(folder: Path) -> Path:
    """The library, built into a folder."""
    library = folder / "record_writes.so"
    subprocess.run(["gcc", "-O2", "-shared", "-fPIC", "-o", library, SOURCE, "-ldl"], check=True)
    return library


def environment(library: Path, root: Path, trace: Path) -> dict[str, str]:
    """What makes a process record."""
    return {"LD_PRELOAD": str(library), "RECORD_ROOT": str(root), "RECORD_FILE": str(trace)}


class Marks:
    """Appends marks to the records, each with one write as the library does."""

    def __init__(self, trace: Path) -> None:
        self._file = os.open(trace, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)

    def put(self, name: str) -> None:
        """This message has just been answered 250."""
        encoded = name.encode()
        os.write(self._file, HEAD.pack(b"rw", MARK, len(encoded), 0, 0, 0, 0) + encoded)

    def close(self) -> None:
        os.close(self._file)


@dataclass(frozen=True)
class Record:
    kind: bytes
    path: str
    second: str
    number: int
    offset: int
    data: bytes


def records(trace: Path) -> Iterator[Record]:
    """The records in their order; the last one may be cut off."""
    with trace.open("rb") as stream:
        while len(head := stream.read(HEAD.size)) == HEAD.size:
            magic, kind, path, second, number, offset, size = HEAD.unpack(head)
            assert magic == b"rw", f"records are mixed up at {stream.tell()}"
            names = stream.read(path + second)
            data = stream.read(size)
            if len(data) < size:
                return
            yield Record(kind, names[:path].decode(), names[path:].decode(), number, offset, data)


@dataclass
class Disk:
    """A copy of the files that holds only what was synced."""

    root: Path
    """Where the files were when they were recorded."""
    copy: Path
    _pending: dict[str, list[Record]] = field(default_factory=dict)
    _begun: dict[int, tuple[str, int]] = field(default_factory=dict)
    syncs: int = 0

    def apply(self, record: Record) -> None:
        """Takes the next record."""
        match record.kind:
            case b"W" | b"T" | b"X" | b"Z":
                self._pending.setdefault(record.path, []).append(record)
            case b"B":
                self._begun[record.number] = (record.path, len(self._pending.get(record.path, [])))
            case b"E":
                self._sync(record)
            case b"R":
                self._rename(record)
            case b"U":
                self._pending.pop(record.path, None)
                self._place(record.path).unlink(missing_ok=True)

    def snapshot(self, target: Path) -> None:
        """A copy to start a server on."""
        shutil.copytree(self.copy, target)

    def _sync(self, record: Record) -> None:
        _, count = self._begun.pop(record.number, (record.path, 0))
        pending = self._pending.get(record.path, [])
        # Two syncs of one file may overlap: the one that ended first has taken these writes already.
        done, self._pending[record.path] = pending[:count], pending[count:]
        for number, (path, begun) in list(self._begun.items()):
            if path == record.path:
                self._begun[number] = (path, max(begun - len(done), 0))
        self.syncs += 1
        if not done:
            return
        place = self._place(record.path)
        place.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(place, os.O_RDWR | os.O_CREAT, 0o660)
        try:
            for write in done:
                if write.kind == b"W":
                    os.pwrite(handle, write.data, write.offset)
                elif write.kind == b"Z":
                    end = min(write.offset + write.number, os.fstat(handle).st_size)
                    os.pwrite(handle, bytes(max(end - write.offset, 0)), write.offset)
                elif write.kind == b"T" or os.fstat(handle).st_size < write.offset:
                    os.ftruncate(handle, write.offset)
        finally:
            os.close(handle)

    def _rename(self, record: Record) -> None:
        moved = self._pending.pop(record.path, None)
        if moved is not None:
            self._pending[record.second] = moved
        place = self._place(record.path)
        if place.exists():
            self._place(record.second).parent.mkdir(parents=True, exist_ok=True)
            place.replace(self._place(record.second))

    def _place(self, path: str) -> Path:
        return self.copy / Path(path).relative_to(self.root)
