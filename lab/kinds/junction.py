"""Junctions in the model: a name made, pointed elsewhere or removed; what it leads to stays."""

from __future__ import annotations

from lab.kinds.states import ABSENT, Item, Request, present, unknown
from lab.model.errors import HostError
from lab.model.host import Host


def read(host: Host, key: Request) -> Item:
    """Where it leads."""
    found = host.files.stat(key["path"])
    if found is None:
        return ABSENT
    if found["type"] != "junction":
        return unknown(f"a {found['type']} is in its place")
    return present(target=found["target"])


def apply(host: Host, desired: Request) -> None:
    """Makes, moves or removes the name."""
    found = host.files.stat(desired["path"])
    if found is not None and found["type"] != "junction":
        raise HostError("other", f"'{desired['path']}' is a {found['type']}.", desired["path"])
    if desired["state"] == "present":
        host.files.create_junction(desired["path"], desired["target"])
    elif found is not None:
        host.files.delete(desired["path"])
