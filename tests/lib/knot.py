"""A private Knot DNS: real authoritative servers that take RFC 2136 updates under a TSIG key; a secondary follows.

The primary takes updates and tells the secondary (NOTIFY, AXFR), so a record is for a while on one of two servers.
"""

from __future__ import annotations

import base64
import secrets
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import dns.exception
import dns.message
import dns.query

from maild.dns.update import Key
from tests.lib.ports import free_port
from tests.lib.programs import find_server_program

PATIENCE_SECONDS = 30
PRIMARY, SECONDARY = "127.0.0.21", "127.0.0.22"


@dataclass(frozen=True, slots=True)
class Knot:
    """Both servers on one port of two addresses, and the key for updates."""

    port: int
    key: Key


CONFIGURATION = """\
server:
    rundir: "{folder}"
    listen: {address}@{port}
database:
    storage: "{folder}/db"
log:
  - target: "{folder}/log"
    any: info
key:
  - id: updates
    algorithm: hmac-sha256
    secret: {secret}
remote:
  - id: other
    address: {other}@{port}
acl:
  - id: update
    key: updates
    action: update
  - id: other
    address: 127.0.0.0/8
    action: [transfer, notify]
template:
  - id: default
    storage: "{folder}"
{role}
zone:
{zones}
"""
PRIMARY_ROLE = "    notify: other\n    acl: [update, other]\n"
SECONDARY_ROLE = "    master: other\n    acl: [other]\n"


@contextmanager
def knot(folder: Path, zones: Mapping[str, str]) -> Iterator[Knot]:
    """Serves these zones (text without SOA and NS) from a primary and a secondary."""
    port, secret = free_port(), base64.b64encode(secrets.token_bytes(32)).decode()
    processes: list[subprocess.Popen[bytes]] = []
    try:
        for name, address, other, role in (
            ("primary", PRIMARY, SECONDARY, PRIMARY_ROLE),
            ("secondary", SECONDARY, PRIMARY, SECONDARY_ROLE),
        ):
            place = folder / name
            (place / "db").mkdir(parents=True)
            if name == "primary":
                for zone, text in zones.items():
                    (place / f"{zone}.zone").write_text(_whole(text))
            configuration = place / "knot.conf"
            configuration.write_text(
                CONFIGURATION.format(
                    folder=place,
                    address=address,
                    other=other,
                    port=port,
                    secret=secret,
                    role=role,
                    zones="".join(f"  - domain: {zone}\n" for zone in zones),
                )
            )
            program = find_server_program("knotd")
            if program is None:
                raise RuntimeError("knotd is not installed")
            processes.append(
                subprocess.Popen(
                    [program, "-c", str(configuration)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
                )
            )
            for zone in zones:
                _await(address, port, zone, place / "log")
        yield Knot(port, Key("updates", secret))
    finally:
        for process in processes:
            process.terminate()
        for process in processes:
            process.wait(20)


def _whole(text: str) -> str:
    return (
        "@ 60 SOA ns1 hostmaster 1 3600 5 86400 5\n@ 60 NS ns1\n@ 60 NS ns2\n"
        f"ns1 60 A {PRIMARY}\nns2 60 A {SECONDARY}\n{text}"
    )


def _await(address: str, port: int, zone: str, log: Path) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    question = dns.message.make_query(zone, "SOA")
    while True:
        try:
            if dns.query.udp(question, address, timeout=1, port=port).answer:
                return
        except (dns.exception.DNSException, OSError):
            pass
        if time.monotonic() > deadline:
            raise RuntimeError(f"knot does not serve {zone}: {log.read_text() if log.exists() else ''}")
        time.sleep(0.1)
