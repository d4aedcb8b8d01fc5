"""A real PowerShell behind the bootstrap and the host script, spoken to over its pipes as WinRS would."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self

from pyinfra_winrm.protocol import Reply, ReplyReader, encode_chunk, encode_request
from pyinfra_winrm.scripts import command_line, host_script

# On a loaded machine a start of PowerShell takes seconds; nothing here is judged by time.
PATIENCE = 120


class HostProcess:
    """Started by entering; ``ask`` sends one request and waits for its answer."""

    def __init__(self, pwsh: Path | None, folder: Path, seam: str) -> None:
        assert pwsh is not None, "no PowerShell: set MAILHOST_PWSH"
        self.pwsh = pwsh
        self.folder = folder
        self.seam = seam
        self.number = 0
        self.reader = ReplyReader()
        self.replies: list[Reply] = []

    def __enter__(self) -> Self:
        arguments = command_line().split(" ")[1:]
        environment = {
            "HOME": str(self.folder),
            "PATH": "/usr/bin:/bin",
            "ProgramData": str(self.folder),
            "NO_COLOR": "1",
            "POWERSHELL_TELEMETRY_OPTOUT": "1",
            "XDG_CACHE_HOME": str(Path.home() / ".cache"),
        }
        self.process = subprocess.Popen(
            [self.pwsh, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=self.folder,
            env=environment,
        )
        return self

    def __exit__(self, *_: object) -> None:
        assert self.process.stdin is not None
        if not self.process.stdin.closed:
            self.process.stdin.close()
        try:
            self.process.wait(PATIENCE)
        finally:
            if self.process.poll() is None:
                self.process.kill()

    def load(self) -> None:
        for name, script in (("host", host_script("host")), ("seam", self.seam)):
            assert self.ask("load", name=name, script=script).ok

    def write(self, data: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def ask(self, verb: str, **fields: Any) -> Reply:
        self.number += 1
        self.write(encode_request(self.number, verb, fields))
        return self.answer(self.number)

    def answer(self, number: int) -> Reply:
        assert self.process.stdout is not None
        until = time.monotonic() + PATIENCE
        while not any(reply.id == number for reply in self.replies):
            data = self.process.stdout.read1(65536)  # type: ignore[attr-defined]
            assert data, f"the host script ended: {self.reader.noise}"
            assert time.monotonic() < until, "no answer"
            self.replies += self.reader.feed(data)
        return next(reply for reply in self.replies if reply.id == number)

    def chunk(self, number: int, data: bytes) -> None:
        self.write(encode_chunk(number, data))

    def read(self, kind: str, key: Mapping[str, Any]) -> Any:
        reply = self.ask("read", items=[{"kind": kind, "key": key}])
        assert reply.ok, reply.failure
        return reply.fields["items"][0]
