"""``python -m bench [NAME ...] [--size small|full]``: runs benchmarks and prints one JSON line each.

A benchmark is a module of this package with ``ABOUT`` and ``run(size) -> dict``; without a name all of them run, with
``--list`` they are shown. Figures are only worth something on a machine that does nothing else.
"""

from __future__ import annotations

import argparse
import importlib
import json
import pkgutil
import sys
import time
from types import ModuleType

import bench


def benchmarks() -> dict[str, ModuleType]:
    """The benchmarks there are, by name."""
    found: dict[str, ModuleType] = {}
    for info in pkgutil.iter_modules(bench.__path__):
        if not info.name.startswith("_"):
            module = importlib.import_module(f"bench.{info.name}")
            if hasattr(module, "ABOUT") and hasattr(module, "run"):
                found[info.name.replace("_", "-")] = module
    return found


def main(arguments: list[str] | None = None) -> int:
    """The command; returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("name", nargs="*")
    parser.add_argument("--size", choices=["small", "full"], default="full")
    parser.add_argument("--list", action="store_true")
    chosen = parser.parse_args(arguments)
    known = benchmarks()
    if chosen.list:
        for name, module in known.items():
            print(f"{name:16} {module.ABOUT}")
        return 0
    missing = [name for name in chosen.name if name not in known]
    if missing:
        print(f"no such benchmark: {', '.join(missing)}; there are: {', '.join(known)}", file=sys.stderr)
        return 64
    for name in chosen.name or known:
        started = time.monotonic()
        figures = known[name].run(chosen.size)
        line = {"bench": name, "size": chosen.size, **figures, "seconds": round(time.monotonic() - started, 1)}
        print(json.dumps(line, ensure_ascii=False), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
