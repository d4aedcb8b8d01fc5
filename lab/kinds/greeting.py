"""The outside, for which the lab stands in: a mail server that greets, or nothing at all where port 25 is blocked."""

from __future__ import annotations

from lab.kinds.states import Item, Request, present
from lab.model.errors import HostError
from lab.model.host import Host


def read(host: Host, key: Request) -> Item:
    """What the first that greets as expected says, or why none does."""
    said, failures = "", []
    for name in key["hosts"]:
        try:
            said = line(host, name, key["port"], key["timeout"])
        except HostError as error:
            failures.append(f"{name}: {error.message}")
        if said.startswith(key["expects"]):
            return present(said=said, failure="")
    return present(said=said, failure="; ".join(failures))


def apply(host: Host, desired: Request) -> None:
    """Nothing that a host could do."""


def line(host: Host, name: str, port: int, timeout: int) -> str:
    """The first line of a server outside; nobody is really called."""
    if port in host.system.get("blocked_outbound"):
        raise HostError("other", f"No connection within {timeout} s.", name)
    return f"220 {name} the lab stands in for it"
