"""Unpacked archives in the model: unpacked beside their folder, recorded, moved there whole."""

from __future__ import annotations

import json
from typing import Any

from lab.kinds import fetch, unpack
from lab.kinds.states import ABSENT, Item, Request, present, unknown
from lab.model.host import Host

RECORD = ".archive.json"


def read(host: Host, key: Request) -> Item:
    """The record, and what is really there."""
    path = key["path"]
    found = host.files.stat(path)
    if found is None:
        return ABSENT
    if found["type"] != "directory":
        return unknown(f"a {found['type']} is in its place")
    measured = unpack.measure(host, path, RECORD)
    return present(record=record(host, path), **measured)


def record(host: Host, path: str) -> dict[str, Any]:
    """What the folder says it was unpacked from; nothing when it does not."""
    name = f"{path}\\{RECORD}"
    if host.files.stat(name) is None:
        return {}
    found: dict[str, Any] = json.loads(host.files.read(name))
    return found


def apply(host: Host, desired: Request) -> None:
    """Fetches, checks and unpacks, or removes."""
    path, fresh = desired["path"], desired["path"] + ".new"
    if desired["state"] == "absent":
        clear(host, path)
        return
    download = desired["download"]
    archive = fetch.staged(host, download)
    clear(host, fresh)
    unpack.expand(host, archive, fresh, "", strip=desired["strip"])
    if desired["signed"]:
        fetch.check_signer(host, f"{fresh}\\{desired['signed']}", download["publisher"])
    made = {
        "sha256": download["sha256"],
        "publisher": download["publisher"],
        "strip": desired["strip"],
        "signed": desired["signed"],
        **unpack.measure(host, fresh, RECORD),
    }
    host.files.write(f"{fresh}\\{RECORD}", json.dumps(made, separators=(",", ":")).encode())
    clear(host, path)
    host.files.move(fresh, path)
    host.files.delete(archive)


def clear(host: Host, path: str) -> None:
    """Removes a folder that may be there."""
    if host.files.stat(path) is not None:
        host.files.delete_directory(path, recursive=True)
