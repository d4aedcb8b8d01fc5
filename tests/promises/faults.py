"""Faults made by their causes: each ends in one clear sentence and heals in the next run, or is not noticed at all."""

from __future__ import annotations

import contextlib
import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.lib.deploying import Lab, Project, Ran, engines, running_lab
from tests.lib.programs import ROOT

ABOUT = (
    "cut connections, time-outs, quotas, full disk, held files and the rest: one sentence each, healed by the next run"
)

DEPLOY = """
from pathlib import Path

from pyinfra import host

from pyinfra_winrm import prefetch
from pyinfra_winrm.kinds import Directory, File
from pyinfra_winrm.operation import ensure

text = host.data.get("text", "안녕")
Path("large.bin").write_bytes((text.encode() * 600_000)[:600_000])
folders = [Directory(path="C:/Mailhost")]
files = [
    File(path="C:/Mailhost/설정.txt", content=text),
    File(path="C:/Mailhost/large.bin", source=Path("large.bin")),
]
prefetch(host, [*folders, *files])
ensure(name="Folders", task="folders", resources=folders)
ensure(name="Files", task="files", resources=files)
"""

NOTHING = 0
LEASE = 3  # seconds
SMTP = 25
FILLER = "pagefile.sys"
PAGE = 4096

# Bytes of a drive C that a test can fill in a moment.
DRIVE = 48 * 1024 * 1024
TEXT = "C:\\Mailhost\\설정.txt"


def nothing(_: Lab) -> object:
    """The inventory alone makes the fault."""
    return None


def clear(lab: Lab, _: object) -> None:
    """Takes back what the lab was told."""
    lab.call("lab.clear")
    lab.call("system.set", name="language_mode", value="FullLanguage")
    lab.call("system.set", name="disk_limit", value=None)
    for name in ("MaxShellsPerUser", "MaxMemoryPerShellMB"):
        lab.call("lab.quota", name=name, value=None)


@dataclass(frozen=True)
class Case:
    """One fault.

    make, undo: what happens to the lab before and after the run; the second gets what the first returned.
    said: what the one sentence has; empty when the run is to end well.
    data: what the inventory says otherwise for this run.
    long: it takes its time by its nature, and is left to the full size.
    """

    name: str
    said: str
    make: Callable[[Lab], object] = nothing
    undo: Callable[[Lab, object], object] = clear
    data: dict[str, Any] = field(default_factory=dict)
    long: bool = False


def cut(kind: str, verb: str, times: int = 1) -> Callable[[Lab], object]:
    return lambda lab: lab.fault(kind, verb=verb, times=times)


def quota(name: str, value: int) -> Callable[[Lab], object]:
    return lambda lab: lab.call("lab.quota", name=name, value=value)


def system(name: str, value: object) -> Callable[[Lab], object]:
    return lambda lab: lab.call("system.set", name=name, value=value)


def hold(seconds: float) -> Callable[[Lab], object]:
    return lambda lab: lab.call("lab.hold", path=TEXT, seconds=seconds)


def fill(lab: Lab) -> object:
    """Leaves no room: really, where drive C is a file system of its own, and by the model's count elsewhere."""
    if not lab.drive.is_mount():
        return lab.call("system.set", name="disk_limit", value=NOTHING)
    with contextlib.suppress(OSError), (lab.drive / FILLER).open("wb", buffering=0) as stream:
        while True:
            stream.write(bytes(PAGE))
    return None


def empty(lab: Lab, made: object) -> None:
    """Gives the room back."""
    (lab.drive / FILLER).unlink(missing_ok=True)
    clear(lab, made)


def let_go(_: Lab, pid: object) -> None:
    """The process that held the file, unless it has ended by itself."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(int(str(pid)), signal.SIGKILL)


CASES = (
    Case("cut before a read", "", cut("cut", "read")),
    Case("cut after a read", "", cut("cut-after", "read")),
    Case("half of an answer", "", cut("partial", "receive")),
    Case("every read cut", r"the connection to https://127\.0\.0\.1:\d+/wsman was cut", cut("cut", "read", times=0)),
    Case("cut before a change", r"file C:/Mailhost/\S+ may or may not be done: run again", cut("cut", "apply")),
    Case("cut after a change", r"file C:/Mailhost/\S+ may or may not be done: run again", cut("cut-after", "apply")),
    Case(
        "cut in an upload", r"the upload of \S+ was cut: run again, the target is as it was", cut("cut", "upload.chunk")
    ),
    Case("slow host", "", lambda lab: lab.fault("delay", times=0, seconds=0.4), long=True),
    Case(
        "operation time-out",
        r"read did not finish within 4 s and was stopped",
        lambda lab: lab.fault("stall", verb="read", times=0, seconds=30),
        data={"winrm_read_timeout": 4, "winrm_operation_timeout": 2},
        long=True,
    ),
    Case("shell quota", r"a WinRM quota is exhausted: .*raise the quota", quota("MaxShellsPerUser", 0)),
    Case("memory quota", r"PowerShell ended.*(?i:memory)", quota("MaxMemoryPerShellMB", 8)),
    Case("host name not found", r"no host of that name .*check the name", data={"winrm_host": "no-such-host.invalid"}),
    Case("port closed", r"nothing listens at https://127\.0\.0\.1:1/wsman: ", data={"winrm_port": 1}),
    Case(
        "wrong pin",
        r"the certificate of \S+ has the fingerprint [0-9a-f]{64}, pinned is (00){32}",
        data={"winrm_fingerprint": "00" * 32},
    ),
    Case("wrong user", r"refused the user nobody with this password", data={"winrm_user": "nobody"}),
    Case(
        "constrained language",
        r"PowerShell is in constrained language mode .*allow this account full language",
        system("language_mode", "ConstrainedLanguage"),
    ),
    Case("full disk", r"(?i:disk|space).*free space on that drive", fill, empty),
    Case("file held open", r"설정\.txt.*close the program that holds it open", hold(600), let_go, long=True),
    Case("sharing violation that clears", "", hold(5), let_go),
)


def check(case: Case, ran: Ran) -> None:
    """One sentence, or none at all."""
    assert "Traceback" not in ran.text, (case.name, ran)
    if not case.said:
        assert ran.status == 0, (case.name, ran)
        return
    assert ran.status == 1, (case.name, ran)
    lines = [line for line in ran.text.splitlines() if re.search(case.said, line)]
    assert len(lines) == 1, (case.name, lines, ran)
    host = case.data.get("winrm_host", "127.0.0.1")
    assert f"{host}: " in lines[0], (case.name, lines)


def one(case: Case, lab: Lab, project: Project, number: int) -> None:
    """The fault, then the run that heals."""
    text = f"글 {number}"
    # a run that is cut off leaves its lock to the next for as long as that
    lease = {"winrm_lock_lease": LEASE} if case.said else {}
    project.write(DEPLOY, {"lab": lab.data(text=text, **lease) | case.data})
    made = case.make(lab)
    try:
        ran = project.deploy()
    finally:
        case.undo(lab, made)
    check(case, ran)
    if case.said:
        project.write(DEPLOY, {"lab": lab.data(text=text)})
        healed = project.deploy()
        assert healed.status == 0, (case.name, healed)
    assert (lab.drive / "Mailhost" / "설정.txt").read_text(encoding="utf-8") == text, case.name
    names = sorted(path.name for path in (lab.drive / "Mailhost").iterdir())
    assert names == ["large.bin", "설정.txt"], (case.name, names)


def port_taken(lab: Lab) -> None:
    """Somebody listens on a port of ours: the deploy of this repository names who, and changes nothing."""
    port = lab.config.port_base + SMTP
    pid = lab.call("lab.listen", port=port, seconds=600)
    before = lab.journal()
    try:
        ran = Project(ROOT, [lab]).run(
            "-m", "pyinfra", "-y", "inventory.py", "deploy.py", MAILHOST_LAB=str(lab.folder)
        )  # fmt: skip
    finally:
        let_go(lab, pid)
    check(Case("port taken", rf"port {port} \(smtp\) belongs to other\.exe", data={"winrm_host": "@winrm/lab"}), ran)
    assert lab.journal() == before, lab.journal()[len(before) :]


@contextlib.contextmanager
def drive_of_its_own(folder: Path) -> Iterator[bool]:
    """A small file system as drive C, where this user may mount one."""
    folder.mkdir(parents=True)
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DRIVE}", "tmpfs", str(folder)]
    mounted = os.geteuid() == 0 and subprocess.run(mount, capture_output=True, check=False).returncode == 0
    try:
        yield mounted
    finally:
        if mounted:
            subprocess.run(["umount", str(folder)], check=True)


def on(engine: str, folder: Path, size: str) -> int:
    """All faults on one engine, one after the other on the same host."""
    with drive_of_its_own(folder / "lab" / "c") as mounted, running_lab(folder / "lab", engine) as lab:
        # A PowerShell asks the file system and not the model, so only a full one stops it.
        cases = [case for case in CASES if mounted or engine == "model" or case.make is not fill]
        cases = [case for case in cases if size == "full" or not case.long]
        project = Project(folder / "project", [lab])
        project.write(DEPLOY)
        first = project.deploy()
        assert first.status == 0, first
        for number, case in enumerate(cases):
            one(case, lab, project, number)
        port_taken(lab)
    return len(cases) + 1


def run(size: str) -> dict[str, object]:
    """On every engine that this machine can run; the first one alone in CI."""
    found: dict[str, object] = {}
    for engine in engines() if size == "full" else engines()[:1]:
        with tempfile.TemporaryDirectory(prefix="mailhost-faults-") as folder:
            found[engine] = on(engine, Path(folder), size)
    return found
