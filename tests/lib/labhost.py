"""A host of the lab's model in a test's own folder, bare, with nothing listening in front of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab import hosts
from lab.model.host import Host


@contextmanager
def bare_host(folder: Path) -> Iterator[Host]:
    """A bare server that has been started; everything on it ends with the test."""
    folder.mkdir(parents=True, exist_ok=True)
    host = Host(folder)
    hosts.prepare(host, "bare")
    host.boot()
    try:
        yield host
    finally:
        host.close()


def sleeper(host: Host, folder: str = "C:\\App") -> str:
    """A command line of an interpreter on the host that stays until it is ended."""
    host.programs.make_interpreter(folder)
    return f'"{folder}\\python.exe" -c "import time; time.sleep(600)"'
