"""Registry values in the model."""

from __future__ import annotations

from lab.kinds.states import ABSENT, Item, Request, present
from lab.model.host import Host


def read(host: Host, key: Request) -> Item:
    """Type and data."""
    found = host.registry.get(key["key"], key["name"])
    return ABSENT if found is None else present(type=found["type"], data=found["data"])


def apply(host: Host, desired: Request) -> None:
    """Sets or removes the value."""
    if desired["state"] == "absent":
        host.registry.delete_value(desired["key"], desired["name"])
    else:
        host.registry.set(desired["key"], desired["name"], desired["type"], desired["data"])
