"""The controller killed at any moment: what it had asked for finishes, the next run heals, nothing else differs."""

from __future__ import annotations

import hashlib
import json
import random
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lab import lifecycle
from tests.lib.deploying import PATIENCE, Lab, Project, engines

ABOUT = "the controller SIGKILLed before and after every change request and at random points; the next run heals"

SEED = 20261125
RANDOM_POINTS = 30
POINTS_IN_CI = 12

# Seconds that a change takes to reach PowerShell, so that a controller killed behind it leaves an orphan at work; more
# where it is watched, so that a loaded machine looks at the host before it gets there.
STALL = 0.7
WATCHED_STALL = 2.5

# Seconds after which the lock of a killed controller is given up: only such a one has so few, since a loaded machine
# may keep one that lives from giving signs of life for longer.
SHORT_LEASE = 2
WATCHED_LEASE = 7

# Seconds that keep an orphan's lock for longer than runs need to start, on a loaded machine too.
LONG_STALL = 30
LEASE = 45

PAUSE = 0.1  # seconds between two looks at a lock

DEPLOY = """
from pathlib import Path

from pyinfra import host

from pyinfra_winrm import prefetch
from pyinfra_winrm.kinds import Acl, Allow, Directory, File, FirewallGroup, FirewallRule, RegistryValue
from pyinfra_winrm.operation import ensure

Path("large.bin").write_bytes(bytes(range(256)) * 2048)
closed = Acl(entries=(Allow("SYSTEM", "full"), Allow("Administrators", "full")))
folders = [Directory(path="C:/Mailhost", acl=closed), Directory(path="C:/Mailhost/etc")]
files = [
    File(path="C:/Mailhost/etc/설정.toml", content="이름 = '테스트'\\n"),
    File(path="C:/Mailhost/large.bin", source=Path("large.bin")),
]
rest = [
    RegistryValue(key="HKLM/SOFTWARE/Mailhost", name="Port", type="dword", value=587),
    FirewallGroup(name="Mailhost", rules=(FirewallRule(name="smtp", ports=(25,)),)),
]
prefetch(host, [*folders, *files, *rest])
ensure(name="Folders", task="folders", resources=folders)
ensure(name="Files", task="files", resources=files)
ensure(name="Rest", task="rest", resources=rest)
"""

# pyinfra executes config.py first: the process counts its own change requests and kills itself at one of them. What
# each moment is about is written down, a line a moment.
CONFIG = """
import os
import signal

from pyinfra_winrm import transport
from pyinfra_winrm.protocol import decode_request

CHANGES = {"lock", "apply", "run", "upload.begin", "upload.chunk", "upload.end"}
point = int(os.environ.get("KILL_POINT", "-1"))
log = os.environ.get("KILL_LOG")
passed = 0
send = transport.Wire.send


def die_or_send(wire, data):
    global passed
    verbs = [verb for line in data.splitlines() if (verb := decode_request(line)["verb"]) in CHANGES]
    for when in ("before", "after"):
        if verbs:
            if passed == point:
                os.kill(os.getpid(), signal.SIGKILL)
            passed += 1
            if log:
                with open(log, "a") as moments:
                    print(*verbs, file=moments)
        if when == "before":
            send(wire, data)


transport.Wire.send = die_or_send
"""


@dataclass(frozen=True)
class Point:
    """Where the controller is killed: at a moment of its sending, or after so many seconds.

    patient: look what the orphan still does before the next run; otherwise that run starts at once.
    """

    request: int | None = None
    seconds: float = 0.0
    patient: bool = False


def snapshot(lab: Lab) -> dict[str, Any]:
    """Everything on the host that a deploy is about: the drive's content and the recorded state."""
    files = {
        str(path.relative_to(lab.drive)): hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "folder"
        for path in sorted(lab.drive.rglob("*"))
        if (path.is_file() or path.is_dir()) and not path.is_relative_to(lab.drive / "Windows" / "Temp")
    }
    state = json.loads((lab.folder / "state.json").read_text(encoding="utf-8"))
    return {"files": files, "state": {name: value for name, value in state.items() if name not in {"system", "lab"}}}


def differing(one: Any, other: Any, path: str = "") -> list[str]:
    """The places at which two snapshots are not equal."""
    if isinstance(one, dict) and isinstance(other, dict):
        return [line for key in {**one, **other} for line in differing(one.get(key), other.get(key), f"{path}/{key}")]
    return [] if one == other else [f"{path}: {one} and {other}"]


class Forge:
    """Fresh copies of one saved bare host."""

    def __init__(self, folder: Path, engine: str) -> None:
        self._folder = folder
        self._saved = folder / "saved"
        self._engine = engine
        self._made = 0
        lifecycle.start(self._saved, engine=engine)
        lifecycle.stop(self._saved)

    def lab(self) -> Lab:
        self._made += 1
        copy = self._folder / f"lab{self._made}"
        lifecycle.fork(self._saved, copy)
        return Lab(copy, lifecycle.start(copy, engine=self._engine))

    def project(self, lab: Lab, lease: int = LEASE, wait: int = PATIENCE) -> Project:
        project = Project(lab.folder.with_suffix(f".wait-{wait}"), [lab])
        project.write(DEPLOY, {"lab": lab.data(winrm_lock_lease=lease, winrm_lock_wait=wait)})
        (project.folder / "config.py").write_text(CONFIG, encoding="utf-8")
        return project


def undisturbed(forge: Forge) -> tuple[dict[str, Any], int, float]:
    """The end state, the moments of sending, and the seconds of a run that nobody kills."""
    lab = forge.lab()
    try:
        project = forge.project(lab)
        log = project.folder / "moments"
        started = time.monotonic()
        ran = project.deploy(KILL_LOG=str(log))
        took = time.monotonic() - started
        assert ran.status == 0, ran
        again = project.plan()
        assert again.status == 0, again
    finally:
        lifecycle.stop(lab.folder)
    return snapshot(lab), len(log.read_text().splitlines()), took


def points(moments: int, took: float, size: str) -> list[Point]:
    """All moments and the random ones; in CI every n-th of them."""
    draw = random.Random(SEED)
    # Odd moments lie behind a request; every other one of them is watched.
    sent = [Point(request=number, patient=number % 4 == 1) for number in range(moments)]
    anywhere = [Point(seconds=draw.uniform(took / 3, took), patient=bool(n % 2)) for n in range(RANDOM_POINTS)]
    if size == "full":
        return sent + anywhere
    return draw.sample(sent[1::4], 4) + draw.sample(sent, POINTS_IN_CI - 7) + anywhere[:3]


def killed(project: Project, point: Point) -> bool:
    """Runs the controller until it is killed; False when it was done before."""
    chosen = {} if point.request is None else {"KILL_POINT": str(point.request)}
    process = project.start("-m", "pyinfra", "-y", "inventory.py", "deploy.py", **chosen)
    try:
        process.communicate(timeout=point.seconds if point.request is None else PATIENCE)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    return process.returncode == -signal.SIGKILL


def quiet(lab: Lab) -> int:
    """The changes on the host once what a killed controller left behind there has given up its lock."""
    until = time.monotonic() + PATIENCE
    while (lab.drive / "ProgramData" / "Mailhost" / "run.lock").exists():
        assert time.monotonic() < until, "the lock of a killed controller is not given up"
        time.sleep(PAUSE)
    return len(lab.journal())


def at(forge: Forge, point: Point, wanted: dict[str, Any]) -> Iterator[str]:
    """Kills one controller, deploys again, compares."""
    lab = forge.lab()
    try:
        stall, lease = (WATCHED_STALL, WATCHED_LEASE) if point.patient else (STALL, SHORT_LEASE)
        lab.fault("stall", verb="apply", times=0, seconds=stall)
        if killed(forge.project(lab, lease), point):
            yield "killed"
        before = len(lab.journal())
        lab.call("lab.clear")
        if point.patient and quiet(lab) > before:
            yield "orphan"
        again = forge.project(lab).deploy()
        assert again.status == 0, (point, again)
        if "waiting for run" in again.text:
            yield "waited"
        assert "Traceback" not in again.text, (point, again)
    finally:
        lifecycle.stop(lab.folder)
    found = snapshot(lab)
    assert found == wanted, (point, differing(found, wanted))


def named(forge: Forge, wanted: dict[str, Any]) -> None:
    """While an orphan is at work, a run that does not wait names it, and one that does comes after it."""
    lab = forge.lab()
    try:
        lab.fault("stall", verb="apply", seconds=LONG_STALL)
        assert killed(forge.project(lab), Point(request=3))
        with ThreadPoolExecutor() as beside:
            waiting = beside.submit(forge.project(lab).deploy)
            refused = forge.project(lab, wait=1).deploy()
            waited = waiting.result()
        assert refused.status == 1, refused
        assert "is changing this host and did not finish within 1 s" in refused.text, refused
        assert "Traceback" not in refused.text, refused
        assert waited.status == 0, waited
        assert "waiting for run" in waited.text, waited
    finally:
        lifecycle.stop(lab.folder)
    found = snapshot(lab)
    assert found == wanted, differing(found, wanted)


def on(engine: str, size: str, folder: Path) -> dict[str, int]:
    """All points on one engine."""
    forge = Forge(folder, engine)
    wanted, moments, took = undisturbed(forge)
    chosen = points(moments, took, size)
    seen = [word for point in chosen for word in at(forge, point, wanted)]
    found = {"points": len(chosen), "moments": moments} | {
        word: seen.count(word) for word in ("killed", "orphan", "waited")
    }
    assert found["orphan"] > 0, found
    named(forge, wanted)
    return found


def run(size: str) -> dict[str, object]:
    """On every engine that this machine can run, the engines beside each other: each mostly waits."""
    with tempfile.TemporaryDirectory(prefix="mailhost-kill-") as name, ThreadPoolExecutor() as pool:
        running = {}
        for engine in engines():
            (Path(name) / engine).mkdir()
            running[engine] = pool.submit(on, engine, size, Path(name) / engine)
        return {"seed": SEED} | {engine: done.result() for engine, done in running.items()}
