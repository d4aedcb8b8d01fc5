"""A daemon on another day: its clock is ahead or behind, so that what it does by itself tomorrow is seen today."""

from __future__ import annotations

import os

from tests.lib.daemon import Running
from tests.lib.programs import ROOT

# Read by the interpreter before anything else, so no part of the daemon holds the real clock.
SHIFT = """
import time

real, real_ns = time.time, time.time_ns
time.time = lambda: real() + {seconds}
time.time_ns = lambda: real_ns() + {seconds} * 1_000_000_000
"""


def restart_at(running: Running, seconds: int) -> None:
    """Stops a daemon and starts it with a clock that is so far ahead, or behind when negative."""
    running.stop()
    folder = running.site.folder / f"clock{seconds}"
    folder.mkdir(exist_ok=True)
    (folder / "sitecustomize.py").write_text(SHIFT.format(seconds=seconds), encoding="utf-8")
    path = os.pathsep.join([str(folder), str(ROOT), str(ROOT / "maild" / "src")])
    running.environment = {**running.environment, "PYTHONPATH": path}
    running.start()
