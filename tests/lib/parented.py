"""Work in processes of their own that end in order, with all they have started, on SIGTERM or with their parent.

``each`` runs one call a process and gives back the results; whatever ends the caller ends them too.
"""

from __future__ import annotations

import os
import signal
import threading
import traceback
from collections.abc import Callable, Mapping
from multiprocessing import connection, get_context, parent_process
from multiprocessing.connection import Connection
from typing import TypeVar

T = TypeVar("T")

STOP_SECONDS = 60
"""Patience with what a process has to end; nothing is judged by it."""


def end_in_order() -> None:
    """SIGTERM leaves the main thread through its ``finally`` clauses from now on; a second one changes nothing."""

    def leave(number: int, frame: object) -> None:
        del frame
        signal.signal(number, signal.SIG_IGN)
        raise SystemExit(128 + number)

    signal.signal(signal.SIGTERM, leave)


def each(calls: Mapping[str, tuple[Callable[..., T], tuple[object, ...]]]) -> dict[str, T]:
    """Runs each importable call with its arguments in a process of its own; RuntimeError for the first that fails."""
    context = get_context("spawn")
    workers = {}
    found: dict[str, T] = {}
    try:
        for name, (call, arguments) in calls.items():
            here, there = context.Pipe(duplex=False)
            workers[name] = (context.Process(target=_work, args=(there, call, arguments)), here)
            workers[name][0].start()
            there.close()
        for name, (_, here) in workers.items():
            found[name] = _result(name, here)
    finally:
        for name, (process, _) in workers.items():
            if name not in found:
                process.terminate()
        for process, _ in workers.values():
            process.join(STOP_SECONDS)
    return found


def _result(name: str, here: Connection) -> T:
    try:
        held, said = here.recv()
    except EOFError:
        raise RuntimeError(f"the process of {name} ended") from None
    if not held:
        raise RuntimeError(f"{name}: {said}")
    result: T = said
    return result


def _work(there: Connection, call: Callable[..., object], arguments: tuple[object, ...]) -> None:
    end_in_order()
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        there.send((True, call(*arguments)))
    except Exception:  # noqa: BLE001 - whatever it is, it is for the parent to tell
        there.send((False, traceback.format_exc()))


def _end_with_parent() -> None:
    parent = parent_process()
    assert parent is not None
    connection.wait([parent.sentinel])
    os.kill(os.getpid(), signal.SIGTERM)
