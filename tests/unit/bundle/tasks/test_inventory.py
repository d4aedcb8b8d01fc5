"""A deploy and a plan without a lab: one sentence that says how to start one, exit status 1."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[4]


@pytest.mark.parametrize("command", [("pyinfra", "-y"), ("pyinfra_winrm", "plan")])
def test_without_a_lab_the_inventory_says_how_to_start_one(command: tuple[str, str], tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", *command, "inventory.py", "deploy.py"],
        cwd=ROOT, env=os.environ | {"MAILHOST_LAB": str(tmp_path)}, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    assert "No lab is running. Start one with `make lab` or `python -m lab start`" in done.stderr
    assert "Traceback" not in done.stderr
