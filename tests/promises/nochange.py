"""Nothing changes where nothing has to: a plan on a bare host, a plan on a converged one, a second deploy.

Measured twice: the lab's journal, and a picture of the host taken outside its model.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lab import lifecycle, snapshot
from lab.config import LabConfig
from lab.model.state import net
from tests.lib.deploying import engines
from tests.lib.programs import ROOT

ABOUT = "a plan on a bare and on a converged host and a second deploy change nothing, by journal and by snapshot"

PATIENCE = 600  # seconds; ends what hangs
IN_STEP, DRIFT = 0, 2
OPTIONS = "C:\\Mailhost\\private\\mysql-admin.cnf"


@dataclass(frozen=True)
class Measured:
    """One lab and what it looks like."""

    folder: Path
    config: LabConfig

    def picture(self) -> snapshot.Snapshot:
        return snapshot.take(self.folder, self.config.pid)

    def journal(self) -> int:
        return len(lifecycle.call(self.folder, "journal.entries"))

    def dump(self) -> list[str]:
        """The mail server's tables as statements; nothing where there is no MySQL."""
        if lifecycle.call(self.folder, "files.stat", path=OPTIONS) is None:
            return []
        real = self.folder / "c" / "Mailhost" / "private" / "mysql-admin.cnf"
        command = [
            "mariadb-dump",
            f"--defaults-extra-file={real}",
            "-h127.0.0.1",
            "--skip-dump-date",
            "--skip-comments",
        ]
        done = subprocess.run([*command, f"-P{self.config.port_base + 3306}", "maild"], capture_output=True, check=True)
        return done.stdout.decode("latin-1").splitlines()

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {
            "MAILHOST_LAB": str(self.folder),
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "maild" / "src")]),
        }
        return subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )

    def plan(self, wanted: int) -> None:
        done = self.run("-m", "pyinfra_winrm", "plan", "inventory.py", "deploy.py")
        assert done.returncode == wanted, (done.returncode, done.stdout[-1500:], done.stderr[-1500:])

    def deploy(self) -> None:
        done = self.run("-m", "pyinfra", "-y", "inventory.py", "deploy.py")
        assert done.returncode == 0, (done.stdout[-1500:], done.stderr[-1500:])


def nothing_changes(lab: Measured, doing: Callable[[], None]) -> int:
    """Does it and compares both measures; gives the number of files looked at."""
    entries, before, tables = lab.journal(), lab.picture(), lab.dump()
    doing()
    written = net(lifecycle.call(lab.folder, "journal.entries")[entries:])
    assert not written, written[:5]
    found = snapshot.differences(before, lab.picture())
    assert not found, found[:10]
    changed = sorted(set(lab.dump()) ^ set(tables))
    assert not changed, [line[:300] for line in changed[:4]]
    return len(before.files)


def on_engine(engine: str) -> dict[str, int]:
    """Bare, deployed, converged."""
    with tempfile.TemporaryDirectory(prefix="mailhost-nochange-") as parent:
        folder = Path(parent) / "lab"
        lab = Measured(folder, lifecycle.start(folder, engine=engine))
        try:
            bare = nothing_changes(lab, lambda: lab.plan(DRIFT))
            lab.deploy()
            entries = lab.journal()
            assert entries > 0, "the first deploy is in no journal"
            converged = nothing_changes(lab, lambda: lab.plan(IN_STEP))
            nothing_changes(lab, lab.deploy)
        finally:
            lifecycle.stop(folder)
    return {"files_bare": bare, "files_converged": converged, "changes_of_the_first_deploy": entries}


def run(size: str) -> dict[str, object]:
    chosen = engines() if size == "full" else engines()[:1]
    return {"engines": {engine: on_engine(engine) for engine in chosen}}
