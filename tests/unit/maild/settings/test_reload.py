"""What a reload takes up, and what it names as waiting for the next start."""

from __future__ import annotations

from pathlib import Path

import msgspec

from maild.settings import Settings, parse, waiting
from maild.settings.base import Table
from maild.settings.reload import NEXT_START, differences

BEFORE = 'hostname = "mail.example.net"\n'


def settings(more: str = "") -> Settings:
    return parse(BEFORE + more, Path("/etc/maild"))


def keys(table: Table, place: str = "") -> set[str]:
    """Every key and table by its dotted name."""
    found: set[str] = set()
    for field in msgspec.structs.fields(table):
        value = getattr(table, field.name)
        found.add(place + field.name)
        if isinstance(value, Table):
            found |= keys(value, f"{place}{field.name}.")
    return found


def test_what_did_not_change_waits_for_nothing() -> None:
    assert waiting(settings(), settings()) == ()
    assert differences(settings(), settings("[limits]\nhops = 100\n")) == ()


def test_what_sessions_and_the_queue_follow_does_not_wait() -> None:
    changed = settings('language = "ko"\n[limits]\nhops = 50\n[queue]\nworkers = 3\n[dns]\nservers = ["192.0.2.1"]\n')
    assert differences(settings(), changed) == ("language", "limits.hops", "dns.servers", "queue.workers")
    assert waiting(settings(), changed) == ()


def test_what_the_daemon_stands_on_waits_and_is_named() -> None:
    changed = settings('data_folder = "other"\n[database]\nhost = "192.0.2.1"\n[limits]\nhandshakes = 3\nhops = 50\n')
    assert waiting(settings(), changed) == ("data_folder", "database.host", "limits.handshakes")


def test_every_name_of_what_waits_is_a_key() -> None:
    assert keys(settings()) >= NEXT_START
