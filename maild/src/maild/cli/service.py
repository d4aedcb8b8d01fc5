"""``maild service``: runs the daemon for Windows' service manager, which starts, stops and reloads it.

The manager gives a process 30 seconds to report; so that is done first, and the daemon's modules are loaded after it.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from maild.cli import Exit, Subparsers, add_settings
from maild.service.windows import Service, ServiceError

if TYPE_CHECKING:
    from maild.app import Daemon

START_SECONDS = 30
"""How long a control waits for a daemon that is just starting."""


def register(subparsers: Subparsers) -> None:
    """Adds the command."""
    parser = subparsers.add_parser("service", help="run for the service manager", description=__doc__)
    add_settings(parser)
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Gives the process to the service manager; exit status 69 when it was not the one that started it."""
    try:
        as_service(args.settings)
    except ServiceError as error:
        print(f"maild: {error}", file=sys.stderr)
        return Exit.UNAVAILABLE
    return Exit.OK


def as_service(settings_file: Path) -> None:
    """Serves until the manager says stop."""
    ready = threading.Event()
    found: list[tuple[Daemon, asyncio.AbstractEventLoop]] = []

    def main(running: Callable[[], None]) -> int:
        from maild.cli.serve import foreground  # noqa: PLC0415 - after the report to the manager

        def started(daemon: Daemon) -> None:
            found.append((daemon, asyncio.get_running_loop()))
            ready.set()
            running()

        return foreground(settings_file, started)

    def tell(what: Callable[[Daemon], Callable[[], None]]) -> None:
        if ready.wait(timeout=START_SECONDS) and found:
            daemon, loop = found[0]
            loop.call_soon_threadsafe(what(daemon))

    Service(main, lambda: tell(lambda daemon: daemon.stop), lambda: tell(lambda daemon: daemon.reload)).run()
