"""The pwsh engine: a real PowerShell behind each command, with the client's own command line and bytes.

It starts under a session configuration that imports ``lab/pwsh/Lab51.psm1``, in the lab's folder, whose link ``C:`` is
drive C. What only Windows has, that module asks of the model: at ``127.0.0.1:MAILHOST_LAB_PORT`` with
``MAILHOST_LAB_TOKEN`` (``lab.seam``); ``MAILHOST_LAB_ROOT`` is the lab's folder.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import IO

from lab.engine import plain
from lab.engine.model import Ended
from lab.model import commandline
from lab.model.errors import HostError
from lab.model.host import Host
from lab.model.processes import Launch, Running
from lab.wsman.shells import CommandLine, Output, Process

CHECKOUT = Path(__file__).resolve().parent.parent.parent
NATIVE = CHECKOUT / "lab" / "programs" / "native.py"
MODULE = CHECKOUT / "lab" / "pwsh" / "Lab51.psm1"
BESIDE = CHECKOUT.parent / "shared" / "tools" / "pwsh" / "pwsh"
GUID = "2f6c6f0e-6f0c-4c0b-9a86-8a5d3a1c51ab"
UNLIMITED = 2_147_483_647  # MB; the quota of an untouched server
PIECE = 64 * 1024  # bytes read from a program at a time
AHEAD = 1024 * 1024  # bytes of input that wait for a program while its client is answered; Linux alone can be told
IMAGE = "C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe"


def find() -> str | None:
    """``MAILHOST_PWSH``, then PATH, then the tools beside the checkout."""
    given = os.environ.get("MAILHOST_PWSH") or shutil.which("pwsh")
    if given:
        return given
    return str(BESIDE) if BESIDE.exists() else None


def quoted(path: Path) -> str:
    """A path as a PowerShell literal."""
    return "'" + str(path).replace("'", "''") + "'"


class PwshEngine:
    """Starts PowerShells on the model of one host."""

    def __init__(self, host: Host, port: Callable[[], int], token: str) -> None:
        found = find()
        if found is None:
            raise HostError("not-found", "no PowerShell: set MAILHOST_PWSH, or install pwsh", "pwsh")
        self._program = found
        self._host = host
        self._port = port
        self._token = token
        self._run = host.root / "run"
        host.standins.powershell = self.standin

    def start(self, command: CommandLine, output: Output) -> Process:
        """A PowerShell for its own command line; the few plain commands for cmd's."""
        arguments = commandline.split(command.line)
        image = arguments[0].replace("/", "\\").rpartition("\\")[2].lower().removesuffix(".exe") if arguments else ""
        if image != "powershell":
            code, text = plain.answer(self._host, command.line)
            output.write("stdout", text.encode())
            output.done(code)
            return Ended()
        real, environment = self.standin(arguments)
        started = subprocess.Popen(
            real,
            cwd=self._host.root,
            env=environment | dict(command.environment),
            stdin=subprocess.DEVNULL if command.console else subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,
            pipesize=AHEAD,
        )
        launch = Launch(IMAGE, tuple(arguments), {}, self._host.root)
        self._host.processes.adopt(Running(launch, started, time.time(), "winrm"))
        return PowerShell(started, output, self._host.processes.forget)

    def standin(self, arguments: list[str]) -> tuple[list[str], dict[str, str]]:
        """What really runs for a command line of ``powershell.exe``, for sessions and for tasks."""
        return [self._program, "-ConfigurationFile", str(self._configuration()), *arguments[1:]], self._environment()

    def _configuration(self) -> Path:
        """The session configuration: full language unless the host says otherwise, and the module."""
        mode = self._host.system.get("language_mode")
        path = self._run / f"lab-{mode}.pssc"
        text = (
            f"@{{ SchemaVersion = '2.0.0.0'; GUID = '{GUID}'; SessionType = 'Default'; LanguageMode = '{mode}'; "
            f"ModulesToImport = @({quoted(MODULE)}) }}\n"
        )
        if not path.exists() or path.read_text(encoding="utf-8") != text:
            self._run.mkdir(exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return path

    def _natives(self) -> Path:
        """Programs under the names of Windows' own, found before this machine's."""
        folder = self._run / "bin"
        folder.mkdir(parents=True, exist_ok=True)
        for name in plain.NATIVE:
            for path in (folder / name, folder / f"{name}.exe"):
                if not path.exists():
                    path.write_text(f"#!/bin/sh\nexec '{sys.executable}' '{NATIVE}' {name} \"$@\"\n", encoding="utf-8")
                    path.chmod(0o755)
        return folder

    def _scratch(self) -> Path:
        """Where .NET keeps its pipes: not on drive C, where Windows has none."""
        folder = self._run / "tmp"
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    def _environment(self) -> dict[str, str]:
        drive, system = self._host.drive.root, self._host.system
        profile = self._host.drive.real(system.get("profile"))
        environment = {
            "PATH": os.pathsep.join([str(self._natives()), os.environ.get("PATH", "/usr/bin:/bin")]),
            "LANG": "C.UTF-8",
            "HOME": os.environ.get("HOME", "/"),
            "ProgramData": str(drive / "ProgramData"),
            "TEMP": str(drive / "Windows" / "Temp"),
            "TMPDIR": str(self._scratch()),
            "SystemRoot": str(drive / "Windows"),
            "SystemDrive": "C:",
            "USERPROFILE": str(profile),
            "USERNAME": str(system.get("user")),
            "COMPUTERNAME": str(system.get("hostname")),
            "POWERSHELL_TELEMETRY_OPTOUT": "1",
            "POWERSHELL_UPDATECHECK": "Off",
            "DOTNET_gcServer": "0",
            # As 5.1: its .NET compiles a method once. Compiling again meanwhile took half the time of an upload.
            "DOTNET_TieredPGO": "0",
            "DOTNET_TC_CallCounting": "0",
            "MAILHOST_LAB_PORT": str(self._port()),
            "MAILHOST_LAB_TOKEN": self._token,
            "MAILHOST_LAB_ROOT": str(self._host.root),
        }
        quota = {**system.facts()["quotas"]}["MaxMemoryPerShellMB"]
        if quota < UNLIMITED:
            environment["DOTNET_GCHeapHardLimit"] = f"{quota * 1024 * 1024:#x}"
        return environment


class PowerShell:
    """One process: input as it comes, output to the client, its end with its exit code."""

    def __init__(self, process: subprocess.Popen[bytes], output: Output, ended: Callable[[int], None]) -> None:
        self._process = process
        self._output = output
        self._ended = ended
        self._readers = [
            threading.Thread(target=self._read, args=(stream, name), daemon=True)
            for stream, name in ((process.stdout, "stdout"), (process.stderr, "stderr"))
        ]
        for reader in self._readers:
            reader.start()
        threading.Thread(target=self._wait, daemon=True).start()

    def write(self, data: bytes, end: bool) -> None:
        """Writes to its input; one that has ended takes none."""
        if self._process.stdin is None:
            return
        with contextlib.suppress(OSError, ValueError):
            self._process.stdin.write(data)
            self._process.stdin.flush()
            if end:
                self._process.stdin.close()

    def interrupt(self) -> None:
        """ctrl_c."""
        with contextlib.suppress(OSError):
            os.killpg(self._process.pid, signal.SIGINT)

    def terminate(self) -> None:
        """Ends it and what it has started."""
        with contextlib.suppress(OSError):
            os.killpg(self._process.pid, signal.SIGKILL)

    def _read(self, stream: IO[bytes] | None, name: str) -> None:
        if stream is None:
            return
        with contextlib.suppress(OSError, ValueError):
            while data := os.read(stream.fileno(), PIECE):
                self._output.write(name, data)

    def _wait(self) -> None:
        code = self._process.wait()
        for reader in self._readers:
            reader.join()
        self._ended(self._process.pid)
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        self._output.done(code)
