"""The processes behind services: started as the recorded account could, watched, ended, and due for recovery.

Keeps what only lives as long as the host runs: process, start time, exit code, failures counted. Configuration stays
with ``lab.model.services``.
"""

from __future__ import annotations

import signal
import subprocess
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from lab.model import errors
from lab.model.accounts import Accounts, check_command_line
from lab.model.errors import HostError
from lab.model.files import Files
from lab.model.processes import Processes, Running, end

SETTLE = 0.5  # seconds without work after which a process that listens nowhere counts as started
LONGEST_START = 30.0  # seconds the SCM waits for a service to report itself started
LOOK = 0.05  # seconds between two looks
OUTPUT = "services"  # folder below the lab's own logs for what services print


@dataclass(slots=True)
class Instance:
    """What is known of a service while the host runs."""

    running: Running | None = None
    exit_code: int = 0
    asked: bool = False
    failures: list[float] = field(default_factory=list)
    retry_at: float | None = None
    counted: bool = True
    last: str = ""


class ServiceProcesses:
    """One ``Instance`` for each service that was ever started."""

    def __init__(self, processes: Processes, files: Files, accounts: Accounts, logs: Path) -> None:
        self._processes = processes
        self._files = files
        self._accounts = accounts
        self._logs = logs / OUTPUT
        self._lock = threading.RLock()
        self._instances: dict[str, Instance] = {}

    def status(self, name: str) -> dict[str, Any]:
        """State, pid, start time and last exit code."""
        with self._lock:
            instance = self._instances.get(name.casefold(), Instance())
            running = instance.running
            alive = running is not None and running.process.poll() is None
            return {
                "state": "running" if alive else "stopped",
                "pid": running.pid if alive and running else 0,
                "started": running.started if alive and running else None,
                "exit_code": instance.exit_code if alive else self._ended(instance),
                "note": instance.last,
            }

    def start(self, config: dict[str, Any]) -> None:
        """Starts the process; 1053 with what it printed when it does not stay up."""
        name, line = config["name"], config["image_path"]
        token = self._accounts.token(config["account"], name)
        check_command_line(self._files, token, line)
        environment = dict(item.partition("=")[::2] for item in config["environment"])
        launch = self._processes.launch(line, environment)
        self._logs.mkdir(parents=True, exist_ok=True)
        with (self._logs / f"{name}.log").open("ab") as output:
            running = self._processes.start(launch, f"service {name}", output)
        with self._lock:
            instance = self._instances.setdefault(name.casefold(), Instance())
            instance.running, instance.asked, instance.retry_at, instance.counted = running, False, None, False
        code = settled(running.process)
        if code is None:
            return
        with self._lock:
            instance.running, instance.exit_code, instance.counted = None, code, True
        self._processes.forget(running.pid)
        message = f"The service '{name}' ended with status {code} when it was started (error 1053): {self.tail(name)}"
        raise HostError("other", message, name, errors.ERROR_SERVICE_REQUEST_TIMEOUT)

    def stop(self, name: str) -> None:
        """Asks the process to end, kills it after the SCM's patience."""
        with self._lock:
            instance = self._instances[name.casefold()]
            instance.asked = True
            running = instance.running
        if running is not None:
            code = end(running.process)
            self._processes.forget(running.pid)
            with self._lock:
                instance.running, instance.exit_code, instance.retry_at = None, code, None

    def reload(self, name: str) -> None:
        """SIGHUP to the process itself, not to its children."""
        with self._lock:
            running = self._instances[name.casefold()].running
        if running is not None:
            running.process.send_signal(signal.SIGHUP)

    def note(self, name: str, message: str) -> None:
        """Keeps why a recovery action did not help; a failed start counts as a failure again."""
        with self._lock:
            instance = self._instances.setdefault(name.casefold(), Instance())
            instance.last, instance.counted, instance.asked = message, False, False

    def due(self, recovery: Callable[[str], dict[str, Any] | None], now: float) -> list[str]:
        """Counts fresh failures against the recovery actions and gives the services to start now."""
        with self._lock:
            for name, instance in self._instances.items():
                if self._failed(instance):
                    self._plan(instance, recovery(name), now)
            due = [name for name, each in self._instances.items() if each.retry_at is not None and each.retry_at <= now]
            for name in due:
                self._instances[name].retry_at = None
            return due

    def tail(self, name: str, lines: int = 5) -> str:
        """The last lines that the service printed."""
        log = self._logs / f"{name}.log"
        if not log.exists():
            return ""
        return " | ".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])

    @staticmethod
    def _ended(instance: Instance) -> int:
        if instance.running is not None and instance.running.process.returncode is not None:
            return int(instance.running.process.returncode)
        return instance.exit_code

    def _failed(self, instance: Instance) -> bool:
        if instance.counted or instance.asked:
            return False
        running = instance.running
        return running is None or running.process.poll() is not None

    def _plan(self, instance: Instance, recovery: dict[str, Any] | None, now: float) -> None:
        instance.counted = True
        if instance.running is not None:
            instance.exit_code = self._ended(instance)
            self._processes.forget(instance.running.pid)
            instance.running = None
        if recovery is None or not recovery["actions"] or (instance.exit_code == 0 and not recovery["flag"]):
            return
        instance.failures = [when for when in instance.failures if now - when < recovery["reset"]] + [now]
        kind, delay = recovery["actions"][min(len(instance.failures), len(recovery["actions"])) - 1]
        if kind == "restart":
            instance.retry_at = now + delay / 1000


def settled(process: subprocess.Popen[bytes]) -> int | None:
    """None once the process has started: it listens, or has nothing more to do; its exit code when it ends before.

    A Windows service reports that itself; a process of another system does not.
    """
    until = time.monotonic() + LONGEST_START
    worked, since = -1.0, time.monotonic()
    while time.monotonic() < until:
        code = process.poll()
        if code is not None:
            return code
        try:
            seen = psutil.Process(process.pid)
            if any(row.status == psutil.CONN_LISTEN for row in seen.net_connections("tcp")):
                return None
            work = sum(seen.cpu_times()[:2])
            waits = seen.status() in (psutil.STATUS_SLEEPING, psutil.STATUS_IDLE)
        except psutil.Error:
            continue
        # one that waits for the CPU or a disk of a loaded machine has not started yet
        if work != worked or not waits:
            worked, since = work, time.monotonic()
        elif time.monotonic() - since > SETTLE:
            return None
        time.sleep(LOOK)
    return None
