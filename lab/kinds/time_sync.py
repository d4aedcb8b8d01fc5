"""The time service in the model."""

from __future__ import annotations

from lab.kinds import builtin
from lab.kinds.states import ABSENT, Item, Request, present
from lab.model.host import Host
from lab.model.remoting import W32TIME


def read(host: Host, key: Request) -> Item:
    """Peers, start type and status; ``absent`` while the clock follows the domain."""
    configured = host.time.get()
    if configured["type"] != "NTP":
        return ABSENT
    start = host.registry.data(W32TIME, "Start", 3)
    return present(peers=configured["servers"], start=start, status=builtin.state(host, key["name"]))


def apply(host: Host, desired: Request) -> None:
    """Configures and starts the service, or hands the clock back."""
    if desired["state"] == "absent":
        host.time.configure(host.time.get()["servers"], "NT5DS")
        return
    builtin.set_start(host, desired["name"], "auto")
    builtin.start(host, desired["name"])
    host.time.configure(desired["peers"], "NTP")
