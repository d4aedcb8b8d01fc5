from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from lab import snapshot
from lab.model.host import Host
from lab.model.state import net
from tests.lib.labhost import bare_host, sleeper

FILE = "C:\\Mailhost\\etc\\설정"


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    with bare_host(tmp_path / "lab") as host:
        host.files.create_directory("C:\\Mailhost\\etc")
        host.files.write(FILE, b"1")
        yield host


def picture(host: Host) -> snapshot.Snapshot:
    return snapshot.take(host.root, os.getpid())


CHANGES: dict[str, Callable[[Host], object]] = {
    "the same content written anew": lambda host: host.drive.real(FILE).write_bytes(b"1"),
    "another content": lambda host: host.drive.real(FILE).write_bytes(b"2"),
    "a new file": lambda host: host.drive.real(FILE + "2").write_bytes(b""),
    "a file less": lambda host: host.drive.real(FILE).unlink(),
    "a junction": lambda host: host.files.create_junction("C:\\Mailhost\\current", "C:\\Mailhost\\etc"),
    "another process": lambda host: host.processes.start(host.processes.launch(sleeper(host)), "test"),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_picture_shows_each_change(host: Host, name: str):
    before = picture(host)
    assert snapshot.differences(before, picture(host)) == []
    CHANGES[name](host)
    assert snapshot.differences(before, picture(host))


@pytest.mark.parametrize("name", ["Mailhost\\logs", "Mailhost\\data", "Mailhost\\mysql\\data"])
def test_what_a_mail_server_writes_while_it_serves_is_apart(host: Host, name: str):
    host.files.create_directory(f"C:\\{name}")
    before = picture(host)
    host.files.write(f"C:\\{name}\\today", b"x")
    assert snapshot.differences(before, picture(host)) == []


RECORDED: dict[str, Callable[[Host], object]] = {
    "registry": lambda host: host.registry.set("HKLM\\SOFTWARE\\x", "y", "DWord", 1),
    "access": lambda host: host.files.set_sddl(FILE, "D:PAI(A;;FA;;;BA)"),
    "firewall": lambda host: host.firewall.set("x", "v2.29|Action=Allow|"),
    "file": lambda host: host.files.write(FILE, b"3"),
    "account": lambda host: host.accounts.add_user("x"),
    "time": lambda host: host.time.configure("x,0x8"),
    "event source": lambda host: host.events.create("x", "C:\\x.dll"),
    "service": lambda host: host.services.create("x", "C:\\x.exe"),
    "system": lambda host: host.system.set("language_mode", "ConstrainedLanguage"),
}


@pytest.mark.parametrize("name", RECORDED)
def test_the_journal_has_each_change_and_none_for_the_same_again(host: Host, name: str):
    before = len(host.journal.entries())
    RECORDED[name](host)
    assert net(host.journal.entries()[before:])
    if name != "service":
        again = len(host.journal.entries())
        RECORDED[name](host)
        assert len(host.journal.entries()) == again
