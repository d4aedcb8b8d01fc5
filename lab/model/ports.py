"""Who listens: the real listeners of the host's processes, under the ports that Windows would show.

The lab binds 127.0.0.1 at ``base + port``; both numbers are given. What http.sys holds belongs to PID 4, as on Windows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import psutil

from lab.model.processes import Processes

HTTP_SYS_PID = 4
HTTP_SYS = "System"


class Ports:
    """The TCP listeners of one host."""

    def __init__(self, processes: Processes, base: Callable[[], int]) -> None:
        self._processes = processes
        self._base = base

    def listening(self) -> list[dict[str, Any]]:
        """``{port, bound, address, pid, image, owner, http_sys}`` for each listener, by port."""
        tree: dict[int, Any] = {}
        for running in self._processes.all():
            for pid in _family(running.pid):
                tree[pid] = running
        rows = []
        for connection in psutil.net_connections("tcp"):
            if connection.status != psutil.CONN_LISTEN or connection.pid not in tree or not connection.laddr:
                continue
            running = tree[connection.pid]
            bound = int(connection.laddr.port)
            nominal = bound - self._base()
            http_sys = running.launch.image.casefold().endswith("w3wp.exe")
            rows.append(
                {
                    "port": nominal if 0 < nominal < 10_000 else bound,
                    "bound": bound,
                    "address": connection.laddr.ip,
                    "pid": HTTP_SYS_PID if http_sys else running.pid,
                    "image": HTTP_SYS if http_sys else running.launch.image,
                    "owner": running.owner,
                    "http_sys": http_sys,
                }
            )
        return sorted(rows, key=lambda row: (row["port"], row["address"]))


def _family(pid: int) -> list[int]:
    try:
        return [pid, *(child.pid for child in psutil.Process(pid).children(recursive=True))]
    except psutil.Error:
        return [pid]
