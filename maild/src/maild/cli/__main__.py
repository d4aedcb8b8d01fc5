"""``maild GROUP ...``: collects the command groups of this package and runs the chosen one.

Errors an administrator can act on are one sentence on stderr and an exit status of their own; anything else is a fault
of the program and shows its traceback.
"""

from __future__ import annotations

import argparse
import importlib
import os
import pkgutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from maild import __version__, cli
from maild.cli import Exit, RefusedError, default_settings, language
from maild.cli._help import Parser
from maild.locale import translator
from maild.settings import SettingsError

if TYPE_CHECKING:
    from maild.store import StoreError


def parser(group: str = "", language: str = "en") -> argparse.ArgumentParser:
    """The parser of one command group, of all when no module has that name: a command does not pay for the others."""
    root = Parser(
        prog="maild", description="A mail daemon and the commands to look after it.", say=translator(language)
    )
    root.add_argument("--version", action="version", version=f"maild {__version__}")
    groups = root.add_subparsers(metavar="GROUP", required=True)
    names = sorted(info.name for info in pkgutil.iter_modules(cli.__path__) if not info.name.startswith("_"))
    for name in [group] if group in names else names:
        module = importlib.import_module(f"maild.cli.{name}")
        if hasattr(module, "register"):
            module.register(groups)
    return root


def main(arguments: list[str] | None = None) -> int:
    """The command; returns its exit status."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(encoding="utf-8", errors="backslashreplace")
    given = sys.argv[1:] if arguments is None else arguments
    args = parser(given[0] if given else "", _language(given)).parse_args(given)
    try:
        status = int(args.run(args))
        print(end="", flush=True)
    except SettingsError as error:
        print(f"maild: {error.said(translator(_language(given)))}", file=sys.stderr)
        return Exit.CONFIG
    except RefusedError as error:
        print(f"maild: {error.said(translator(_language(given)))}", file=sys.stderr)
        return Exit.NO
    except BrokenPipeError:
        # Whoever read the output has seen enough (head); what is still buffered has nowhere to go.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return Exit.OK
    except _store_error() as error:
        print(f"maild: {translator(_language(given))(error.public)} {error.cause}".rstrip(), file=sys.stderr)
        return Exit.UNAVAILABLE
    except KeyboardInterrupt:
        return 130
    return status


def _language(given: list[str]) -> str:
    """The reader's, before the arguments are taken apart: that is where help and wrong usage are said."""
    options = argparse.ArgumentParser(add_help=False, allow_abbrev=False)
    options.add_argument("--settings", nargs="?", type=Path, default=default_settings())
    found, _ = options.parse_known_args(given)
    return language(found.settings or default_settings())


def _store_error() -> type[StoreError]:
    """Looked up when something was raised: a command that needs no store does not pay for its drivers."""
    from maild.store import StoreError  # noqa: PLC0415

    return StoreError


if __name__ == "__main__":
    sys.exit(main())
