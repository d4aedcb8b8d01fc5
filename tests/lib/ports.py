"""A free port of 127.0.0.1, for a server that a test is about to start.

Ports come in turn from a range below those the kernel gives to clients and beside those of the labs, by a counter that
all processes of this user share: nobody is given the same one before a whole round is over, and no client's own end
takes one between its choice and its server's start.
"""

from __future__ import annotations

import fcntl
import os
import socket
import tempfile
from pathlib import Path

RANGE = range(7_000, 10_000)


def free_port(within: range = RANGE) -> int:
    """The next port that nobody listens on, neither TCP nor UDP; OSError when there is none in the whole range."""
    counter = Path(tempfile.gettempdir()) / f"mailhost-ports-{os.getuid()}"
    with counter.open("a+", encoding="ascii") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        file.seek(0)
        turn = int(file.read() or 0)
        for step in range(len(within)):
            port = within[(turn + step) % len(within)]
            if _free(port):
                file.truncate(0)
                file.write(str(turn + step + 1))
                return port
    raise OSError(f"no free port between {within.start} and {within.stop}")


def _free(port: int) -> bool:
    with socket.socket() as tcp, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp:
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            tcp.bind(("127.0.0.1", port))
            udp.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
