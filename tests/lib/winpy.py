"""A Windows CPython under Wine, from the script that ``MAILHOST_WINPY`` names; built once into the user's cache.

What Wine only pretends (dependencies, failure actions, accounts, ACLs) is not tested with it.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.lib.programs import ROOT, find_winpy_maker

VERSION = "3.13"
"""The Python of a release on Windows."""
TEST_PACKAGES = ("hypothesis", "pytest", "pytest-timeout", "colorama", "tzdata", "greenlet", "idna")
PATIENCE = 1200
"""Seconds for a run under Wine on a loaded machine; nothing is judged by it."""
SERVICE_PATIENCE = 180_000
"""Milliseconds Wine's service manager waits for a service to answer: its own ten seconds pass on a loaded machine."""


@dataclass(frozen=True)
class WindowsPython:
    """A built tree."""

    folder: Path

    def python(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """python.exe in UTF-8 mode, from the root of the checkout."""
        return self._run("-X", "utf8", *arguments)

    def program(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Any Windows program."""
        return self._run("--wine", *arguments)

    @staticmethod
    def path(path: Path) -> str:
        """A path of this machine as Windows programs see it."""
        return "Z:" + str(path).replace("/", "\\")

    @property
    def executable(self) -> str:
        """python.exe as Windows programs see it."""
        return self.path(self.folder / "py" / "python.exe")

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [str(self.folder / "winpy"), *arguments],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )


def windows_python() -> WindowsPython:
    """The tree with the daemon's packages; built when it is not there or the packages have changed."""
    maker = find_winpy_maker()
    if maker is None:
        raise RuntimeError("MAILHOST_WINPY names no script that builds a Windows Python")
    wanted = [line.split(";")[0] for line in (ROOT / "requirements" / "maild.in").read_text().splitlines() if line]
    packages = [*(package for package in wanted if not package.startswith("uvloop")), *TEST_PACKAGES]
    mark = hashlib.sha256(" ".join(packages).encode()).hexdigest()[:12]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "mailhost"
    cache.mkdir(parents=True, exist_ok=True)
    target = cache / f"winpy-{VERSION}-{mark}"
    with (cache / "winpy.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (target / "winpy").exists():
            environment = {**os.environ, "WINPY_PKGS": " ".join(packages)}
            subprocess.run([str(maker), str(target), VERSION], check=True, capture_output=True, env=environment)
            _wait_for_services(WindowsPython(target))
        _see_the_checkout(target)
    return WindowsPython(target)


def _see_the_checkout(target: Path) -> None:
    """The daemon's modules are found without an environment, as a service has none."""
    site_packages = next(path for path in (target / "py").rglob("*") if path.name.lower() == "site-packages")
    places: Sequence[Path] = (ROOT / "maild" / "src", ROOT)
    (site_packages / "maild.pth").write_text("".join(f"{WindowsPython.path(place)}\n" for place in places))


def _wait_for_services(python: WindowsPython) -> None:
    """Sets the manager's patience; it reads that when it starts, so Wine is ended and starts with the next call."""
    key = "HKLM\\System\\CurrentControlSet\\Control"
    set_value = ("/v", "ServicesPipeTimeout", "/t", "REG_DWORD", "/d", str(SERVICE_PATIENCE), "/f")
    python.program("reg", "add", key, *set_value)
    prefix = {**os.environ, "WINEPREFIX": str(python.folder / "prefix")}
    subprocess.run(["wineserver", "-k"], check=True, env=prefix)
    subprocess.run(["wineserver", "-w"], check=True, env=prefix)
