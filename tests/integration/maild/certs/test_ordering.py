"""Certificates ordered of a real ACME server (pebble) by the command line."""

from __future__ import annotations

import json
import os
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.x509 import verification

from tests.lib.certificates import write_pair
from tests.lib.nameserver import NameServer
from tests.lib.pebble import Pebble, settings_of
from tests.lib.programs import ROOT

pytestmark = pytest.mark.pebble

HERE, AWAY = "smtp.xn--9t4b11yi5a.net", "mail.xn--9t4b11yi5a.net"
OTHER = "smtp.xn--9t4b11yi5a.co.kr"
ZONE = "smtp 60 IN A 127.0.0.1\nmail 60 IN A 127.0.0.9\n"


@pytest.fixture(scope="module")
def names() -> Iterator[NameServer]:
    server = NameServer()
    yield server
    server.close()


@pytest.fixture(autouse=True)
def zones(names: NameServer) -> None:
    names.heal()
    names.zone("xn--9t4b11yi5a.net", ZONE)
    names.zone("xn--9t4b11yi5a.co.kr", ZONE)


@pytest.fixture(scope="module")
def pebble(names: NameServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pebble]:
    with Pebble(tmp_path_factory.mktemp("pebble"), names) as server:
        yield server


@dataclass
class Host:
    folder: Path

    def settings(self, text: str) -> None:
        (self.folder / "maild.toml").write_text(f'hostname = "{HERE}"\n{text}', encoding="utf-8")

    def certs(self, *arguments: str) -> tuple[int, str, str]:
        done = subprocess.run(
            [sys.executable, "-m", "maild.cli", "certs", *arguments, "--settings", self.folder / "maild.toml"],
            env=os.environ | {"PYTHONPATH": str(ROOT / "maild" / "src")},
            capture_output=True, text=True, check=False, timeout=240,
        )  # fmt: skip
        return done.returncode, done.stdout, done.stderr

    def chain(self, name: str) -> list[x509.Certificate]:
        return x509.load_pem_x509_certificates((self.folder / "tls" / f"{name}-chain.pem").read_bytes())

    def names(self, name: str) -> list[str]:
        return sorted(
            self.chain(name)[0]
            .extensions.get_extension_for_class(x509.SubjectAlternativeName)
            .value.get_values_for_type(x509.DNSName)
        )


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def test_certificate_is_issued_and_leads_to_the_root(host: Host, pebble: Pebble) -> None:
    host.settings(settings_of(pebble, {"테스트.net": ("smtp.테스트.net",)}))
    status, out, err = host.certs("issue", "--language", "ko")
    assert status == 0, err
    assert "테스트.net: 발급 완료" in out
    leaf, *above = host.chain("테스트.net")
    assert host.names("테스트.net") == [HERE]
    store = verification.Store([x509.load_pem_x509_certificate(pebble.root())])
    verification.PolicyBuilder().store(store).build_server_verifier(x509.DNSName(HERE)).verify(leaf, above)
    key = host.folder / "tls" / "테스트.net-key.pem"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert not list((host.folder / "tls").glob(".*"))


def test_name_that_does_not_lead_here_is_left_out_named_and_issued_later(
    host: Host, pebble: Pebble, names: NameServer
) -> None:
    host.settings(settings_of(pebble, {"first": (HERE, AWAY, "none.xn--9t4b11yi5a.net"), "second": (OTHER,)}))
    status, out, err = host.certs("issue", "--json")
    assert status == 2, err
    first, second = json.loads(out)["certificates"]
    assert (first["state"], first["names"], second["state"]) == ("pending", [HERE], "issued")
    assert "does not answer" in first["pending"][AWAY]
    assert first["pending"]["none.xn--9t4b11yi5a.net"] == "it has no address in DNS yet"
    assert host.certs("issue", "--dry", "--json")[:2] == (0, '{"changes": [], "not_managed": []}\n')
    status, out, _ = host.certs("status", "--language", "ko")
    assert status == 2
    assert "none.테스트.net 대기 중: 아직 DNS에 주소가 없습니다" in out
    key = (host.folder / "tls" / "first-key.pem").read_bytes()
    names.zone("xn--9t4b11yi5a.net", "smtp 60 IN A 127.0.0.1\nmail 60 IN A 127.0.0.1\nnone 60 IN A 127.0.0.1\n")
    status, out, err = host.certs("renew", "--json")
    assert status == 0, err
    assert host.names("first") == sorted([HERE, AWAY, "none.xn--9t4b11yi5a.net"])
    assert (host.folder / "tls" / "first-key.pem").read_bytes() == key
    assert json.loads(out)["certificates"][1]["serial"] == second["serial"]


def test_address_of_another_server_is_named(host: Host, pebble: Pebble, names: NameServer) -> None:
    names.zone("xn--9t4b11yi5a.net", "smtp 60 IN A 127.0.0.9\n")
    host.settings(settings_of(pebble, {"first": (HERE,)}))
    with socket.create_server(("127.0.0.9", pebble.challenge_port)) as other:
        other.settimeout(30)
        process = subprocess.Popen(
            [sys.executable, "-m", "maild.cli", "certs", "issue", "--settings", host.folder / "maild.toml"],
            env=os.environ | {"PYTHONPATH": str(ROOT / "maild" / "src")}, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        peer, _ = other.accept()
        with peer:
            assert peer.recv(4096).startswith(b"GET /.well-known/acme-challenge/")
            peer.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nother")
        out, _ = process.communicate(timeout=60)
    assert process.returncode == 2
    assert "smtp.테스트.net waits: its address 127.0.0.9 leads to another server" in out
    assert not (host.folder / "tls" / "first-chain.pem").exists()


def test_name_that_only_the_server_cannot_verify_is_left_out_of_a_second_order(host: Host, pebble: Pebble) -> None:
    host.settings(settings_of(pebble, {"first": (HERE, AWAY)}, more="check_reachable = false\n"))
    status, out, err = host.certs("issue", "--json")
    assert status == 2, err
    (first,) = json.loads(out)["certificates"]
    assert (first["names"], list(first["pending"])) == ([HERE], [AWAY])


def test_renewal_keeps_the_account_and_the_key(host: Host, pebble: Pebble) -> None:
    host.settings(settings_of(pebble, {"first": (HERE,)}))
    assert host.certs("issue")[0] == 0
    account = (host.folder / "acme" / f"localhost-{pebble.port}-key.pem").read_bytes()
    key, serial = (host.folder / "tls" / "first-key.pem").read_bytes(), host.chain("first")[0].serial_number
    (host.folder / "tls" / "first-chain.pem").unlink()
    assert host.certs("issue")[0] == 0
    assert (host.folder / "acme" / f"localhost-{pebble.port}-key.pem").read_bytes() == account
    assert (host.folder / "tls" / "first-key.pem").read_bytes() == key
    assert host.chain("first")[0].serial_number != serial


def test_webroot_of_another_server_is_used(host: Host, pebble: Pebble) -> None:
    webroot = host.folder / "webroot"
    served = webroot / ".well-known" / "acme-challenge"
    served.mkdir(parents=True)
    other = subprocess.Popen(
        [sys.executable, "-m", "http.server", str(pebble.challenge_port), "--bind", "127.0.0.1", "-d", str(webroot)],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    try:
        _wait_for(pebble.challenge_port)
        host.settings(settings_of(pebble, {"first": (HERE,)}, more=f'webroot = "{served}"\n'))
        assert host.certs("issue")[0] == 0
        assert list(served.iterdir()) == []
        host.settings(settings_of(pebble, {"second": (HERE,)}))
        status, _, err = host.certs("issue")
        assert status == 1
        assert "set acme.webroot" in err
    finally:
        other.kill()
        other.wait()


def _wait_for(port: int) -> None:
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except ConnectionRefusedError:
            continue
        return


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("terms_agreed = true", "terms_agreed = false"), "set acme.terms_agreed = true"),
        (("/dir", "/nothing"), "does not answer as an ACME server"),
        (("https://localhost:", "https://localhost:1"), "does not answer as an ACME server"),
        (("@테스트.net", "@exam ple"), "the domain is not made of letters"),
        (("postmaster@", "post?master@"), "refuses the account"),
    ],
)
def test_order_that_cannot_be_made_says_why_and_leaves_what_is_there(
    host: Host, pebble: Pebble, change: tuple[str, str], said: str
) -> None:
    text = settings_of(pebble, {"first": (HERE,)})
    assert change[0] in text
    host.settings(text.replace(*change))
    status, out, err = host.certs("issue")
    assert status == 1
    assert said in err
    assert "failed" in out
    assert not (host.folder / "tls").exists()


def test_stand_in_that_is_self_signed_is_replaced(host: Host, pebble: Pebble) -> None:
    write_pair(host.folder / "tls", "first", (HERE,))
    key = (host.folder / "tls" / "first-key.pem").read_bytes()
    host.settings(settings_of(pebble, {"first": (HERE,)}))
    status, out, _ = host.certs("issue", "--dry", "--json")
    assert status == 2
    assert json.loads(out)["changes"] == [
        {"object": "certificate", "name": "first", "field": "names", "current": None, "wanted": [HERE]}
    ]
    assert host.certs("issue")[0] == 0
    assert host.chain("first")[0].issuer != host.chain("first")[0].subject
    assert (host.folder / "tls" / "first-key.pem").read_bytes() == key
