"""The host's processes: real ones, started from Windows command lines, known by pid, image and what they hold open.

A path on drive C in an argument becomes the real one; a program that the lab stands in for is started as its stand-in
(``lab.model.standins``). What a process holds open is asked of the operating system, never remembered.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

import psutil

from lab.model import commandline
from lab.model.errors import HostError, not_found
from lab.model.paths import Drive

KILL_AFTER = 20.0  # seconds a process gets to end by itself; the SCM's own wait is of this order


@dataclass(frozen=True, slots=True)
class Launch:
    """What really starts: arguments, environment and folder, and the Windows image it stands for."""

    image: str
    arguments: tuple[str, ...]
    environment: Mapping[str, str]
    folder: Path
    also_holds: tuple[Path, ...] = ()


@dataclass(slots=True)
class Running:
    """A process of the host that is under way."""

    launch: Launch
    process: subprocess.Popen[bytes]
    started: float
    owner: str
    holds: tuple[Path, ...] = field(default=())

    @property
    def service(self) -> str:
        """The service it is the process of, or nothing."""
        return self.owner.removeprefix("service ") if self.owner.startswith("service ") else ""

    @property
    def pid(self) -> int:
        """The process id."""
        return self.process.pid


Standin = Callable[[list[str]], tuple[list[str], dict[str, str]] | None]


class Processes:
    """Starts, finds and ends the processes of one lab."""

    def __init__(self, root: Path, drive: Drive, environment: Callable[[], dict[str, str]], standin: Standin) -> None:
        self._root = root
        self._drive = drive
        self._environment = environment
        self._standin = standin
        self._lock = threading.Lock()
        self._running: dict[int, Running] = {}

    def launch(self, line: str, environment: Mapping[str, str] | None = None, folder: str | None = None) -> Launch:
        """How a Windows command line starts here; raises ``not-found`` when its image is not there."""
        windows = commandline.split(line)
        if not windows:
            raise HostError("other", "The command line is empty.", line)
        standin = self._standin(windows)
        more: Mapping[str, str] = {}
        image = windows[0]
        if standin is None:
            real = Path(self._drive.translate(image))
            if not real.is_file():
                raise not_found(image)
            arguments = [str(real), *(self._drive.translate(text) for text in windows[1:])]
        else:
            arguments, more = standin
        where = Path(self._drive.translate(folder)) if folder else self._root
        holds = tuple(path for path in (Path(self._drive.translate(image)),) if path.is_file())
        env = {**self._environment(), **(environment or {}), **more}
        return Launch(image, tuple(arguments), env, where, holds)

    def start(self, launch: Launch, owner: str, output: IO[bytes] | int = subprocess.DEVNULL) -> Running:
        """Starts it in a session of its own, without standard input."""
        try:
            process = subprocess.Popen(
                launch.arguments,
                env=dict(launch.environment),
                cwd=launch.folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            raise HostError("other", f"'{launch.image}' does not start: {error.strerror}", launch.image, 193) from error
        running = Running(launch, process, time.time(), owner, launch.also_holds)
        with self._lock:
            self._running[process.pid] = running
        return running

    def run(
        self,
        line: str,
        environment: Mapping[str, str] | None = None,
        folder: str | None = None,
        stdin: bytes = b"",
        timeout: float | None = None,
    ) -> dict[str, Any]:
        """Runs to the end: ``{rc, out, err}`` with the bytes that the program wrote."""
        launch = self.launch(line, environment, folder)
        with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            given.write(stdin)
            given.seek(0)
            process = subprocess.Popen(
                launch.arguments, env=dict(launch.environment), cwd=launch.folder,
                stdin=given, stdout=out, stderr=err, start_new_session=True,
            )  # fmt: skip
            with self._lock:
                self._running[process.pid] = Running(launch, process, time.time(), launch.image, launch.also_holds)
            try:
                rc = process.wait(timeout)
            except subprocess.TimeoutExpired:
                end(process, 0)
                raise HostError("other", f"'{launch.image}' did not end within {timeout} s.", launch.image) from None
            finally:
                self.forget(process.pid)
            out.seek(0)
            err.seek(0)
            return {"rc": rc & 0xFFFFFFFF, "out": out.read(), "err": err.read()}

    def start_helper(self, image: str, arguments: list[str]) -> int:
        """Starts a small Python program as a foreign process of the host; returns its pid."""
        launch = Launch(image, (sys.executable, "-I", "-c", *arguments), self._environment(), self._root)
        return self.start(launch, "foreign").pid

    def forget(self, pid: int) -> None:
        """Drops a process that has ended."""
        with self._lock:
            self._running.pop(pid, None)

    def all(self) -> list[Running]:
        """The processes that run now."""
        with self._lock:
            return [running for running in self._running.values() if running.process.poll() is None]

    def adopt(self, running: Running) -> None:
        """Takes up a process that was started elsewhere, so that what it holds is held."""
        with self._lock:
            self._running[running.pid] = running

    def end_all(self) -> None:
        """Ends whatever still runs."""
        for running in self.all():
            end(running.process, patience=1.0)
            self.forget(running.pid)

    def holders(self, real: Path) -> list[str]:
        """``image (pid)`` of each process that holds the path, or something below it, open."""
        return [
            f"{running.launch.image} ({running.pid})"
            for running in self.all()
            if any(held == real or real in held.parents for held in held_by(running))
        ]


def held_by(running: Running) -> set[Path]:
    """The real paths a process and its children hold: images, open files, mapped libraries."""
    held = set(running.holds)
    try:
        tree = [psutil.Process(running.pid)]
        tree += tree[0].children(recursive=True)
    except psutil.Error:
        return held
    for process in tree:
        try:
            held |= {Path(opened.path) for opened in process.open_files()}
            # macOS tells nobody what a process has mapped; its open files are what counts there.
            maps = process.memory_maps() if hasattr(process, "memory_maps") else []
            held |= {Path(mapped.path) for mapped in maps if mapped.path.startswith("/")}
        except (psutil.Error, OSError):
            continue
    return held


def end(process: subprocess.Popen[bytes], patience: float = KILL_AFTER, ask: int = signal.SIGTERM) -> int:
    """Ends a process and the group it leads: asks first, kills after the patience. Returns its exit code."""
    for number, wait in ((ask, patience), (signal.SIGKILL, KILL_AFTER)):
        if wait and process.poll() is None:
            try:
                os.killpg(process.pid, number)
            except ProcessLookupError:
                break
            try:
                return process.wait(wait)
            except subprocess.TimeoutExpired:
                continue
    return process.wait()
