"""Scheduled tasks in the model, with the two fingerprints that the kind keeps in the registry."""

from __future__ import annotations

import hashlib
import threading

from lab.kinds.states import ABSENT, Item, Request, present
from lab.model.host import Host

RECORDS = "HKLM\\SOFTWARE\\pyinfra-winrm\\Tasks"
_FINE = (0, 0x41300, 0x41301, 0x41303)


def read(host: Host, key: Request) -> Item:
    """Definition, recorded fingerprints, last result."""
    xml = host.tasks.xml(key["path"])
    if xml is None:
        return ABSENT
    info = host.tasks.info(key["path"])
    recorded = host.registry.data(RECORDS, key["path"], "")
    return present(xml=xml, recorded=recorded, last_result=info["last_result"])


def apply(host: Host, desired: Request) -> None:
    """Registers, runs again or removes the task."""
    path = desired["path"]
    there = host.tasks.xml(path) is not None
    if desired["state"] == "absent":
        if there:
            host.tasks.delete(path)
        host.registry.delete_value(RECORDS, path)
        return
    failed = there and host.tasks.info(path)["last_result"] not in _FINE
    host.tasks.register(path, desired["xml"])
    given, made = (hashlib.sha256(xml.encode()).hexdigest() for xml in (desired["xml"], host.tasks.xml(path) or ""))
    host.registry.set(RECORDS, path, "String", f"{given} {made}")
    if failed and desired["rerun_failed"]:
        threading.Thread(target=host.tasks.run, args=(path,), daemon=True).start()
