"""Each field of each kind, changed alone on a converged host: its one plan line, its repair, nothing else moved."""

from __future__ import annotations

import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from pyinfra_winrm.kinds import KINDS
from tests.lib.deploying import engines
from tests.lib.kindcases.material import Material
from tests.lib.kindcases.runner import all_cases, run_all, uncovered

ABOUT = "each field of each kind changed alone gives its one plan line and its repair; the rest of the host stays"
# each change of these builds a release or starts a database: seconds
SLOW = ("python_release", "reconcile", "mysql_server", "mysql_database")


def run(size: str) -> dict[str, Any]:
    """``small``: both engines, the slow kinds left out; ``full``: everything, and in the Korean host."""
    with tempfile.TemporaryDirectory(prefix="mailhost-fields-") as name:
        folder = Path(name)
        missing = uncovered(all_cases(Material(folder / "asked")))
        assert not missing, f"fields without a case: {missing}"
        hosts = ("bare",) if size == "small" else ("bare", "korean")
        apart = SLOW if size == "small" else ()
        runs = [(engine, kind) for engine in engines() for kind in hosts]
        with ThreadPoolExecutor(2) as pool:
            done = list(pool.map(lambda each: run_all(folder / "-".join(each), each[0], apart, each[1]), runs))
    kinds, fields = done[0]
    cases = sum(count for _, count in done)
    return {"kinds": kinds, "of": len(KINDS), "fields": fields, "engines": engines(), "hosts": hosts, "cases": cases}
