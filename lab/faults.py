"""Faults on command, each made by its cause: a connection is cut, input is held back, a process holds a file or a port.

A fault waits for its moment (a verb of the host script, the n-th such request) and then happens as often as it was
asked for. What it leads to is for the client to find out.
"""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from lab.wsman.server import CutError
from lab.wsman.soap import SHELL, SHELL_ACTION, Request
from lab.wsman.streams import verbs_in

Kind = Literal["cut", "cut-after", "partial", "delay", "stall", "down", "reboot"]
KINDS: tuple[Kind, ...] = ("cut", "cut-after", "partial", "delay", "stall", "down", "reboot")
REFUSED = 2.0  # seconds that a host is gone when nothing else is asked for
SOON = 0.1  # seconds after which a reboot in the middle of a request takes the host away


@dataclass(slots=True)
class Fault:
    """One fault that waits.

    verb: happens at requests with this verb of the host script; empty for any WS-Management request.
    after: lets so many of them pass first. times: happens so often, 0 for ever. seconds: how long it takes or lasts.
    """

    kind: Kind
    verb: str = ""
    after: int = 0
    times: int = 1
    seconds: float = 0.0
    seen: int = field(default=0)
    happened: int = field(default=0)

    def strikes(self, verbs: list[str]) -> bool:
        """Whether it happens at a request that carries these verbs."""
        matching = 1 if not self.verb else sum(fits(self.verb, verb) for verb in verbs)
        if not matching or (self.times and self.happened >= self.times):
            return False
        self.seen += matching
        if self.seen <= self.after:
            return False
        self.happened += 1
        return True


def fits(wanted: str, verb: str) -> bool:
    """Whether a verb is the wanted one; ``change`` and ``upload`` stand for several."""
    if wanted == "change":
        return verb in ("apply", "run") or verb.startswith("upload")
    return verb == wanted or (wanted == "upload" and verb.startswith("upload"))


class Gate:
    """The server's gate: where the faults of one host happen."""

    def __init__(self, reboot: Callable[[float], None], sleep: Callable[[float], None] = time.sleep) -> None:
        self._reboot = reboot
        self._sleep = sleep
        self._lock = threading.Lock()
        self._faults: list[Fault] = []
        self._down_until = 0.0
        self._stall = 0.0
        self.served = 0
        self.refused = {"credentials": 0, "clear text": 0}

    def add(self, fault: Fault) -> None:
        """Sets a fault; ``down`` without a verb happens at once."""
        if fault.kind == "down" and not fault.verb:
            self.down(fault.seconds or REFUSED)
            return
        with self._lock:
            self._faults.append(fault)

    def clear(self) -> None:
        """Takes all faults back."""
        with self._lock:
            self._faults.clear()
            self._down_until = 0.0

    def waiting(self) -> list[dict[str, Any]]:
        """The faults that are set, with what they have seen."""
        names = ("kind", "verb", "after", "times", "seconds", "seen", "happened")
        with self._lock:
            return [{name: getattr(fault, name) for name in names} for fault in self._faults]

    def down(self, seconds: float) -> None:
        """Connections are dropped for so long."""
        with self._lock:
            self._down_until = time.monotonic() + seconds

    def admit(self) -> bool:
        """See ``lab.wsman.server.Gate``."""
        return time.monotonic() >= self._down_until

    def refuse(self, why: str) -> None:
        """See ``lab.wsman.server.Gate``."""
        self.refused[why] += 1

    def before(self, request: Request) -> None:
        """See ``lab.wsman.server.Gate``."""
        if not self.admit():
            raise CutError
        self.served += 1
        for fault in self._striking(request, ("cut", "delay", "stall", "down", "reboot")):
            if fault.kind == "delay":
                self._sleep(fault.seconds)
            elif fault.kind == "stall":
                self._stall = fault.seconds
            elif fault.kind == "reboot":
                threading.Timer(SOON, self._reboot, (fault.seconds or REFUSED,)).start()
            else:
                if fault.kind == "down" or fault.seconds:
                    self.down(fault.seconds or REFUSED)
                raise CutError

    def stall(self) -> float:
        """How long the program takes before it reads the input that comes now."""
        seconds, self._stall = self._stall, 0.0
        return seconds

    def after(self, request: Request, answer: bytes) -> float:
        """See ``lab.wsman.server.Gate``."""
        del answer
        sent = 1.0
        for fault in self._striking(request, ("cut-after", "partial")):
            sent = min(sent, 0.0 if fault.kind == "cut-after" else 0.5)
            if fault.seconds:
                self.down(fault.seconds)
        return sent

    def _striking(self, request: Request, kinds: tuple[str, ...]) -> list[Fault]:
        with self._lock:
            candidates = [fault for fault in self._faults if fault.kind in kinds]
            if not candidates:
                return []
            verbs = request_verbs(request)
            return [fault for fault in candidates if fault.strikes(verbs)]


def request_verbs(request: Request) -> list[str]:
    """The host script's verbs in what a Send carries, or the name of any other action."""
    if request.action != f"{SHELL_ACTION}/Send":
        return [request.action.rpartition("/")[2].lower()]
    found = ["send"]
    for stream in request.body.iter(f"{SHELL}Stream"):
        with contextlib.suppress(ValueError):
            found += verbs_in(stream.text or "")
    return found
