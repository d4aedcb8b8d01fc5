"""Event sources in the model; a source moves to another log by being made anew."""

from __future__ import annotations

from lab.kinds.states import ABSENT, Item, Request, present
from lab.model.host import Host


def read(host: Host, key: Request) -> Item:
    """Log and message file."""
    log = host.events.log_of(key["name"])
    found = host.events.get(key["name"], log) if log else None
    return ABSENT if found is None else present(log=found["log"], message_file=found["message_file"] or "")


def apply(host: Host, desired: Request) -> None:
    """Makes, moves or removes the source."""
    log = host.events.log_of(desired["name"])
    gone = desired["state"] == "absent"
    if log is not None and (gone or log.casefold() != desired["log"].casefold()):
        host.events.delete(desired["name"])
    if not gone:
        host.events.create(desired["name"], desired["message_file"], desired["log"])
