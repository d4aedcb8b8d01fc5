"""``maild diagnose`` beside a running daemon, a name server and another mail server, each in order and broken."""

from __future__ import annotations

import datetime as dt
import json
import os
import socketserver
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.lib.daemon import TEST_CO_KR, TEST_NET, Running, Site
from tests.lib.nameserver import NameServer
from tests.lib.ports import free_port
from tests.lib.programs import ROOT


class Fake(socketserver.ThreadingTCPServer):
    """Another program on a port, perhaps one that was ours a moment ago."""

    allow_reuse_address = True
    daemon_threads = True


class Greeter(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self.wfile.write(b"220 mx.outside.test ready\r\n")
        self.rfile.readline()


@dataclass
class House:
    site: Site
    names: NameServer
    outside_port: int

    def diagnose(self, *arguments: str) -> tuple[int, dict[str, str], str]:
        """The exit status, the state by text, and what was printed."""
        done = subprocess.run(
            [sys.executable, "-m", "maild.cli", "diagnose", "--settings", self.site.settings,
             "--outside", "outside.test", "--outside-port", str(self.outside_port),
             "--dns-port", str(self.names.port), *arguments],
            env=os.environ | {"PYTHONPATH": str(ROOT / "maild" / "src")},
            capture_output=True, text=True, check=False, timeout=200,
        )  # fmt: skip
        assert not done.stderr, done.stderr
        if "--json" not in arguments:
            return done.returncode, {}, done.stdout
        checks = json.loads(done.stdout)["checks"]
        return done.returncode, {check["text"]: check["state"] for check in checks}, done.stdout


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    names = NameServer()
    names.zone("outside.test", "@ 60 IN MX 10 mx\nmx 60 IN A 127.0.0.1\n")
    for ours in (TEST_NET, TEST_CO_KR):
        names.zone(ours, "")
    outside = Fake(("127.0.0.1", 0), Greeter)
    threading.Thread(target=outside.serve_forever, daemon=True).start()
    site = Site(tmp_path_factory.mktemp("diagnose"), more=f'[dns]\nservers = ["127.0.0.1#{names.port}"]\n')
    site.write()
    site.seed()
    yield House(site, names, outside.server_address[1])
    outside.shutdown()
    outside.server_close()
    names.close()


def state_of(states: dict[str, str], start: str) -> str:
    found = {state for text, state in states.items() if text.startswith(start)}
    assert len(found) == 1, (start, states)
    return found.pop()


def test_running_server_is_looked_at_from_all_sides(house: House) -> None:
    with Running(house.site):
        status, states, _ = house.diagnose("--json")
    assert status == 2
    for start in (
        "SMTP 25:",
        "SMTP 465:",
        "SMTP 587:",
        "IMAP 993:",
        "POP3 995:",
        "Relay self-test:",
        "Database: sqlite",
    ):
        assert state_of(states, start) == "fine", states
    for start in ("Bans: none", "Disk:", "Error log: nothing", "Port 25 out: mx.outside.test answers"):
        assert state_of(states, start) == "fine", states
    assert state_of(states, "Certificate smtp.xn--9t4b11yi5a.net: self-signed") == "finding"
    missing = [state for text, state in states.items() if text.startswith("DNS:") and "테스트.net" in text]
    assert set(missing) == {"finding"}


def test_korean_and_what_to_do(house: House) -> None:
    status, _, out = house.diagnose("--language", "ko", "--offline")
    assert status == 1
    assert "!!  SMTP 25: 응답 없음" in out
    assert "    -> maild 서비스가 실행 중인지" in out
    assert "??  릴레이 자가 점검: 25번 포트에 연결하지 못했습니다" in out
    assert "자체 서명이라 아무도 신뢰하지 않습니다" in out


def test_another_program_on_our_port_is_named(house: House) -> None:
    with Fake(("127.0.0.1", house.site.ports["smtp"]), Other) as other:
        threading.Thread(target=other.serve_forever, daemon=True).start()
        _, states, _ = house.diagnose("--json", "--offline")
        other.shutdown()
    assert states["SMTP 25: another program answers (HTTP/1.0 400 no)"] == "finding"


class Other(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self.wfile.write(b"HTTP/1.0 400 no\r\n")


def test_open_relay_is_cried_out(house: House) -> None:
    with Fake(("127.0.0.1", house.site.ports["smtp"]), OpenRelay) as relay:
        threading.Thread(target=relay.serve_forever, daemon=True).start()
        _, states, _ = house.diagnose("--json", "--offline")
        relay.shutdown()
    assert state_of(states, "Relay self-test: mail from strangers to strangers is ACCEPTED") == "finding"


class OpenRelay(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self.wfile.write(b"220 open\r\n")
        while self.rfile.readline():
            self.wfile.write(b"250 fine\r\n")


def test_blocked_port_25_is_a_finding(house: House) -> None:
    port = house.outside_port
    house.outside_port = free_port()
    try:
        _, states, _ = house.diagnose("--json")
    finally:
        house.outside_port = port
    assert state_of(states, "Port 25 out: mx.outside.test cannot be reached") == "finding"


def test_records_that_no_name_server_tells_are_not_called_wrong(house: House, tmp_path: Path) -> None:
    more = f'[dns]\nservers = ["127.0.0.1#{free_port()}"]\ntimeout_seconds = 0.2\n'
    site = Site(tmp_path, more=more)
    site.write()
    site.seed()
    silent = House(site, house.names, house.outside_port)
    status, states, out = silent.diagnose("--json")
    assert status == 1
    assert {state for text, state in states.items() if text.startswith("DNS:")} == {"broken"}
    assert not any(check["remedy"] for check in json.loads(out)["checks"] if check["text"].startswith("DNS:"))


def test_errors_of_today_are_shown(house: House) -> None:
    logs = house.site.folder / "logs"
    logs.mkdir(exist_ok=True)
    file = logs / f"ERROR_maild_{dt.datetime.now().astimezone():%Y-%m-%d}.log"
    kept = file.read_bytes() if file.exists() else None
    file.write_text('"ERROR"\t1\t"2026-11-25 03:00:00.000"\t"disk full"\n', encoding="utf-8")
    _, states, _ = house.diagnose("--json", "--offline")
    file.unlink() if kept is None else file.write_bytes(kept)
    assert states["Error log: 1 lines today, the last: disk full"] == "finding"


class Refusing(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        self.wfile.write(b"554 5.7.1 no mail from dynamic addresses\r\n")


def test_a_way_out_that_ends_at_a_refusal_is_a_finding(house: House) -> None:
    refusing = Fake(("127.0.0.1", 0), Refusing)
    threading.Thread(target=refusing.serve_forever, daemon=True).start()
    port, house.outside_port = house.outside_port, refusing.server_address[1]
    try:
        _, states, _ = house.diagnose("--json")
    finally:
        house.outside_port = port
        refusing.shutdown()
        refusing.server_close()
    assert state_of(states, "Port 25 out: mx.outside.test cannot be reached (554 5.7.1") == "finding"
