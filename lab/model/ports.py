"""Who listens: the real listeners of the host's processes, under the ports that Windows would show.

The lab binds 127.0.0.1 at ``base + port``; both numbers are told. What http.sys holds belongs to PID 4, as on Windows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psutil

from lab.model.processes import Processes

HTTP_SYS_PID = 4
HTTP_SYS = "System"
WEB = "W3SVC"  # listens through http.sys
WIDTH = 4000  # ports that one lab may use above its base


class Ports:
    """The TCP listeners of one host."""

    def __init__(self, processes: Processes, base: Callable[[], int]) -> None:
        self._processes = processes
        self._base = base

    def listening(self) -> list[dict[str, Any]]:
        """``{port, address, pid, image, service}`` for each listener, once under each of its two numbers."""
        rows = []
        for running in self._processes.all():
            http_sys = running.service == WEB
            row = {
                "pid": HTTP_SYS_PID if http_sys else running.pid,
                "image": HTTP_SYS if http_sys else running.launch.image.replace("/", "\\").rpartition("\\")[2],
                "service": "" if http_sys else running.service,
            }
            for address, bound in _listeners(running.pid):
                rows += [{"port": port, "address": address, **row} for port in self._numbers(bound)]
        return sorted(rows, key=lambda row: (row["port"], row["address"]))

    def _numbers(self, bound: int) -> list[int]:
        nominal = bound - self._base()
        return [nominal, bound] if 0 < nominal < WIDTH and nominal != bound else [bound]


def _listeners(pid: int) -> set[tuple[str, int]]:
    """Address and port of each listener of a process and its children."""
    found = set()
    try:
        for process in (psutil.Process(pid), *psutil.Process(pid).children(recursive=True)):
            for row in process.net_connections("tcp"):
                if row.status == psutil.CONN_LISTEN and row.laddr:
                    found.add((row.laddr.ip, row.laddr.port))
    except psutil.Error:
        return found
    return found
