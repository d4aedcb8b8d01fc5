"""Runs a named promise and prints its evidence as one JSON line; without a name, lists the promises.

``python -m tests.show [NAME ...] [--size small|full]``; exit status 0 when all hold, 1 when one does not, 64 on wrong
usage. The promises themselves live in ``tests/promises``, one module each.
"""

from __future__ import annotations

import argparse
import importlib
import json
import pkgutil
import subprocess
import sys
import time
import traceback
from pathlib import Path
from types import ModuleType

from tests import promises
from tests.lib.parented import end_in_order

ROOT = Path(__file__).resolve().parent.parent


def names() -> list[str]:
    """The promises there are, as ``make show`` spells them."""
    found = pkgutil.iter_modules(promises.__path__)
    return sorted(info.name.replace("_", "-") for info in found if not info.name.startswith("_"))


def load(name: str) -> ModuleType:
    """The module of one promise."""
    return importlib.import_module(f"tests.promises.{name.replace('-', '_')}")


def commit() -> str:
    """The commit that is being shown, ``unknown`` outside a checkout, ``+`` behind it when the tree differs."""
    described = subprocess.run(
        ["git", "describe", "--always", "--dirty=+", "--abbrev=10"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    return described.stdout.strip() or "unknown"


def complete(figures: dict[str, object]) -> dict[str, object]:
    """The figures with the fields that every line has; null where a promise has no database or draws nothing."""
    engines = figures.get("engines")
    named = ", ".join(engines) if isinstance(engines, dict) and engines else None
    return {"engine": named, "cases": None, "seed": None} | figures


def show(name: str, size: str) -> bool:
    """Runs one promise and prints its JSON line; True when it held."""
    started = time.monotonic()
    evidence: dict[str, object] = {"what": name, "size": size}
    try:
        evidence |= complete(load(name).run(size))
        evidence["holds"] = True
    except Exception as error:  # noqa: BLE001 - whatever ends a promise is its evidence
        traceback.print_exc()
        evidence |= {"holds": False, "why": f"{type(error).__name__}: {error}"[:2000]}
    evidence |= {"seconds": round(time.monotonic() - started, 1), "commit": commit()}
    print(json.dumps(evidence, ensure_ascii=False), flush=True)
    return bool(evidence["holds"])


def main(arguments: list[str] | None = None) -> int:
    """The command; returns its exit status."""
    parser = argparse.ArgumentParser(prog="python -m tests.show", description=__doc__)
    parser.add_argument("name", nargs="*")
    parser.add_argument("--size", choices=["small", "full"], default="full")
    chosen = parser.parse_args(arguments)
    if not chosen.name:
        for name in names():
            print(f"{name:16} {load(name).ABOUT}")
        return 0
    missing = [name for name in chosen.name if name not in names()]
    if missing:
        print(f"no such promise: {', '.join(missing)}; there are: {', '.join(names())}", file=sys.stderr)
        return 64
    end_in_order()
    held = [show(name, chosen.size) for name in chosen.name]
    return 0 if all(held) else 1


if __name__ == "__main__":
    sys.exit(main())
