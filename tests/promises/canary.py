"""Secrets searched for afterwards, everywhere they must not be."""

from __future__ import annotations

import secrets
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.lib.deploying import Lab, Project, Ran, engines, running_lab

ABOUT = "no secret in -vvv, --debug, the debug log, JSON, the journal, command lines, host files outside etc"

# Seconds between two looks at the command lines of all processes.
LOOK = 0.02

DEPLOY = """
import os

from pyinfra import host
from pyinfra.api import HiddenValue, operation

from pyinfra_winrm import prefetch
from pyinfra_winrm.kinds import Directory, File, RegistryValue
from pyinfra_winrm.operation import ensure
from pyinfra_winrm.operations import powershell
from pyinfra_winrm.secret import Secret

secret = Secret(os.environ["CANARY_FILE"])
folders = [Directory(path="C:/Mailhost"), Directory(path="C:/Mailhost/etc")]
files = [File(path="C:/Mailhost/etc/비밀.txt", content=secret)]
prefetch(host, [*folders, *files])
ensure(task="folders", resources=folders)
ensure(task="files", resources=files)
powershell("hostname", _env={"TOKEN": HiddenValue(os.environ["CANARY_ENV"])})


@operation()
def breaking(text):
    raise RuntimeError("broken on purpose")
    yield


if os.environ.get("CANARY_BREAK"):
    breaking(secret)
"""

RUNS = (
    ("-m", "pyinfra", "--dry", "-vvv", "inventory.py", "deploy.py"),
    ("-m", "pyinfra", "-y", "-vvv", "--debug", "inventory.py", "deploy.py"),
    ("-m", "pyinfra", "--dry", "--json", "--debug-operations", "inventory.py", "deploy.py"),
    ("-m", "pyinfra", "-y", "--json", "inventory.py", "deploy.py"),
    ("-m", "pyinfra", "-vvv", "--debug-all", "--dry", "inventory.py", "deploy.py"),
    ("-m", "pyinfra", "inventory.py", "debug-inventory"),
    ("-m", "pyinfra_winrm", "plan", "--json", "inventory.py", "deploy.py"),
)


@contextmanager
def command_lines() -> Iterator[set[str]]:
    """Collects the command line of every process that there is meanwhile."""
    seen: set[str] = set()
    over = threading.Event()

    def look() -> None:
        while not over.wait(LOOK):
            for process in psutil.process_iter(["cmdline"]):
                seen.add(" ".join(process.info["cmdline"] or []))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield seen
    finally:
        over.set()
        thread.join()


def texts(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Names and contents of all files below a folder."""
    for path in folder.rglob("*"):
        if path.is_file() and not path.is_symlink():
            yield str(path.relative_to(folder)), str(path).encode() + path.read_bytes()


def places(lab: Lab, project: Project, runs: list[Ran], lines: set[str]) -> Iterator[tuple[str, bytes]]:
    """Everything that is searched."""
    for number, ran in enumerate(runs):
        yield f"output of {' '.join(RUNS[number % len(RUNS)])}", ran.text.encode()
    yield "command lines", "\n".join(lines).encode()
    yield "journal", (lab.folder / "journal.jsonl").read_bytes()
    yield "recorded state", (lab.folder / "state.json").read_bytes()
    for name, content in texts(project.folder):
        yield f"controller: {name}", content
    for name, content in texts(lab.drive):
        if not name.startswith("Mailhost/etc/"):
            yield f"host: {name}", content


def on(engine: str, folder: Path) -> int:
    """All runs on one engine; the number of places searched."""
    canaries = {name: f"canary-{secrets.token_hex(12)}" for name in ("CANARY_FILE", "CANARY_ENV")}
    with running_lab(folder / "lab", engine) as lab:
        project = Project(folder / "project", [lab], canaries)
        project.write(DEPLOY)
        with command_lines() as lines:
            runs = [project.run(*arguments) for arguments in RUNS]
            broken = [project.run(*RUNS[1], CANARY_BREAK="1")]
        assert runs[1].status == 0, runs[1]
        assert broken[0].status == 1, broken
        assert "broken on purpose" in (project.folder / "pyinfra-debug.log").read_text(encoding="utf-8")
        assert any(str(lab.folder) in line for line in lines), "the look at command lines saw nothing"
        stored = (lab.drive / "Mailhost" / "etc" / "비밀.txt").read_text(encoding="utf-8")
        assert stored == canaries["CANARY_FILE"], "the secret did not arrive"
        searched = 0
        for name, content in places(lab, project, runs + broken, lines):
            searched += 1
            for what, secret in {**canaries, "password": lab.config.password}.items():
                assert secret.encode() not in content, f"{what} is in {name}"
    return searched


def run(size: str) -> dict[str, object]:
    """On every engine that this machine can run; the first one alone in CI."""
    found: dict[str, object] = {}
    for engine in engines() if size == "full" else engines()[:1]:
        with tempfile.TemporaryDirectory(prefix="mailhost-canary-") as folder:
            found[engine] = {"places": on(engine, Path(folder))}
    return found
