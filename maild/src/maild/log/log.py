"""What the daemon writes to: one object with a method a kind of line.

It is passed to whatever logs; nothing looks it up. ``Log.to(list)`` collects records instead, for tests.
"""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable

from maild.log.record import Kind, Record


class Log:
    """Gives records of all kinds to a sink."""

    def __init__(self, sink: Callable[[Record], None], *, debug: bool = False) -> None:
        self._sink = sink
        self.debugging = debug
        """Whether DEBUG lines are written."""
        self._thread = threading.get_native_id()

    @classmethod
    def to(cls, records: list[Record]) -> Log:
        """A log that appends to a list."""
        return cls(records.append, debug=True)

    def received(self, kind: Kind, session: int, address: str, text: str) -> None:
        """A line a client sent, secrets already replaced."""
        self._sink(Record(kind, time.time(), self._thread, session, address, "RECEIVED: " + text))

    def sent(self, kind: Kind, session: int, address: str, text: str) -> None:
        """A line we sent."""
        self._sink(Record(kind, time.time(), self._thread, session, address, "SENT: " + text))

    def tcpip(self, text: str, *, session: int = 0, address: str = "", **fields: object) -> None:
        """What happened on the network below a protocol: connections, TLS."""
        self._sink(Record("TCPIP", time.time(), self._thread, session, address, text, fields))

    def application(self, text: str, *, session: int = 0, address: str = "", **fields: object) -> None:
        """What the daemon did: started, accepted a message, banned an address."""
        self._sink(Record("APPLICATION", time.time(), self._thread, session, address, text, fields))

    def debug(self, text: str, *, session: int = 0, address: str = "", **fields: object) -> None:
        """What helps to find a fault; written when the settings ask for it."""
        if self.debugging:
            self._sink(Record("DEBUG", time.time(), self._thread, session, address, text, fields))

    def fault(
        self, text: str, cause: BaseException | None = None, *, session: int = 0, address: str = "", **fields: object
    ) -> None:
        """What an administrator should look at; ``cause`` brings its type, text and place."""
        if cause is not None:
            frames = traceback.extract_tb(cause.__traceback__)
            place = f" ({frames[-1].filename}:{frames[-1].lineno})" if frames else ""
            text = f"{text}: {type(cause).__name__}: {cause}{place}"
        self._sink(Record("ERROR", time.time(), self._thread, session, address, text, fields))
