"""``maild reload``: tells the running daemon to load its settings and certificates again."""

from __future__ import annotations

import argparse
import sys

from maild import loaded
from maild.cli import Exit, Subparsers, add_settings, settings_of
from maild.locale import translator
from maild.service import posix, windows


def register(subparsers: Subparsers) -> None:
    """Adds the command."""
    parser = subparsers.add_parser("reload", help="load settings and certificates again", description=__doc__)
    add_settings(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Tells the daemon; exit status 69 when none runs."""
    settings = settings_of(args)
    if sys.platform == "win32":
        try:
            windows.ask_to_reload()
        except windows.ServiceError as error:
            print(f"maild: {error}", file=sys.stderr)
            return Exit.UNAVAILABLE
        return Exit.OK
    running = loaded.read(settings.data_folder)
    if running is None or not posix.ask_to_reload(running.pid):
        say = translator(settings.language)
        print("maild:", say("no daemon runs on {folder}", folder=settings.data_folder), file=sys.stderr)
        return Exit.UNAVAILABLE
    return Exit.OK
