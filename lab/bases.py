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

# Below the ephemeral ports of Linux (32768) and Windows (49152). No two of a host's ports differ by a multiple of 1000,
# so labs on different bases never want the same port.
BASES: tuple[int, ...] = (*range(20_000, 27_000, 1_000), *range(10_000, 20_000, 1_000))
HTTP, HTTPS = 5985, 5986
USED = (0, 25, 80, 110, 143, 443, 465, 587, 993, 995, 3306, HTTP, HTTPS)


def claim(folder: Path, base: int = 0) -> int:
    """The base that the lab of this folder has from now on; OSError when there is none.

    folder: is made when it is not there, since only a lab that exists keeps its base.
    base: the one it has or wants; 0 for the first whose ports are all free and that no other lab keeps, unless
    ``MAILHOST_LAB_PORT_BASE`` decides. A base that was asked for is had even where another lab keeps it too.
    """
    folder.mkdir(parents=True, exist_ok=True)
    given = os.environ.get("MAILHOST_LAB_PORT_BASE", "")
    asked = base or (int(given) if given.isdigit() else 0)
    with _notes() as notes:
        if asked:
            _keep(notes / str(asked), folder.absolute())
            return asked
        bindable = [base for base in BASES if all(free(base + port) for port in USED)]
        kept = next((base for base in bindable if _keep(notes / str(base), folder.absolute())), None)
    if kept is None and not bindable:
        raise OSError(f"no free ports for another lab above any of {len(BASES)} bases: stop one")
    return bindable[0] if kept is None else kept


@contextmanager
def _notes() -> Iterator[Path]:
    """The folder of notes, one a base with the folder of its lab in it; nobody else reads or writes there meanwhile."""
    notes = Path(tempfile.gettempdir()) / f"mailhost-lab-bases-{os.getuid()}"
    notes.mkdir(mode=0o700, exist_ok=True)
    with (notes / "lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield notes


def _keep(note: Path, folder: Path) -> bool:
    """Notes that this lab has the base; False when another lab that still exists has it."""
    owner = Path(note.read_text(encoding="utf-8")) if note.exists() else folder
    if owner != folder and owner.is_dir():
        return False
    note.write_text(str(folder), encoding="utf-8")
    return True


def free(port: int) -> bool:
    """Whether a port of 127.0.0.1 can be had."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
