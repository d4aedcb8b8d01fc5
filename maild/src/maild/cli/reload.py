"""``maild reload``: tells the running daemon to load its settings and certificates again, and says what came of it."""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from maild import loaded
from maild.cli import Exit, Subparsers, add_settings, settings_of
from maild.locale import translator
from maild.service import posix, windows

PATIENCE_SECONDS = 15.0
"""How long a daemon may take to load its settings: it does so between two turns of its loop."""


def register(subparsers: Subparsers) -> None:
    """Adds the command."""
    parser = subparsers.add_parser("reload", help="load settings and certificates again", description=__doc__)
    add_settings(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Tells the daemon and waits for its answer; exit status 69 when none runs, 1 when it could not do all of it."""
    settings = settings_of(args)
    say = translator(settings.language)
    before = loaded.read(settings.data_folder)
    try:
        told = _tell(before)
    except windows.ServiceError as error:
        print(f"maild: {error}", file=sys.stderr)
        return Exit.UNAVAILABLE
    if before is None or not told:
        print("maild:", say("no daemon runs on {folder}", folder=settings.data_folder), file=sys.stderr)
        return Exit.UNAVAILABLE
    after = _answer(settings.data_folder, before)
    if after is None:
        print("maild:", say("the daemon was told, and has not answered yet; its log will say"), file=sys.stderr)
        return Exit.UNAVAILABLE
    for problem in after.problems:
        print(f"maild: {problem}", file=sys.stderr)
    if after.waiting:
        print(say("takes effect at the next start: {keys}", keys=", ".join(after.waiting)))
    return Exit.NO if after.problems else Exit.OK


def _tell(running: loaded.Loaded | None) -> bool:
    if sys.platform == "win32":
        windows.ask_to_reload()
        return True
    return running is not None and posix.ask_to_reload(running.pid)


def _answer(folder: Path, before: loaded.Loaded) -> loaded.Loaded | None:
    """What the daemon says once it has loaded; None when it does not in time."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        after = loaded.read(folder)
        if after is not None and after.loaded_at != before.loaded_at:
            return after
        time.sleep(0.05)
    return None
