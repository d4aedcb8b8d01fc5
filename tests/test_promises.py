"""Every promise at its small size, each in a process of its own."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.show import ROOT, names


@pytest.mark.promise
@pytest.mark.timeout(2400)
@pytest.mark.parametrize("name", names())
def test_promise_holds_at_its_small_size(name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.show", name, "--size", "small"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, (done.stdout + done.stderr)[-4000:]
