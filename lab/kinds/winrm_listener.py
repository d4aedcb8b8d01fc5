"""WinRM listeners in the model; one for each transport."""

from __future__ import annotations

from lab.kinds.states import ABSENT, Item, Request, present
from lab.model.host import Host


def read(host: Host, key: Request) -> Item:
    """Port, name and certificate."""
    found = host.listeners.get(key["transport"])
    if found is None or found["address"] != key["address"]:
        return ABSENT
    return present(port=found["port"], hostname=found["hostname"], thumbprint=found["thumbprint"])


def apply(host: Host, desired: Request) -> None:
    """Makes, changes or removes the listener."""
    if desired["state"] == "absent":
        if host.listeners.get(desired["transport"]) is not None:
            host.listeners.delete(desired["transport"])
        return
    fields = {name: desired[name] for name in ("address", "port", "hostname", "thumbprint")}
    host.listeners.set(desired["transport"], fields)
