"""WinRM listeners in the model; one for each transport."""

from __future__ import annotations

import base64
import hashlib
import threading
import time
from typing import Any

from lab.kinds.states import Item, Request, present
from lab.model.errors import not_found
from lab.model.host import Host

TASK = "\\pyinfra-winrm-listener"


def read(host: Host, key: Request) -> Item:
    """Port, name and certificate."""
    found = host.listeners.get(key["transport"])
    pin = {"fingerprint": (fingerprint(host, key["thumbprint"]) if key.get("thumbprint") else None) or ""}
    if found is None or found["address"] != key["address"]:
        return {"state": "absent", **pin}
    return {**present(port=found["port"], hostname=found["hostname"], thumbprint=found["thumbprint"]), **pin}


def fingerprint(host: Host, thumbprint: str) -> str | None:
    """The SHA-256 of a certificate of the machine's store, None when it is not there."""
    found = host.listeners.certificates().get(thumbprint.upper())
    return None if found is None else hashlib.sha256(base64.b64decode(found.get("raw", ""))).hexdigest()


def apply(host: Host, desired: Request) -> None:
    """Makes, changes or removes the listener."""
    if desired["state"] == "absent":
        if host.listeners.get(desired["transport"]) is not None:
            host.listeners.delete(desired["transport"])
        return
    if desired["transport"] == "HTTPS" and fingerprint(host, desired["thumbprint"]) is None:
        raise not_found(desired["thumbprint"], "certificate")
    fields = {name: desired[name] for name in ("address", "port", "hostname", "thumbprint")}
    if not desired.get("later"):
        host.listeners.set(desired["transport"], fields)
        return
    host.tasks.register(TASK, _definition())
    threading.Thread(target=_later, args=(host, desired["transport"], fields, desired["later"]), daemon=True).start()


def _later(host: Host, transport: str, fields: dict[str, Any], seconds: float) -> None:
    """What the task does: the change, once the session that asked for it is over, and its own end."""
    time.sleep(seconds)
    host.listeners.set(transport, fields)
    host.tasks.delete(TASK)


def _definition() -> str:
    return (
        '<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task"><Principals>'
        '<Principal id="Author"><UserId>S-1-5-18</UserId></Principal></Principals><Actions Context="Author"><Exec>'
        "<Command>powershell.exe</Command></Exec></Actions></Task>"
    )
