"""Runs the test rings, the bundle's and the daemon's in separate processes (pyinfra's gevent patches a whole process).

A ring whose program is missing is named and left out; with ``MAILHOST_STRICT=1`` it is a failure. Three rings run at
once, each ring's output is printed whole when it ends, and the last line counts them all.
``python -m tests.rings [RING ...]`` runs the named ones.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from tests.lib.programs import find_mysql_maker, find_pwsh, find_winpy_maker
from tests.show import names

ROOT = Path(__file__).resolve().parent.parent
AT_ONCE = 3  # rings beside each other: one more than the smallest machine has cores, as many of them mostly wait
NO_TESTS = 5  # pytest's exit status when it collected nothing
SUMMARY = re.compile(r"(\d+) (passed|failed|error|errors)\b")


@dataclass(frozen=True)
class Ring:
    """One pytest run: its folder or file, and the programs without which it cannot run."""

    name: str
    path: str
    needs: tuple[str, ...] = ()


PROMISE = "tests/test_promises.py::test_promise_holds_at_its_small_size[{name}]"
PROMISES_NEED = ("pwsh", "mariadbd", "mysql", "pebble", "curl", "postfix", "knotd", "unbound")
LONGEST = frozenset({"kill-deploy", "kill", "zone-drift", "hosts", "upgrade"})
"""Promises that start first, so that none of them is left to run alone at the end."""
RINGS = (
    *(
        Ring(f"promise {name}", PROMISE.format(name=name), PROMISES_NEED)
        for name in sorted(names(), key=lambda name: name not in LONGEST)
    ),
    Ring("unit, the daemon", "tests/unit/maild"),
    Ring("unit, the bundle", "tests/unit/bundle"),
    Ring("contract, the bundle", "tests/contract/bundle", ("pwsh",)),
    Ring("contract, the daemon", "tests/contract/maild", ("mariadbd", "mysql")),
    Ring(
        "integration, the daemon",
        "tests/integration/maild",
        ("mariadbd", "pebble", "curl", "swaks", "mbsync", "knotd"),
    ),
    Ring("integration, the bundle", "tests/integration/bundle", ("pwsh",)),
    Ring("end to end", "tests/e2e/bundle", ("pwsh", "mariadbd")),
    Ring("crash", "tests/crash/maild", ("mariadbd", "mysql", "gcc")),
    Ring("windows, the daemon", "tests/windows/maild", ("winpy", "wine")),
)


def there(program: str) -> bool:
    """Whether a program that a ring needs is on this machine."""
    if program == "pwsh":
        return find_pwsh() is not None
    if program == "mysql":
        return find_mysql_maker() is not None
    if program == "winpy":
        return find_winpy_maker() is not None
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
    return shutil.which(program, path=path) is not None


def run(ring: Ring) -> tuple[Ring, int, str, float]:
    """Runs one ring; returns its exit status, what it printed and how many seconds it took."""
    started = time.monotonic()
    environment = os.environ | {"PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "maild" / "src")])}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--durations=5", ring.path],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    status = 0 if done.returncode == NO_TESTS else done.returncode
    return ring, status, done.stdout, time.monotonic() - started


def counted(output: str) -> tuple[int, int]:
    """How many tests passed and how many did not, from pytest's last line."""
    lines = output.strip().splitlines() or [""]
    found = [(int(number), word) for number, word in SUMMARY.findall(lines[-1])]
    passed = sum(number for number, word in found if word == "passed")
    return passed, sum(number for number, word in found if word != "passed")


def possible(rings: Iterable[Ring]) -> tuple[list[Ring], list[str]]:
    """The rings that can run here, and a line for each that cannot."""
    able: list[Ring] = []
    lines: list[str] = []
    for ring in rings:
        if not (ROOT / ring.path.partition("::")[0]).exists():
            continue
        missing = [program for program in ring.needs if not there(program)]
        if missing:
            lines.append(f"ring '{ring.name}' is left out: {', '.join(missing)} not found")
        else:
            able.append(ring)
    return able, lines


def main(chosen: list[str]) -> int:
    """The command; returns its exit status."""
    wanted = [ring for ring in RINGS if not chosen or any(word in ring.name for word in chosen)]
    able, left_out = possible(wanted)
    for line in left_out:
        print(line, flush=True)
    passed = 0
    failed = len(left_out) if os.environ.get("MAILHOST_STRICT") else 0
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for ended in as_completed([pool.submit(run, ring) for ring in able]):
            ring, status, output, seconds = ended.result()
            good, bad = counted(output)
            passed, failed = passed + good, failed + (bad or (1 if status else 0))
            print(f"== {ring.name}: {'passed' if status == 0 else 'FAILED'} in {seconds:.0f} s", flush=True)
            print(output, flush=True)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
