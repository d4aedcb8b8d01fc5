"""The self-test for real hosts, run against the lab: everything holds, and nothing of it is left behind."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.lib.deploying import engines, running_lab
from tests.lib.programs import ROOT

INVENTORY = """
servers = [("@winrm/server", {data!r})]
"""


@pytest.mark.parametrize("engine", engines())
def test_it_holds_on_the_lab_and_leaves_nothing_behind(engine: str, tmp_path: Path) -> None:
    with running_lab(tmp_path / "lab", engine) as lab:
        inventory, report = tmp_path / "inventory.py", tmp_path / "report.json"
        inventory.write_text(INVENTORY.format(data=lab.data()), encoding="utf-8")
        before = (lab.folder / "state.json").read_text(encoding="utf-8")
        environment = os.environ | {"PYTHONPATH": str(ROOT), "MAILHOST_TEST_PASSWORD": lab.config.password}
        done = subprocess.run(
            [sys.executable, "-m", "tests.selftest", "@winrm/server", "--inventory", inventory, "--report", report],
            env=environment, cwd=ROOT, capture_output=True, text=True, check=False, timeout=200,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        after = (lab.folder / "state.json").read_text(encoding="utf-8")
        left = json.loads(report.read_text(encoding="utf-8"))
        assert left["failed"] == 0
        assert {line["kind"] for line in left["lines"]} >= {"directory", "file", "service", "scheduled_task"}
        assert left["facts"]["build"] == 17763
        assert "MailhostSelfTest" not in before
        named = [name for name in json.loads(after) if "MailhostSelfTest" in json.dumps(json.loads(after)[name])]
        # an empty key of the registry is not removed with its last value
        assert set(named) <= {"registry"}
        assert not (lab.drive / "ProgramData" / "MailhostSelfTest").exists()
