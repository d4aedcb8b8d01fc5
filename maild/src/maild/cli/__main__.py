"""``maild GROUP ...``: collects the command groups of this package and runs the chosen one.

Errors an administrator can act on are one sentence on stderr and an exit status of their own; anything else is a fault
of the program and shows its traceback.
"""

from __future__ import annotations

import argparse
import importlib
import pkgutil
import sys
from typing import NoReturn

from maild import __version__, cli
from maild.cli import Exit
from maild.settings import SettingsError


class Parser(argparse.ArgumentParser):
    """An argument parser that leaves with EX_USAGE."""

    def error(self, message: str) -> NoReturn:
        """Prints the usage and the message."""
        self.print_usage(sys.stderr)
        self.exit(Exit.USAGE, f"{self.prog}: {message}\n")


def parser() -> argparse.ArgumentParser:
    """The parser of all command groups."""
    root = Parser(prog="maild", description="A mail daemon and the commands to look after it.")
    root.add_argument("--version", action="version", version=f"maild {__version__}")
    groups = root.add_subparsers(metavar="GROUP", required=True, parser_class=Parser)
    for info in sorted(pkgutil.iter_modules(cli.__path__), key=lambda found: found.name):
        if info.name.startswith("_"):
            continue
        module = importlib.import_module(f"maild.cli.{info.name}")
        if hasattr(module, "register"):
            module.register(groups)
    return root


def main(arguments: list[str] | None = None) -> int:
    """The command; returns its exit status."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    args = parser().parse_args(arguments)
    try:
        return int(args.run(args))
    except SettingsError as error:
        print(f"maild: {error}", file=sys.stderr)
        return Exit.CONFIG
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
