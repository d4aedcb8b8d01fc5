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
        tree = {pid: running for running in self._processes.all() for pid in _family(running.pid)}
        rows = []
        for connection in psutil.net_connections("tcp"):
            if connection.status == psutil.CONN_LISTEN and connection.pid in tree and connection.laddr:
                running = tree[connection.pid]
                http_sys = running.service == WEB
                row = {
                    "address": connection.laddr.ip,
                    "pid": HTTP_SYS_PID if http_sys else running.pid,
                    "image": HTTP_SYS if http_sys else running.launch.image.replace("/", "\\").rpartition("\\")[2],
                    "service": "" if http_sys else running.service,
                }
                rows += [{"port": port, **row} for port in self._numbers(connection.laddr.port)]
        return sorted(rows, key=lambda row: (row["port"], row["address"]))

    def _numbers(self, bound: int) -> list[int]:
        nominal = bound - self._base()
        return [nominal, bound] if 0 < nominal < WIDTH and nominal != bound else [bound]


def _family(pid: int) -> list[int]:
    try:
        return [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]
    except psutil.Error:
        return [pid]
