"""The time service in the model."""

from __future__ import annotations

from lab.kinds.states import ABSENT, Item, Request, present
from lab.model.host import Host
from lab.model.remoting import W32TIME


def read(host: Host, key: Request) -> Item:
    """Peers, start type and status; ``absent`` while the clock follows the domain."""
    configured = host.time.get()
    if configured["type"] != "NTP":
        return ABSENT
    name = key["name"]
    status = host.services.status(name)["state"] if host.services.exists(name) else "stopped"
    return present(peers=configured["servers"], start=host.registry.data(W32TIME, "Start", 3), status=status)


def apply(host: Host, desired: Request) -> None:
    """Configures and starts the service, or hands the clock back."""
    name = desired["name"]
    if desired["state"] == "absent":
        host.time.configure(host.time.get()["servers"], "NT5DS")
        return
    host.time.configure(desired["peers"], "NTP")
    if host.services.exists(name):
        host.services.configure(name, {"start": "auto"})
        if host.services.status(name)["state"] != "running":
            host.services.start(name)
