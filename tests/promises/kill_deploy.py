"""The controller killed at any moment of a whole deploy, database steps included: the next run heals what is left."""

from __future__ import annotations

import fnmatch
import hashlib
import itertools
import json
import random
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from lab import lifecycle
from tests.lib.deploying import Lab, engines
from tests.lib.site import PATIENCE, Site, fetch, letter, own_part, send
from tests.promises.kill import CONFIG, LEASE, SHORT_LEASE, differing

ABOUT = "the whole deploy killed before and after change requests and at random points; the next one heals, mail flows"

SEED = 20261126
RANDOM_POINTS = 30

# The long steps, so that a point in a later one costs seconds.
PREPARE = """
from pyinfra import host

from pyinfra_winrm.operation import ensure
from tasks import deployment

wanted = deployment.of(host)
ensure(name="Directories", task="directories", resources=wanted["directories"])
ensure(name="Clock and event log", task="system", resources=wanted["system"])
ensure(name="MySQL", task="mysql", resources=wanted["mysql"])
ensure(name="Python and release", task="release", resources=wanted["release"])
"""


@dataclass(frozen=True)
class Stretch:
    """A part of the deploy: the saved host it starts from, the file that is run, killed and run again.

    few: its points an engine in CI; at full size all of its own are taken, unless it repeats what others have shown.
    """

    start: str
    file: str
    few: int
    repeats: bool = False

    @property
    def to_the_end(self) -> bool:
        return self.file == "deploy.py"


STRETCHES = (
    Stretch("bare", "prepare.py", 7),
    Stretch("prepared", "deploy.py", 4),
    Stretch("bare", "deploy.py", 1, repeats=True),
)

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
        (self.folder / "prepare.py").write_text(PREPARE, encoding="utf-8")
        for name in ("bare", "prepared"):
            saved = self.folder / name
            if name == "prepared":
                lifecycle.fork(self._saved["bare"], saved)
            lab = Lab(saved, lifecycle.start(saved, engine=self.engine))
            try:
                if name == "prepared":
                    self.site(lab).deployed(self.file(STRETCHES[0]))
            finally:
                lifecycle.stop(saved)
            self._saved[name] = saved

    def file(self, stretch: Stretch) -> str:
        """The deploy file, as pyinfra is to be told of it."""
        return stretch.file if stretch.to_the_end else str(self.folder / stretch.file)

    def site(self, lab: Lab) -> Site:
        """One key for the backups of all copies, so that their tasks are the same."""
        key = {"MAILHOST_LAB_BACKUP_KEY": str(self.folder / "key.txt")}
        return Site(lab, changed={"winrm_lock_lease": LEASE, "winrm_lock_wait": 300}, environment=key, script=CONFIG)

    def open(self, saved: str) -> Site:
        self.made += 1
        copy = self.folder / f"lab{self.made}"
        lifecycle.fork(self._saved[saved], copy)
        return self.site(Lab(copy, lifecycle.start(copy, engine=self.engine)))


def undisturbed(forge: Forge, stretch: Stretch) -> tuple[dict[str, Any], list[str], float]:
    """The end state, what each moment of sending is about, and the seconds of a run that nobody kills."""
    where = forge.open(stretch.start)
    log = where.lab.folder.with_name(where.lab.folder.name + "-moments")
    where.environment["KILL_LOG"] = str(log)
    try:
        started = time.monotonic()
        where.deployed(forge.file(stretch))
        took = time.monotonic() - started
    finally:
        lifecycle.stop(where.lab.folder)
    return picture(where.lab), log.read_text(encoding="utf-8").splitlines(), took


def killed(where: Site, file: str, request: int | None, seconds: float) -> bool:
    """Runs a deploy until it is killed; False when it was done before."""
    killing = {} if request is None else {"KILL_POINT": str(request)}
    dying = replace(
        where, changed=where.changed | {"winrm_lock_lease": SHORT_LEASE}, environment=where.environment | killing
    )
    process = dying.start("-m", "pyinfra", "-y", str(dying.inventory), file)
    try:
        process.communicate(timeout=seconds if request is None else PATIENCE)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        process.communicate()
    return process.returncode == -signal.SIGKILL


def at(forge: Forge, stretch: Stretch, request: int | None, seconds: float, wanted: dict[str, Any]) -> Iterator[str]:
    """Kills one deploy, runs another, sees that the host is as it would be and, at the end of all, that mail flows."""
    where, file = forge.open(stretch.start), forge.file(stretch)
    point = (stretch.start, stretch.file, request, seconds)
    try:
        if killed(where, file, request, seconds):
            yield "killed"
        again = where.deploy(file)
        assert again.status == 0, (point, again.text[-4000:])
        assert "Traceback" not in again.text, (point, again.text[-4000:])
        if "waiting for run" in again.text:
            yield "waited"
        if stretch.to_the_end:
            serves(where)
    finally:
        lifecycle.stop(where.lab.folder)
    found = picture(where.lab)
    assert found == wanted, (point, differing(found, wanted)[:10])
    shutil.rmtree(where.lab.folder)


def serves(where: Site) -> None:
    """Nothing is left to change, and a mail goes in and comes out."""
    where.in_step()
    mail = letter("id@테스트.net", "주문@테스트.net")
    send(where, "id@테스트.net", "주문@테스트.net", mail)
    assert own_part(fetch(where, "주문@테스트.net", 1)) == mail


def requests(draw: random.Random, moments: list[str]) -> list[int]:
    """Every moment before and after a change request; of an upload's chunks the first, the last and one drawn."""
    chosen: list[int] = []
    for chunk, group in itertools.groupby(range(len(moments)), lambda n: set(moments[n].split()) == {"upload.chunk"}):
        numbers = list(group)
        chosen += sorted({numbers[0], draw.choice(numbers), numbers[-1]}) if chunk else numbers
    return chosen


def points(
    draw: random.Random, stretch: Stretch, moments: list[str], took: float, size: str
) -> list[tuple[int | None, float]]:
    """All moments and the random ones, or a few of both."""
    sent: list[tuple[int | None, float]] = [(number, 0.0) for number in requests(draw, moments)]
    anywhere: list[tuple[int | None, float]] = [(None, draw.uniform(took / 3, took)) for _ in range(RANDOM_POINTS // 2)]
    if size == "full" and not stretch.repeats:
        return sent + anywhere
    return draw.sample(sent, stretch.few - stretch.few // 4) + anywhere[: stretch.few // 4]


def on(engine: str, size: str, folder: Path) -> dict[str, int]:
    """All points on one engine."""
    forge, draw = Forge(folder, engine), random.Random(SEED)
    forge.prepare()
    seen: list[str] = []
    count = 0
    for stretch in STRETCHES:
        wanted, moments, took = undisturbed(forge, stretch)
        chosen = points(draw, stretch, moments, took, size)
        count += len(chosen)
        seen += [word for request, seconds in chosen for word in at(forge, stretch, request, seconds, wanted)]
    found = {"points": count} | {word: seen.count(word) for word in ("killed", "waited")}
    assert found["killed"] > count // 2, found
    return found


def run(size: str) -> dict[str, object]:
    """On every engine that this machine can run, the engines beside each other."""
    with tempfile.TemporaryDirectory(prefix="mailhost-kill-deploy-") as name, ThreadPoolExecutor() as pool:
        running = {}
        for engine in engines():
            (Path(name) / engine).mkdir()
            running[engine] = pool.submit(on, engine, size, Path(name) / engine)
        return {"seed": SEED} | {engine: done.result() for engine, done in running.items()}
