"""Starting and stopping labs from outside: the background process, its readiness, its end; copies of stopped ones.

For the command line and for tests alike. Everything here works on a folder; nothing is kept in this process.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil

from lab import bases, config, seam
from lab.config import LabConfig
from lab.model.errors import HostError

PATIENCE = 300.0  # seconds for a start: a database of the host may have to recover
PAUSE = 0.05
ATTEMPTS = 5  # starts, where the ports turn out to be taken
YIELD = 1.0  # seconds for what is just ending above a base that has to be had
STATE = ("c", "state.json", "journal.jsonl", "run", "logs", "C:")


class LabError(Exception):
    """The lab cannot do that; the message says why."""


def running(folder: Path) -> LabConfig | None:
    """The file of a lab that runs, None for one that does not."""
    found = config.load(folder)
    if found is None or not found.pid or not psutil.pid_exists(found.pid):
        return None
    try:
        seam.call(found.control, found.token, "lab.faults", timeout=10)
    except TimeoutError:
        return found  # busy: something listens there, and the process is alive
    except (OSError, HostError):
        return None
    return found


def start(folder: Path, **wanted: Any) -> LabConfig:
    """Starts the lab of a folder; what is not wanted otherwise stays as the folder has it."""
    if (now := running(folder)) is not None:
        raise LabError(f"the lab in {folder} runs already (process {now.pid})")
    before = config.load(folder) or LabConfig()
    given = {name: value for name, value in wanted.items() if value is not None}
    if before.password and given.get("kind", before.kind) != before.kind:
        raise LabError(f"the lab in {folder} is a '{before.kind}' host: reset it to start another one")
    kept = replace(before, **given, pid=0, control=0)
    left = ATTEMPTS
    while True:
        left -= 1
        base = bases.claim(folder, kept.port_base)
        http, https = kept.http or base + bases.HTTP, kept.https or base + bases.HTTPS
        config.save(folder, replace(config.completed(kept), port_base=base, http=http, https=https))
        process = _spawn(folder)
        try:
            return _ready(folder, process)
        except LabError:
            if process.returncode != config.PORTS_TAKEN or not left:
                raise
        time.sleep(YIELD if kept.port_base else 0)


def _spawn(folder: Path) -> subprocess.Popen[bytes]:
    (folder / "logs").mkdir(exist_ok=True)
    with (folder / "logs" / "lab.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "lab.daemon", str(folder)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            start_new_session=True,
            env={**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parent.parent)},
        )


def _ready(folder: Path, process: subprocess.Popen[bytes]) -> LabConfig:
    until = time.monotonic() + PATIENCE
    while time.monotonic() < until:
        if process.poll() is not None:
            log = (folder / "logs" / "lab.log").read_text(encoding="utf-8", errors="replace")
            raise LabError(
                f"the lab did not start: {log.strip().splitlines()[-1] if log.strip() else process.returncode}"
            )
        found = config.load(folder)
        if found is not None and found.pid == process.pid and found.control:
            return found
        time.sleep(PAUSE)
    process.kill()
    raise LabError(f"the lab in {folder} was not ready within {PATIENCE:.0f} s: see logs/lab.log there")


def stop(folder: Path) -> bool:
    """Stops the lab and all that runs on its host; False when it did not run."""
    found = running(folder)
    if found is None:
        return False
    with contextlib.suppress(OSError):
        seam.call(found.control, found.token, "lab.stop")
    try:
        psutil.Process(found.pid).wait(PATIENCE)
    except psutil.NoSuchProcess:
        pass
    except psutil.TimeoutExpired as error:
        raise LabError(f"the lab (process {found.pid}) does not end: see {folder}/logs/lab.log") from error
    return True


def reset(folder: Path, **wanted: Any) -> LabConfig:
    """Back to a fresh host on the same ports, with the same password."""
    stop(folder)
    before = config.load(folder) or LabConfig()
    for name in STATE:
        path = folder / name
        if path.is_symlink() or path.is_file():
            path.unlink()
        elif path.is_dir():
            shutil.rmtree(path)
    given = {name: value for name, value in wanted.items() if value is not None}
    if before.password:
        config.save(folder, replace(before, **given))
    return start(folder, **given)


def fork(folder: Path, copy: Path) -> None:
    """Copies a stopped lab, hard links kept apart, so that both can be started (one after the other: the ports)."""
    if running(folder) is not None:
        raise LabError(f"the lab in {folder} runs: stop it before it is copied")

    def left(within: str, names: list[str]) -> set[str]:
        """What belongs to processes that have ended: their list, and the pipes of a PowerShell that was killed."""
        del names
        return {"ntlm-users", "pids.json"} | ({"tmp"} if Path(within) == folder / "run" else set())

    shutil.copytree(folder, copy, symlinks=True, ignore=left)


def call(folder: Path, name: str, /, **arguments: Any) -> Any:
    """Calls the running lab of a folder, by the names of ``lab.seam``."""
    found = running(folder)
    if found is None:
        raise LabError(f"no lab runs in {folder}: start it with `python -m lab start`")
    return seam.call(found.control, found.token, name, arguments)
