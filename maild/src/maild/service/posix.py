"""Signals: SIGTERM and SIGINT stop, SIGHUP reloads. On a loop without signal handlers only an interrupt stops."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable


def listen(stop: Callable[[], None], reload: Callable[[], None]) -> None:
    """Binds the signals to the running loop."""
    loop = asyncio.get_running_loop()
    handlers = {"SIGTERM": stop, "SIGINT": stop, "SIGHUP": reload}
    for name, handler in handlers.items():
        number = getattr(signal, name, None)
        if number is None:
            continue
        try:
            loop.add_signal_handler(number, handler)
        except NotImplementedError:
            # Windows' loops have none: Ctrl-C arrives as KeyboardInterrupt, the service manager by its own way.
            return


def ask_to_reload(process: int) -> bool:
    """Sends SIGHUP to a daemon; False when there is no such process, or no such signal here."""
    number = getattr(signal, "SIGHUP", None)
    if number is None:
        return False
    try:
        os.kill(process, number)
    except OSError:
        return False
    return True
