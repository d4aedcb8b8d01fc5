"""Labs and small pyinfra projects of a test's own, each run as the separate process a user would start."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab import lifecycle
from lab.config import LabConfig
from tests.lib.programs import ROOT, find_pwsh

# Seconds; nothing is judged by them, they only end what hangs.
PATIENCE = 300

PASSWORD_VARIABLE = "MAILHOST_TEST_PASSWORD"


def engines() -> list[str]:
    """The engines this machine can run."""
    found = find_pwsh()
    return ["model", *(["pwsh"] if found and (ROOT / "lab" / "engine" / "pwsh.py").exists() else [])]


@dataclass(frozen=True)
class Lab:
    """A running lab."""

    folder: Path
    config: LabConfig

    def data(self, **changed: Any) -> dict[str, Any]:
        """The data keys that reach it."""
        found = {
            "winrm_host": self.config.host,
            "winrm_port": self.config.https,
            "winrm_user": self.config.user,
            "winrm_password_env": PASSWORD_VARIABLE,
            "winrm_fingerprint": self.config.fingerprint,
        } | changed
        return {key: value for key, value in found.items() if value is not None}

    def call(self, name: str, /, **arguments: Any) -> Any:
        return lifecycle.call(self.folder, name, **arguments)

    def fault(self, kind: str, **fields: Any) -> None:
        self.call("lab.fault", kind=kind, **fields)

    @property
    def drive(self) -> Path:
        return self.folder / "c"

    def journal(self) -> list[dict[str, Any]]:
        path = self.folder / "journal.jsonl"
        lines = path.read_text(encoding="utf-8").splitlines() if path.exists() else []
        return [json.loads(line) for line in lines]


@contextmanager
def running_lab(folder: Path, engine: str = "model", kind: str = "bare") -> Iterator[Lab]:
    config = lifecycle.start(folder, engine=engine, kind=kind)
    try:
        yield Lab(folder, config)
    finally:
        lifecycle.stop(folder)


@dataclass(frozen=True)
class Ran:
    """What a command printed, and how it ended."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def text(self) -> str:
        return self.out + self.err


@dataclass
class Project:
    """An inventory and a deploy file in a folder of their own."""

    folder: Path
    labs: Sequence[Lab] = ()
    secrets: Mapping[str, str] = field(default_factory=dict)

    def write(self, deploy: str, hosts: Mapping[str, Mapping[str, Any]] | None = None) -> None:
        """The hosts by name with their data; by default one a lab."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if hosts is None:
            hosts = {f"lab{number}": lab.data() for number, lab in enumerate(self.labs)}
        rows = ",\n".join(f"    ({'@winrm/' + name!r}, {dict(data)!r})" for name, data in hosts.items())
        (self.folder / "inventory.py").write_text(f"servers = [\n{rows}\n]\n", encoding="utf-8")
        (self.folder / "deploy.py").write_text(deploy, encoding="utf-8")

    def environment(self, **extra: str) -> dict[str, str]:
        password = {PASSWORD_VARIABLE: self.labs[0].config.password} if self.labs else {}
        paths = os.pathsep.join([str(ROOT), str(ROOT / "maild" / "src")])
        return {**os.environ, "PYTHONPATH": paths, **password, **self.secrets, **extra}

    def start(self, *arguments: str, **extra: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, *arguments],
            cwd=self.folder,
            env=self.environment(**extra),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, **extra: str) -> Ran:
        process = self.start(*arguments, **extra)
        try:
            out, err = process.communicate(timeout=PATIENCE)
        finally:
            process.kill()
        return Ran(process.returncode, out, err)

    def deploy(self, *options: str, **extra: str) -> Ran:
        return self.run("-m", "pyinfra", "-y", *options, "inventory.py", "deploy.py", **extra)

    def plan(self, *options: str, **extra: str) -> Ran:
        return self.run("-m", "pyinfra_winrm", "plan", *options, "inventory.py", "deploy.py", **extra)
