"""The loopback endpoint that the PowerShell seam and the lab's own command line call: one JSON line in, one out.

``{"token": ..., "call": "registry.get", "args": {...}}`` -> ``{"ok": true, "value": ...}`` or ``{"ok": false, "error":
{code, message, what, win32}}``. Bytes travel as ``{"base64": ...}``. A connection may ask as often as it likes.
"""

from __future__ import annotations

import base64
import contextlib
import hmac
import json
import socket
import threading
from collections.abc import Callable, Mapping
from typing import Any

from lab.model.errors import HostError, refusal
from lab.model.host import Host

PARTS = (
    "files", "registry", "services", "tasks", "firewall", "accounts", "programs", "events", "time", "listeners",
    "ports", "system", "journal", "processes",
)  # fmt: skip
Call = Callable[..., Any]


def calls(host: Host) -> dict[str, Call]:
    """Every public method of the host's parts by its name."""
    found: dict[str, Call] = {}
    for part in PARTS:
        owner = getattr(host, part)
        for name in dir(owner):
            method = getattr(owner, name)
            if not name.startswith("_") and callable(method):
                found[f"{part}.{name}"] = method
    return found


def encode(value: Any) -> Any:
    """A result as JSON carries it."""
    if isinstance(value, bytes):
        return {"base64": base64.b64encode(value).decode()}
    if isinstance(value, Mapping):
        return {key: encode(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [encode(item) for item in value]
    return value


def decode(value: Any) -> Any:
    """An argument as the primitives take it."""
    if isinstance(value, dict):
        if set(value) == {"base64"}:
            return base64.b64decode(value["base64"])
        return {key: decode(item) for key, item in value.items()}
    if isinstance(value, list):
        return [decode(item) for item in value]
    return value


class Seam:
    """Serves calls on 127.0.0.1, to whoever has the token."""

    def __init__(self, offered: Mapping[str, Call], token: str, listener: socket.socket | None = None) -> None:
        self._offered = offered
        self._token = token
        self._listener = listener or socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]

    def serve(self) -> None:
        """Takes connections until it is closed."""
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._connection, args=(connection,), daemon=True).start()

    def close(self) -> None:
        """Takes no more connections."""
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _connection(self, connection: socket.socket) -> None:
        with contextlib.suppress(OSError), connection, connection.makefile("rb") as lines:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for line in lines:
                reply = json.dumps(self.answer(line), ensure_ascii=False, default=str)
                connection.sendall(reply.encode() + b"\n")

    def answer(self, line: bytes) -> dict[str, Any]:
        """The reply to one line."""
        try:
            asked = json.loads(line)
            if not hmac.compare_digest(str(asked.get("token")).encode(), self._token.encode()):
                return _refusal("access-denied", "The token is not this lab's.", "")
            call = self._offered.get(asked["call"])
            if call is None:
                return _refusal("other", f"The lab has no call '{asked['call']}'.", asked["call"])
            return {"ok": True, "value": encode(call(**decode(asked.get("args") or {})))}
        except Exception as error:  # noqa: BLE001 - every line has its answer
            failure = refusal(error, "the lab")
            return _refusal(failure.code, failure.message, failure.what, failure.win32)


def _refusal(code: str, message: str, what: str, win32: int = 0) -> dict[str, Any]:
    return {"ok": False, "error": {"code": code, "message": message, "what": what, "win32": win32}}


def call(port: int, token: str, name: str, arguments: Mapping[str, Any] | None = None, timeout: float = 120.0) -> Any:
    """Calls a running lab; raises ``HostError`` as the lab does, ``OSError`` when there is none."""
    line = json.dumps({"token": token, "call": name, "args": encode(arguments or {})})
    with socket.create_connection(("127.0.0.1", port), timeout) as connection:
        connection.sendall(line.encode() + b"\n")
        with connection.makefile("rb") as lines:
            reply = json.loads(lines.readline() or b"{}")
    if not reply.get("ok"):
        error = reply.get("error") or {"code": "other", "message": "the lab gave no answer"}
        raise HostError(error["code"], error["message"], error.get("what", ""), error.get("win32", 0))
    return decode(reply.get("value"))
