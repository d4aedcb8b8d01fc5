"""A host that is a Python function: a session's link whose requests are answered in place, cut where a test says."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import requests

from pyinfra_winrm.protocol import decode_request, encode_reply
from pyinfra_winrm.secret import Secret
from pyinfra_winrm.session import Session
from pyinfra_winrm.settings import Connection, connection

Answer = Callable[[dict[str, Any]], dict[str, Any] | None]

DATA: dict[str, Any] = {
    "winrm_host": "server", "winrm_user": "ops", "winrm_password": Secret("hunter2"), "winrm_scheme": "https",
    "winrm_transport": "ntlm", "winrm_connect_timeout": 1, "winrm_operation_timeout": 1, "winrm_read_timeout": 60,
    "winrm_change_timeout": 60, "winrm_lock_wait": 5, "winrm_lock_lease": 60,
}  # fmt: skip


def settings(**changed: Any) -> Connection:
    return connection(DATA | changed, {})


@dataclass
class ScriptedHost:
    """Answers by ``answer``; ``cut_before`` and ``cut_after`` name verbs at which the connection breaks once."""

    answer: Answer
    cut_before: list[str] = field(default_factory=list)
    cut_after: list[str] = field(default_factory=list)
    asked: list[dict[str, Any]] = field(default_factory=list)
    opened: int = 0
    closed: int = 0
    abandoned: int = 0
    silent: bool = False

    def session(self, **changed: Any) -> Session:
        return Session(settings(**changed), lambda name: f"# {name}", link=lambda _: ScriptedLink(self))

    def verbs(self) -> list[str]:
        return [request["verb"] for request in self.asked]

    def take(self, request: dict[str, Any]) -> dict[str, Any] | None:
        verb = request["verb"]
        if verb in self.cut_before:
            self.cut_before.remove(verb)
            raise requests.ConnectionError("cut")
        self.asked.append(request)
        fields = {} if verb == "load" else self.answer(request)
        if verb in self.cut_after:
            self.cut_after.remove(verb)
            raise requests.ConnectionError("cut")
        return fields


@dataclass
class ScriptedLink:
    host: ScriptedHost
    requests: int = 0
    waiting: bytearray = field(default_factory=bytearray)

    def open(self, command_line: str) -> None:
        assert "-EncodedCommand" in command_line
        self.host.opened += 1

    def send(self, data: bytes) -> None:
        self.requests += 1
        for line in data.splitlines():
            request = decode_request(line)
            fields = self.host.take(request)
            if fields is not None:
                self.waiting += encode_reply(request["id"], {"ok": True} | fields)

    def receive(self, seconds: int | None = None) -> tuple[bytes, bytes, bool] | None:
        del seconds
        self.requests += 1
        if self.host.silent or not self.waiting:
            return None
        data, self.waiting = bytes(self.waiting), bytearray()
        return data, b"", False

    def terminate(self) -> None:
        self.close()

    def abandon(self) -> None:
        self.host.abandoned += 1

    def close(self) -> None:
        self.host.closed += 1


class Ticking:
    """A clock that a test moves, with the sleep that goes with it."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        self.now += 0.1
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


@contextmanager
def ticking(session: Session) -> Iterator[Ticking]:
    clock = Ticking()
    session.clock = clock
    yield clock


def failure(code: str, message: str, what: str = "") -> Mapping[str, Any]:
    return {"ok": False, "error": {"code": code, "message": message, "what": what}}
