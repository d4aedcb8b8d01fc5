"""Files in the model: replaced whole, with the access list they had unless another is wanted."""

from __future__ import annotations

import base64

from lab.kinds.states import ABSENT, Item, Request, present, unknown
from lab.model.errors import HostError
from lab.model.host import Host


def read(host: Host, key: Request) -> Item:
    """Hash, owner and access list."""
    found = host.files.stat(key["path"])
    if found is None:
        return ABSENT
    if found["type"] != "file":
        return unknown(f"a {found['type']} is in its place")
    return present(sha256=host.files.sha256(key["path"]), sddl=host.files.sddl(key["path"]))


def apply(host: Host, desired: Request) -> None:
    """Writes, changes or removes the file."""
    path = desired["path"]
    found = host.files.stat(path)
    there = found is not None
    if found is not None and found["type"] == "directory":
        raise HostError("other", f"'{path}' is a folder.", path)
    if desired["state"] == "absent":
        if there:
            host.files.delete(path)
        return
    if found is not None and found["type"] != "file":
        raise HostError("other", f"'{path}' is a {found['type']}.", path)
    staged = desired["staged"]
    if not there or (not desired["once"] and host.files.sha256(path) != desired["sha256"]):
        if staged:
            host.files.replace(staged, path)
        else:
            host.files.write(path, base64.b64decode(desired["content"]))
    if staged and host.files.stat(staged) is not None:
        host.files.delete(staged)
    if desired["sddl"]:
        host.files.set_sddl(path, desired["sddl"])
