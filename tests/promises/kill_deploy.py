"""The controller killed at any moment of a whole deploy, database steps included: the next run heals what is left."""

from __future__ import annotations

import fnmatch
import hashlib
import json
import random
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab import lifecycle
from tests.lib.deploying import Lab, engines
from tests.lib.site import PATIENCE, Site, fetch, letter, own_part, send
from tests.promises.kill import CONFIG, differing

ABOUT = "the whole deploy killed before and after change requests and at random points; the next one heals, mail flows"

SEED = 20261126
RANDOM_POINTS = 30
FROM_BARE, FROM_PREPARED = 2, 10  # points an engine in CI; the prepared host has MySQL and the release already

# Copies of one host have one base of ports; this one is below those that other labs take by themselves.
PORT_BASE = 12_000

# The long steps once, so that a point in a later one costs seconds.
PREPARE = """
from pyinfra import host

from pyinfra_winrm.operation import ensure
from tasks import deployment

wanted = deployment.of(host)
ensure(name="Directories", task="directories", resources=wanted["directories"])
ensure(name="MySQL", task="mysql", resources=wanted["mysql"])
ensure(name="Release", task="release", resources=wanted["release"])
"""

# made anew on each host, or written while it serves
GENERATED = (
    "Mailhost/private/*", "Mailhost/etc/secrets/database", "Mailhost/etc/tls/*", "Mailhost/etc/wrap.key",
    "Mailhost/data/*", "Mailhost/logs/*", "Mailhost/mysql/data*", "Mailhost/releases/*/manifest.json",
    "Mailhost/releases/*/bin/*", "Mailhost/releases/*.dist-info/RECORD",
    "Mailhost/backups/*", "*/__pycache__*", "ProgramData/Mailhost*",
)  # fmt: skip
# what the model keeps of its own runs: times, pids, what is due
RUNTIME = {"system", "lab"}


def picture(lab: Lab) -> dict[str, Any]:
    """Names of all files, content of those that a deploy determines, and the recorded state."""
    files = {}
    for path in sorted(lab.drive.rglob("*")):
        name = path.relative_to(lab.drive).as_posix()
        if any(fnmatch.fnmatch(name, pattern) for pattern in GENERATED):
            continue
        files[name] = hashlib.sha256(path.read_bytes()).hexdigest() if path.is_file() else "folder"
    state = json.loads((lab.folder / "state.json").read_text(encoding="utf-8"))
    kept = {name: value for name, value in state.items() if name not in RUNTIME and name != "files"}
    return {"files": files, "state": kept}


@dataclass
class Forge:
    """Copies of two saved hosts: a bare one, and one that has MySQL and the release."""

    folder: Path
    engine: str
    made: int = 0
    _saved: dict[str, Path] = field(default_factory=dict)

    def prepare(self) -> None:
        for name in ("bare", "prepared"):
            saved = self.folder / name
            if name == "prepared":
                lifecycle.fork(self._saved["bare"], saved)
            lab = Lab(saved, lifecycle.start(saved, engine=self.engine, port_base=PORT_BASE))
            try:
                if name == "prepared":
                    file = self.folder / "prepare.py"
                    file.write_text(PREPARE, encoding="utf-8")
                    self.site(lab).deployed(str(file))
            finally:
                lifecycle.stop(saved)
            self._saved[name] = saved

    def site(self, lab: Lab) -> Site:
        """One key for the backups of all copies, so that their tasks are the same."""
        key = {"MAILHOST_LAB_BACKUP_KEY": str(self.folder / "key.txt")}
        return Site(lab, changed={"winrm_lock_lease": 2, "winrm_lock_wait": 300}, environment=key, script=CONFIG)

    def open(self, saved: str) -> Site:
        self.made += 1
        copy = self.folder / f"lab{self.made}"
        lifecycle.fork(self._saved[saved], copy)
        return self.site(Lab(copy, lifecycle.start(copy, engine=self.engine)))


def undisturbed(forge: Forge, saved: str) -> tuple[dict[str, Any], int, float]:
    """The end state, the moments of sending, and the seconds of a run that nobody kills."""
    where = forge.open(saved)
    log = forge.folder / "moments"
    where.environment["KILL_LOG"] = str(log)
    try:
        started = time.monotonic()
        where.deployed()
        took = time.monotonic() - started
    finally:
        lifecycle.stop(where.lab.folder)
    return picture(where.lab), int(log.read_text()), took


def killed(where: Site, request: int | None, seconds: float) -> bool:
    """Runs a deploy until it is killed; False when it was done before."""
    where.environment = where.environment | ({} if request is None else {"KILL_POINT": str(request)})
    process = where.start("-m", "pyinfra", "-y", str(where.inventory), "deploy.py")
    try:
        process.communicate(timeout=seconds if request is None else PATIENCE)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    where.environment.pop("KILL_POINT", None)
    return process.returncode == -signal.SIGKILL


def at(forge: Forge, saved: str, request: int | None, seconds: float, wanted: dict[str, Any]) -> Iterator[str]:
    """Kills one deploy, runs another, sees that the host is as it would be and that mail flows."""
    where = forge.open(saved)
    point = (saved, request, seconds)
    try:
        if killed(where, request, seconds):
            yield "killed"
        again = where.deploy()
        assert again.status == 0, (point, again.text[-4000:])
        assert "Traceback" not in again.text, (point, again.text[-4000:])
        if "waiting for run" in again.text:
            yield "waited"
        where.in_step()
        mail = letter("id@테스트.net", "주문@테스트.net")
        send(where, "id@테스트.net", "주문@테스트.net", mail)
        assert own_part(fetch(where, "주문@테스트.net", 1)) == mail, point
    finally:
        lifecycle.stop(where.lab.folder)
    found = picture(where.lab)
    assert found == wanted, (point, differing(found, wanted)[:10])


def points(draw: random.Random, moments: int, took: float, count: int | None) -> list[tuple[int | None, float]]:
    """All moments and the random ones, or so many of both."""
    sent: list[tuple[int | None, float]] = [(number, 0.0) for number in range(moments)]
    anywhere: list[tuple[int | None, float]] = [(None, draw.uniform(took / 3, took)) for _ in range(RANDOM_POINTS)]
    return sent + anywhere if count is None else draw.sample(sent, count - count // 4) + anywhere[: count // 4]


def on(engine: str, size: str, folder: Path) -> dict[str, int]:
    """All points on one engine."""
    forge, draw = Forge(folder, engine), random.Random(SEED)
    forge.prepare()
    seen: list[str] = []
    count = 0
    for saved, few in (("bare", FROM_BARE), ("prepared", FROM_PREPARED)):
        if size == "full" and saved == "prepared":
            continue
        wanted, moments, took = undisturbed(forge, saved)
        chosen = points(draw, moments, took, None if size == "full" else few)
        count += len(chosen)
        seen += [word for request, seconds in chosen for word in at(forge, saved, request, seconds, wanted)]
    found = {"points": count} | {word: seen.count(word) for word in ("killed", "waited")}
    assert found["killed"] > count // 2, found
    return found


def run(size: str) -> dict[str, object]:
    """On the model engine in CI, on every engine that this machine can run at full size."""
    found: dict[str, object] = {"seed": SEED}
    for engine in engines() if size == "full" else ["model"]:
        with tempfile.TemporaryDirectory(prefix="mailhost-kill-deploy-") as name:
            found[engine] = on(engine, size, Path(name))
    return found
