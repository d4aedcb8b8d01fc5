"""Certificates come from an ACME server, wait for names that lead elsewhere, and are renewed under open connections."""

from __future__ import annotations

import contextlib
import datetime as dt
import imaplib
import json
import secrets
import socket
import ssl
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.x509.oid import NameOID

from maild.certs import pairs
from tests.lib.certificates import write_pair
from tests.lib.daemon import PASSWORDS, TEST_CO_KR, TEST_NET, Running, Site
from tests.lib.nameserver import NameServer
from tests.lib.pebble import Pebble, settings_of
from tests.lib.programs import ROOT
from tests.lib.site import ID_PASSWORD
from tests.lib.site import site as deployed_site

ABOUT = "ACME certificates for every name that leads here, renewed by a bare command line, or files of win-acme's"
HOSTS = {TEST_NET: f"smtp.{TEST_NET}", TEST_CO_KR: f"smtp.{TEST_CO_KR}"}
"""The smtp name of each certificate."""
LATE = f"mail.{TEST_NET}"
"""Leads elsewhere at first."""
NAMES = {TEST_NET: (HOSTS[TEST_NET], LATE), TEST_CO_KR: (HOSTS[TEST_CO_KR],)}
LIFE, AGE = dt.timedelta(days=90), dt.timedelta(days=61)
TASK = "\\Mailhost\\Renew certificates"
PATIENCE = 60.0
"""Seconds a daemon has to show what was put into its folder; nothing is judged by it."""
COMMAND = (
    sys.executable, "-X", "utf8", "-c",
    (
        f"import sys; sys.path.insert(0, {str(ROOT / 'maild' / 'src')!r}); "
        "from maild.cli.__main__ import main; sys.exit(main())"
    ),
)  # fmt: skip
"""maild where it is not installed, without needing a variable of the environment."""


def run(size: str) -> dict[str, object]:
    """``full`` renews five times over, ``small`` once."""
    names = NameServer()
    try:
        with tempfile.TemporaryDirectory(prefix="mailhost-certificates-") as folder:
            for part in ("pebble", "site"):
                (Path(folder) / part).mkdir()
            with Pebble(Path(folder) / "pebble", names) as pebble:
                found = _Show(Path(folder) / "site", pebble, names).run(5 if size == "full" else 1)
                found["renewed_by_the_task"] = _by_the_task(Path(folder) / "deployed", pebble, names)
            return found | {"files_taken_over": _taken_over(Path(folder) / "lab")}
    finally:
        names.close()


def _taken_over(folder: Path) -> int:
    """One file of win-acme's for both names; when it is renewed there, the daemon follows and nothing is drift."""
    with deployed_site(folder, tls={"source": "files", "folder": "C:/win-acme-pem"}) as where:
        where.environment["MAILHOST_LAB_DATABASE"] = "sqlite"
        kept, names = where.lab.drive / "win-acme-pem", tuple(HOSTS.values())
        serial = write_pair(kept, names[0], names)
        where.deployed()
        port = where.port(993)
        assert [_handshake(port, name, None) for name in names] == [serial, serial]
        assert where.lab.call("tasks.xml", path=TASK) is None
        assert not list((where.lab.drive / "Mailhost" / "etc" / "tls").glob("*.pem"))
        process = where.service()["pid"]
        with _Idle(port, ID_PASSWORD) as idle:
            renewed = write_pair(kept, names[0], names)
            _until(lambda: [_handshake(port, name, None) for name in names] == [renewed, renewed])
            idle.hears_of_a_message()
        assert where.service()["pid"] == process, "the service was started anew"
        where.in_step()
    return len(names)


def _by_the_task(folder: Path, pebble: Pebble, names: NameServer) -> int:
    """Certificates of the authority's, 61 of their 90 days old, and the task's recorded command line on the host."""
    with deployed_site(folder, database={"engine": "sqlite"}, public_ipv4="127.0.0.1") as where:
        where.environment |= {
            "MAILHOST_LAB_ACME": pebble.directory,
            "MAILHOST_LAB_ACME_CA": str(pebble.ca),
            "MAILHOST_LAB_ACME_PORT": str(pebble.challenge_port),
            "MAILHOST_LAB_DNS": names.server.replace(":", "#"),
        }
        where.deployed()
        port, root, process = where.port(993), pebble.root().decode(), where.service()["pid"]
        issued = {host: _handshake(port, host, root) for host in HOSTS.values()}
        for host in issued:
            pair = pairs.Pair(where.lab.drive / "Mailhost" / "etc" / "tls", host)
            key, found = pairs.key_of(pair), pairs.read(pair)
            assert key is not None
            assert found is not None
            pairs.write(pair, key, _aged(key, found.names))
        with _Idle(port, ID_PASSWORD) as idle:
            task = where.lab.call("tasks.run", path=TASK)
            assert task["rc"] == 0, task
            _until(lambda: not {_handshake(port, host, None) for host in issued} & {*issued.values()})
            renewed = {host: _handshake(port, host, root) for host in issued}
            idle.hears_of_a_message()
        assert where.service()["pid"] == process, "the service was started anew"
        where.in_step_but_for_dns()
    return len(renewed)


@dataclass
class _Show:
    folder: Path
    pebble: Pebble
    names: NameServer
    port: int = 0

    def run(self, rounds: int) -> dict[str, object]:
        self._zones(late="127.0.0.9")
        site = Site(self.folder, more=settings_of(self.pebble, NAMES))
        site.write()
        self._only_stand_ins()
        site.seed()
        serials: list[dict[str, int]] = []
        with Running(site):
            self.port = site.ports["imaps"]
            serials.append(self._issued())
            serials.append(self._late_name_issued())
            serials += [self._renewed() for _ in range(rounds)]
        for name in HOSTS:
            assert len({each[name] for each in serials[1:]}) == rounds + 1
        return {"names": 3, "engine": "sqlite", "renewals": rounds * len(HOSTS), "connections_kept": rounds + 2}

    def _zones(self, *, late: str) -> None:
        self.names.zone(TEST_NET, f"smtp 60 IN A 127.0.0.1\nmail 60 IN A {late}\n")
        self.names.zone(TEST_CO_KR, "smtp 60 IN A 127.0.0.1\n")

    def _only_stand_ins(self) -> None:
        """A new server: a self-signed certificate for each one wanted, so that TLS is spoken from the start."""
        for path in (self.folder / "tls").glob("*.pem"):
            path.unlink()
        for name, hosts in NAMES.items():
            key = pairs.new_key()
            pairs.write(self._pair(name), key, pairs.self_signed(key, hosts, dt.datetime.now(dt.UTC)))

    def _issued(self) -> dict[str, int]:
        before = self._serials()
        with _Idle(self.port) as idle:
            status, out = self._certs("issue")
            assert status == 2, out
            assert out[TEST_NET]["names"] == [HOSTS[TEST_NET]]
            assert list(out[TEST_NET]["pending"]) == [LATE]
            assert out[TEST_CO_KR]["names"] == [HOSTS[TEST_CO_KR]]
            after = self._replaced(before)
            idle.hears_of_a_message()
        status, changes = self._run("certs", "issue", "--dry", "--json")
        assert (status, changes["changes"]) == (0, []), "the plan is not empty"
        return after

    def _late_name_issued(self) -> dict[str, int]:
        self._zones(late="127.0.0.1")
        before = self._serials()
        with _Idle(self.port) as idle:
            status, out = self._certs("renew")
            assert status == 0, out
            assert out[TEST_NET]["names"] == sorted(NAMES[TEST_NET])
            after = self._replaced({TEST_NET: before[TEST_NET]}, host=LATE)
            idle.hears_of_a_message()
        return before | after

    def _renewed(self) -> dict[str, int]:
        """Certificates of 90 days that are 61 days old, and the scheduled command."""
        for name, hosts in NAMES.items():
            key = pairs.key_of(self._pair(name))
            assert key is not None
            pairs.write(self._pair(name), key, _aged(key, hosts))
        assert self._run("reload")[0] == 0
        aged = {name: _serial_of(self._pair(name)) for name in HOSTS}
        _until(lambda: self._serials() == aged)
        with _Idle(self.port) as idle:
            status, out = self._certs("renew")
            assert status == 0, out
            after = self._replaced(aged)
            idle.hears_of_a_message()
        assert self._certs("status")[0] == 0
        return after

    def _pair(self, name: str) -> pairs.Pair:
        return pairs.Pair(self.folder / "tls", name)

    def _certs(self, command: str) -> tuple[int, dict[str, Any]]:
        status, out = self._run("certs", command, "--json")
        return status, {each["name"]: each for each in out["certificates"]}

    def _run(self, *arguments: str) -> tuple[int, dict[str, Any]]:
        """As a task runner starts it: no environment, another folder."""
        done = subprocess.run(
            [*COMMAND, *arguments, "--settings", str(self.folder / "maild.toml")],
            env={}, cwd="/", capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert not done.stderr, done.stderr
        return done.returncode, json.loads(done.stdout or "{}")

    def _serials(self) -> dict[str, int]:
        """What handshakes show now, trusted or not."""
        return {name: _handshake(self.port, host, None) for name, host in HOSTS.items()}

    def _replaced(self, before: dict[str, int], *, host: str = "") -> dict[str, int]:
        """The serials of the next handshakes, verified against the authority, once they are other ones."""
        root = self.pebble.root().decode()
        found: dict[str, int] = {}
        for name, old in before.items():
            _until(lambda name=name, old=old: self._serials()[name] != old)  # type: ignore[misc]
            found[name] = _handshake(self.port, host or HOSTS[name], root)
            assert found[name] == _serial_of(self._pair(name))
        return found


class _Idle:
    """A connection that waits in IDLE and must live on."""

    def __init__(self, port: int, password: str = PASSWORDS["id"]) -> None:
        self._port = port
        self._password = password
        self._stream = _connect(port, HOSTS[TEST_NET], None)
        self._read = self._stream.makefile("rb")

    def __enter__(self) -> Self:
        self._command(b"a", f'LOGIN "id@{TEST_NET}" {{{len(self._password.encode())}+}}\r\n{self._password}'.encode())
        self._command(b"b", b"SELECT INBOX")
        self._stream.sendall(b"c IDLE\r\n")
        assert self._read.readline().startswith(b"+")
        return self

    def __exit__(self, *_: object) -> None:
        self._stream.close()

    def hears_of_a_message(self) -> None:
        """A new message is told on the old connection, which then ends in order."""
        with imaplib.IMAP4_SSL("127.0.0.1", self._port, ssl_context=_context(None)) as other:
            other.authenticate("PLAIN", lambda _: f"\0id@{TEST_NET}\0{self._password}".encode())
            other.append("INBOX", "", "", b"Subject: renewed\r\n\r\n" + secrets.token_hex(8).encode() + b"\r\n")
        while not (line := self._read.readline()).endswith(b" EXISTS\r\n"):
            assert line, "the connection was dropped"
        self._stream.sendall(b"DONE\r\n")
        while not (line := self._read.readline()).startswith(b"c OK"):
            assert line, "the connection was dropped"

    def _command(self, tag: bytes, text: bytes) -> None:
        self._stream.sendall(tag + b" " + text + b"\r\n")
        while not (line := self._read.readline()).startswith(tag + b" "):
            assert line
        assert line.startswith(tag + b" OK"), line


def _context(root: str | None) -> ssl.SSLContext:
    if root is not None:
        return ssl.create_default_context(cadata=root)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _connect(port: int, host: str, root: str | None) -> ssl.SSLSocket:
    plain = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
    stream = _context(root).wrap_socket(plain, server_hostname=host)
    assert stream.recv(1024).startswith(b"* OK")
    return stream


def _handshake(port: int, host: str, root: str | None) -> int:
    with contextlib.closing(_connect(port, host, root)) as stream:
        shown = stream.getpeercert(binary_form=True)
    assert shown is not None
    return x509.load_der_x509_certificate(shown).serial_number


def _serial_of(pair: pairs.Pair) -> int:
    found = pairs.read(pair)
    assert found is not None
    return found.serial


def _aged(key: pairs.Key, hosts: tuple[str, ...]) -> bytes:
    now, authority = dt.datetime.now(dt.UTC), pairs.new_key()
    certificate = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "an authority of the past")]))
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - AGE)
        .not_valid_after(now - AGE + LIFE)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(host) for host in hosts]), critical=True)
        .sign(authority, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM)


def _until(holds: Any) -> None:
    deadline = time.monotonic() + PATIENCE
    while not holds():
        assert time.monotonic() < deadline, "the daemon does not show what is in its folder"
        time.sleep(0.1)
