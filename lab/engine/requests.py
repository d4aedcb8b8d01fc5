"""The host script's verbs, answered by the model: what the PowerShell of ``host.ps1`` does, in Python.

One ``Requests`` is one session. Kinds are found by their module in ``lab.kinds``; the scripts that a session loads are
accepted unread.
"""

from __future__ import annotations

import base64
import importlib
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, cast

from lab.engine.runlock import RunLock
from lab.engine.upload import Upload
from lab.model.errors import HostError, refusal
from lab.model.host import Host

Request = dict[str, Any]
Reply = dict[str, Any]


class KindModule(Protocol):
    """What a module of ``lab.kinds`` has."""

    def read(self, host: Host, key: Request) -> Reply:
        """The state as an item."""

    def apply(self, host: Host, desired: Request) -> None:
        """Makes the desired state."""


def kind(name: str) -> KindModule:
    """The model's side of a kind."""
    if not re.fullmatch(r"[a-z_]+", name):
        raise HostError("other", f"there is no kind '{name}'", name)
    try:
        return cast("KindModule", importlib.import_module(f"lab.kinds.{name}"))
    except ModuleNotFoundError as error:
        raise HostError("other", f"the lab has no kind '{name}'", name) from error


def windows(path: str) -> str:
    """A path of a request in Windows form, as ``Resolve-HostPath`` makes it."""
    return path.replace("/", "\\")


class Requests:
    """The state of one session and its verbs."""

    def __init__(self, host: Host, lock: RunLock, run: Callable[[str], Reply], facts: Callable[[], Reply]) -> None:
        self._host = host
        self._lock = lock
        self._run = run
        self._facts = facts
        self._upload: Upload | None = None
        self.lease = 0.0
        self._verbs: dict[str, Callable[[Request], Reply]] = {
            "load": lambda _: {},
            "ping": lambda _: {},
            "read": self._read,
            "apply": self._apply,
            "run": lambda request: self._run(request["script"]),
            "upload.begin": self._begin,
            "upload.end": self._end,
            "download": self._download,
            "lock": self._take_lock,
            "unlock": self._release,
            "facts": lambda _: {"facts": self._facts()},
        }

    def answer(self, request: Request) -> Reply | None:
        """The reply's fields; None for what is not answered."""
        if request["verb"] == "upload.chunk":
            if self._upload is not None:
                self._upload.chunk(request["number"], request["data"])
            return None
        try:
            return {"ok": True, **self._verb(request["verb"])(request)}
        except Exception as error:  # noqa: BLE001 - as the host script's catch: no request ends the session
            failure = self._told(error, request["verb"])
            return {"ok": False, "error": {"code": failure.code, "message": failure.message, "what": failure.what}}

    def close(self) -> None:
        """Ends the session: the lock goes with it."""
        if self._upload is not None:
            self._upload.drop()
        self._lock.release(self)

    def _verb(self, name: str) -> Callable[[Request], Reply]:
        if name not in self._verbs:
            raise HostError("other", f"the host script has no verb {name}", name)
        return self._verbs[name]

    def _read(self, request: Request) -> Reply:
        items = []
        for item in request["items"]:
            try:
                items.append(kind(item["kind"]).read(self._host, item["key"]))
            except Exception as error:  # noqa: BLE001 - one that cannot be read leaves the others readable
                items.append({"state": "unknown", "reason": self._told(error, item["kind"]).message})
        return {"items": items, "held": self._lock.other(self)}

    def _told(self, error: Exception, where: str) -> HostError:
        return refusal(error, where, lambda real: self._host.drive.windows(Path(real)) or real)

    def _apply(self, request: Request) -> Reply:
        module = kind(request["kind"])
        module.apply(self._host, request["desired"])
        return {"state": module.read(self._host, request["key"])}

    def _begin(self, request: Request) -> Reply:
        if self._upload is not None:
            self._upload.drop()
        self._upload = Upload(self._host.files, windows(request["path"]))
        return {}

    def _end(self, request: Request) -> Reply:
        upload, self._upload = self._upload, None
        if upload is None:
            raise HostError("other", "no upload was begun")
        return {"sha256": upload.end(str(request.get("sha256")), float(request.get("patience") or 0))}

    def _download(self, request: Request) -> Reply:
        path = windows(request["path"])
        found = self._host.files.stat(path)
        data = self._host.files.read(path, int(request["offset"]), int(request["length"]))
        return {"data": base64.b64encode(data).decode(), "size": found["size"] if found else 0}

    def _take_lock(self, request: Request) -> Reply:
        holder = {name: request[name] for name in ("run", "user", "start")}
        held = self._lock.take(self, holder)
        if held is not None:
            return {"held": held}
        self.lease = float(request.get("lease") or 0)
        return {}

    def _release(self, _: Request) -> Reply:
        self._lock.release(self)
        self.lease = 0.0
        return {}
