"""Runs the cases of one kind on one engine: ``python -m tests.lib.kindcases ENGINE KIND``."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from tests.lib.kindcases.material import Material
from tests.lib.kindcases.runner import all_cases, run_case
from tests.lib.kindhost import kind_host


def main(engine: str, kind: str) -> int:
    """The command; a case that does not hold ends it with a traceback."""
    with tempfile.TemporaryDirectory(prefix="mailhost-cases-") as name:
        folder = Path(name)
        for number, case in enumerate(all_cases(Material(folder / "material"))):
            if case.base.kind == kind:
                with kind_host(folder / str(number), engine) as host:
                    print(case, run_case(host, case))
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
