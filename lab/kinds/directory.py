"""Folders in the model: made with their access list, taken over or refused by their owner."""

from __future__ import annotations

from lab.kinds.states import ABSENT, Item, Request, present, unknown
from lab.model import acl
from lab.model.errors import HostError
from lab.model.host import Host


def read(host: Host, key: Request) -> Item:
    """Owner and access list."""
    found = host.files.stat(key["path"])
    if found is None:
        return ABSENT
    if found["type"] != "directory":
        return unknown(f"a {found['type']} is in its place")
    return present(sddl=host.files.sddl(key["path"]))


def apply(host: Host, desired: Request) -> None:
    """Makes, changes or removes the folder."""
    path, sddl = desired["path"], desired["sddl"]
    found = host.files.stat(path)
    there = found is not None
    if found is not None and found["type"] == "file":
        raise HostError("other", f"'{path}' is a file.", path)
    if desired["state"] == "absent":
        if there:
            host.files.delete_directory(path, recursive=desired["purge"])
        return
    if found is not None and found["type"] != "directory":
        raise HostError("other", f"'{path}' is a {found['type']}.", path)
    owner = acl.parse(sddl)[0] if sddl else None
    if there and owner is not None and not desired["adopt"] and host.files.owner(path) != owner:
        message = f"'{path}' belongs to {host.files.owner(path)}, who can change every right on it."
        raise HostError("access-denied", message, path)
    host.files.create_directory(path)
    if sddl:
        host.files.set_sddl(path, sddl)
