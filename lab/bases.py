"""Which ports a lab has: the host's port N is reached at the lab's base + N.

Labs that start in the same moment get different bases, and a stopped lab keeps its own, since the host deployed on it
listens above it; both are noted in a folder that all labs of this user share. Whether the ports still can be had when
the lab's process binds them is for that process to say.
"""

from __future__ import annotations

import fcntl
import os
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HTTP, HTTPS = 5985, 5986
USED = (0, 25, 80, 110, 143, 443, 465, 587, 993, 995, 3306, HTTP, HTTPS)
# Numbers that are easy to read come first; with the shifts there are enough for all the stopped labs of a day of tests.
# No two bases differ by as much as two of a host's ports do, so labs on different ones never want the same port, and
# all of it lies below the ephemeral ports of Linux (32768) and Windows (49152).
SHIFTS = (0, 20, 70, 90, 140, 160, 210, 230, 280, 330, 350, 400, 420)
BASES: tuple[int, ...] = tuple(
    base + shift for shift in SHIFTS for base in (*range(20_000, 27_000, 1_000), *range(10_000, 20_000, 1_000))
)


def claim(folder: Path, base: int = 0) -> int:
    """The base that the lab of this folder has from now on; OSError when there is none.

    folder: is made when it is not there, since only a lab that exists keeps its base.
    base: the one it has or wants; 0 for the first whose ports are all free and that no other lab keeps, or else the one
    that was claimed longest ago, unless ``MAILHOST_LAB_PORT_BASE`` decides. A base that was asked for is had even where
    another lab keeps it too.
    """
    folder.mkdir(parents=True, exist_ok=True)
    given = os.environ.get("MAILHOST_LAB_PORT_BASE", "")
    asked = base or (int(given) if given.isdigit() else 0)
    owner = str(folder.absolute())
    with _notes() as notes:
        if asked:
            note = notes / str(asked)
            # written anew either way: a base in use is none that was claimed long ago
            note.write_text(_other(note, owner) or owner, encoding="utf-8")
            return asked
        kept = {each: note.stat().st_mtime_ns for each in BASES if _other(note := notes / str(each), owner)}
        for each in sorted(BASES, key=lambda each: kept.get(each, 0)):
            if all(free(each + port) for port in USED):
                (notes / str(each)).write_text(owner, encoding="utf-8")
                return each
    raise OSError(f"no free ports for another lab above any of {len(BASES)} bases: stop one")


@contextmanager
def _notes() -> Iterator[Path]:
    """The folder of notes, one a base with the folder of its lab in it; nobody else reads or writes there meanwhile."""
    notes = Path(tempfile.gettempdir()) / f"mailhost-lab-bases-{os.getuid()}"
    notes.mkdir(mode=0o700, exist_ok=True)
    with (notes / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield notes


def _other(note: Path, owner: str) -> str:
    """The folder of another lab that has noted the base and still exists; nothing when there is none."""
    noted = note.read_text(encoding="utf-8") if note.exists() else ""
    return noted if noted and noted != owner and Path(noted).is_dir() else ""


def free(port: int) -> bool:
    """Whether a port of 127.0.0.1 can be had."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
