"""Programs that take a desired state, in the model: really run, with the state in a file only administrators read."""

from __future__ import annotations

import json
from typing import Any

from lab.kinds.mysql import write_closed
from lab.kinds.states import ABSENT, Item, Request, present, unknown
from lab.model.errors import HostError
from lab.model.host import Host

IN_STEP, FINDINGS = 0, 2


def read(host: Host, key: Request) -> Item:
    """What the program would change; ``unknown`` when it is not there or cannot tell."""
    if host.files.stat(key["program"]) is None:
        if key["absent"]:
            return ABSENT
        return unknown(f"'{key['program']}' is not there yet")
    try:
        found = _run(host, key, " --dry")
    except HostError as error:
        return unknown(error.message)
    if key["absent"] and not found["changes"]:
        return ABSENT
    return present(changes=found["changes"], not_managed=found["not_managed"], report=found.get("report"))


def apply(host: Host, desired: Request) -> None:
    """Has the program make its changes."""
    if desired["absent"] and host.files.stat(desired["program"]) is None:
        return
    _run(host, desired, "")


def _run(host: Host, key: Request, dry: str) -> dict[str, Any]:
    given = f"{key['folder']}\\desired-{key['name']}.json"
    write_closed(host, given, key["desired"].encode())
    try:
        line = f'"{key["program"]}" {key["arguments"]}{dry} --json --desired "{given}"'
        done = host.programs.run(line, timeout=key["timeout"])
    finally:
        host.files.delete(given)
    found = _found(done["out"]) if done["rc"] in (IN_STEP, FINDINGS) else None
    if found is None:
        said = done["err"].decode("utf-8", "replace").strip().splitlines()
        raise HostError("other", said[-1] if said else f"it ended with {done['rc']}", key["name"])
    return found


def _found(printed: bytes) -> dict[str, Any] | None:
    try:
        found = json.loads(printed)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None
