"""Signed zones behind a validating resolver: Debian's knot signs and serves, unbound validates; all on 127.0.0.1."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import dns.exception
import dns.flags
import dns.message
import dns.query

from tests.lib.ports import free_port
from tests.lib.programs import find_server_program

PATIENCE_SECONDS = 30
ZONE_HEAD = "$TTL 60\n@ SOA ns hostmaster 1 3600 600 86400 60\n@ NS ns\nns A 127.0.0.1\n"


@dataclass(frozen=True)
class Validating:
    """The port of the validating resolver on 127.0.0.1."""

    port: int


@contextmanager
def validating(folder: Path, zones: Mapping[str, str]) -> Iterator[Validating]:
    """Serves these zones (A-label name to its records) signed, and yields the resolver that validates them."""
    (folder / "db").mkdir(parents=True, exist_ok=True)
    authority, port = free_port(), free_port()
    knot = _knot(folder, zones, authority)
    unbound: subprocess.Popen[bytes] | None = None
    try:
        _wait(authority, next(iter(zones)), secure=False)
        unbound = _unbound(folder, zones, authority, port)
        for name in zones:
            _wait(port, name, secure=True)
        yield Validating(port)
    finally:
        for process in (unbound, knot):
            if process is not None:
                process.terminate()
                process.wait(10)


def _program(name: str) -> str:
    found = find_server_program(name) or shutil.which(name)
    assert found is not None, f"{name} is not installed"
    return str(found)


def _knot(folder: Path, zones: Mapping[str, str], port: int) -> subprocess.Popen[bytes]:
    parts = "".join(
        f"  - domain: {name}\n    file: {name}.zone\n    dnssec-signing: on\n    dnssec-policy: p256\n"
        for name in zones
    )
    for name, records in zones.items():
        (folder / f"{name}.zone").write_text(ZONE_HEAD + records)
    (folder / "knot.conf").write_text(
        f"server:\n    rundir: {folder}\n    listen: 127.0.0.1@{port}\n"
        f"database:\n    storage: {folder}/db\nlog:\n  - target: stderr\n    any: warning\n"
        "policy:\n  - id: p256\n    algorithm: ecdsap256sha256\n    single-type-signing: on\n"
        f"template:\n  - id: default\n    storage: {folder}\n    zonefile-sync: -1\nzone:\n{parts}"
    )
    return _start([_program("knotd"), "-c", str(folder / "knot.conf")], folder / "knot.log")


def _unbound(folder: Path, zones: Mapping[str, str], authority: int, port: int) -> subprocess.Popen[bytes]:
    anchors = "".join(f'    trust-anchor: "{line}"\n' for name in zones for line in _ds(folder, name))
    stubs = "".join(f"stub-zone:\n    name: {name}\n    stub-addr: 127.0.0.1@{authority}\n" for name in zones)
    (folder / "unbound.conf").write_text(
        f'server:\n    interface: 127.0.0.1@{port}\n    do-not-query-localhost: no\n    chroot: ""\n    username: ""\n'
        f'    directory: "{folder}"\n    pidfile: ""\n    use-syslog: no\n    do-ip6: no\n    do-daemonize: no\n'
        f'    module-config: "validator iterator"\n    qname-minimisation: no\n{anchors}{stubs}'
        "remote-control:\n    control-enable: no\n"
    )
    return _start([_program("unbound"), "-d", "-c", str(folder / "unbound.conf")], folder / "unbound.log")


def _ds(folder: Path, zone: str) -> list[str]:
    """The DS records of a signed zone, SHA-256 only."""
    listed = subprocess.run(
        [_program("keymgr"), "-c", str(folder / "knot.conf"), zone, "ds"], capture_output=True, text=True, check=True
    )
    return [line for line in listed.stdout.splitlines() if " DS " in line and line.split()[4] == "2"]


def _start(command: list[str], log: Path) -> subprocess.Popen[bytes]:
    with log.open("wb") as output:
        return subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT)


def _wait(port: int, name: str, *, secure: bool) -> None:
    question = dns.message.make_query(name, "SOA", want_dnssec=True)
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        try:
            answer = dns.query.udp(question, "127.0.0.1", port=port, timeout=1)
        except (OSError, dns.exception.DNSException):
            time.sleep(0.1)
            continue
        if answer.answer and (not secure or answer.flags & dns.flags.AD):
            return
        time.sleep(0.1)
    raise AssertionError(f"{name} is not answered{' securely' if secure else ''} on port {port}")
