"""A maild forked from a process that has loaded its code, for promises that start it hundreds of times.

It is the same daemon in a process of its own, settings and store opened anew; only the imports, most of the CPU of a
start, are done once.
"""

from __future__ import annotations

import multiprocessing
import os
from dataclasses import dataclass
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.lib.daemon import Site, wait_ready

STOP_SECONDS = 30


@dataclass
class Preloaded:
    """The process; entering starts it and waits until port 25 greets."""

    site: Site
    process: ForkServerProcess | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def start(self) -> None:
        """Starts and waits until port 25 greets."""
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["maild.cli.serve", "uvloop"])
        process = context.Process(target=_serve, args=(self.site.settings, self.site.folder / "stdout"))
        process.start()
        self.process = process
        wait_ready(self.site, lambda: not process.is_alive())

    def stop(self) -> None:
        """SIGTERM, and SIGKILL when that is not enough."""
        if self.process is None:
            return
        self.process.terminate()
        self.process.join(STOP_SECONDS)
        self.kill()

    def kill(self) -> None:
        """SIGKILL."""
        assert self.process is not None
        self.process.kill()
        self.process.join()


def _serve(settings: Path, said: Path) -> None:
    from maild.cli.serve import foreground  # noqa: PLC0415 - loaded where it is forked, not where it is asked for

    with said.open("ab") as stream:
        os.dup2(stream.fileno(), 1)
        os.dup2(stream.fileno(), 2)
    raise SystemExit(foreground(settings))
