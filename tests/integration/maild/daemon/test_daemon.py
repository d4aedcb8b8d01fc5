"""The daemon as a process: start, stop, reload, certificates, bans over all ports, its log and its commands."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from cryptography import x509

from tests.lib.certificates import write_pair
from tests.lib.daemon import PASSWORDS, TEST_NET, Running, Site, greeting
from tests.lib.ports import free_port
from tests.lib.programs import ROOT
from tests.lib.sink import sink
from tests.lib.wire import Wire, client_context

PATIENCE = 60
"""Seconds for something that must come; nothing is judged by how long it takes."""


def until(what: Callable[[], bool]) -> None:
    """Waits for something that must come."""
    deadline = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.05)


def maild(site: Site, *arguments: str) -> subprocess.CompletedProcess[str]:
    """A command beside the daemon."""
    path = os.pathsep.join([str(ROOT), str(ROOT / "maild" / "src")])
    return subprocess.run(
        [sys.executable, "-m", "maild.cli", *arguments, "--settings", str(site.settings)],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def site(tmp_path: Path) -> Site:
    made = Site(tmp_path, never_ban=())
    made.write()
    made.seed()
    return made


@pytest.fixture
def running(site: Site) -> Iterator[Running]:
    with Running(site) as process:
        yield process


def loaded(site: Site) -> dict[str, object]:
    found: dict[str, object] = json.loads((site.folder / "data" / "loaded.json").read_text())
    return found


def lines(running: Running, kind: str) -> list[str]:
    """The log's lines of one kind."""
    return [line for line in running.log().splitlines() if line.startswith(f'"{kind}"')]


def change(site: Site, old: str, new: str) -> None:
    text = site.settings.read_text(encoding="utf-8")
    assert old in text
    site.settings.write_text(text.replace(old, new, 1), encoding="utf-8")


def serial(port: int) -> int:
    with socket.create_connection(("127.0.0.1", port)) as plain, client_context().wrap_socket(plain) as encrypted:
        shown = encrypted.getpeercert(binary_form=True)
    assert shown is not None
    return x509.load_der_x509_certificate(shown).serial_number


def test_it_says_what_it_has_loaded_and_ends_in_order(running: Running) -> None:
    site = running.site
    found = loaded(site)
    assert found["settings_sha256"] == hashlib.sha256(site.settings.read_bytes()).hexdigest()
    assert found["ports"] == site.ports
    assert found["problems"] == []
    assert running.process is not None
    assert found["pid"] == running.process.pid
    with Wire(site.ports["smtp"]) as wire:
        running.process.send_signal(signal.SIGTERM)
        assert wire.reply().startswith("421 4.3.2")
    assert running.process.wait(PATIENCE) == 0
    assert "Servers stopped." in running.log()


def test_a_reload_takes_new_settings_and_keeps_connections(running: Running) -> None:
    site = running.site
    with Wire(site.ports["smtp"]) as before:
        assert "SIZE 52428800" in before.ask("EHLO c")
        change(site, "[auto_ban]", "[limits]\nmessage_bytes = 1000000\n[auto_ban]")
        change(site, f"bind_port = {site.ports['pop3s']}\n", f"bind_port = {site.ports['pop3s']}\nenabled = false\n")
        assert maild(site, "reload").returncode == 0
        until(lambda: "pop3s" not in str(loaded(site)["ports"]))
        assert loaded(site)["settings_sha256"] == hashlib.sha256(site.settings.read_bytes()).hexdigest()
        assert before.ask("NOOP").startswith("250")
        with Wire(site.ports["smtp"]) as after:
            assert "SIZE 1000000" in after.ask("EHLO c")
    assert greeting(site.ports["pop3s"]) == b""


def test_a_reload_says_what_waits_for_the_next_start_and_the_log_moves_at_once(running: Running) -> None:
    site = running.site
    change(site, "[auto_ban]", '[limits]\nhandshakes = 7\n[logs]\nfolder = "elsewhere"\ndebug = true\n[auto_ban]')
    change(site, "[database]", '[database]\nfile = "other.db"')
    done = maild(site, "reload")
    assert (done.returncode, done.stdout) == (
        0,
        "takes effect at the next start: database.file, limits.handshakes\n",
    )
    assert loaded(site)["waiting"] == ["database.file", "limits.handshakes"]

    def moved() -> str:
        return "".join(path.read_text(encoding="utf-8") for path in (site.folder / "elsewhere").glob("maild_*.log"))

    until(lambda: "What takes effect at the next start: database.file, limits.handshakes." in moved())
    with Wire(site.ports["smtp"]) as wire:
        assert wire.ask("EHLO c").startswith("250")
    until(lambda: "RECEIVED: EHLO c" in moved())
    assert "RECEIVED: EHLO c" not in running.log()


def test_the_queue_follows_a_reload(running: Running) -> None:
    site = running.site
    with sink() as next_hop, Wire(site.ports["submissions"], tls=True) as wire:
        assert wire.ask("EHLO c").startswith("250")
        change(
            site,
            "[auto_ban]",
            f'[queue]\nsmart_host = "127.0.0.1:{next_hop.port}"\nsmart_host_tls = "opportunistic"\n[auto_ban]',
        )
        assert maild(site, "reload").returncode == 0
        assert wire.log_in(f"id@{TEST_NET}", PASSWORDS["id"]).startswith("235")
        for line in (f"MAIL FROM:<id@{TEST_NET}>", "RCPT TO:<friend@example.org>"):
            assert wire.ask(line).startswith("250")
        with Wire(site.ports["submissions"], tls=True) as after:
            after.ask("EHLO c")
            after.log_in(f"id@{TEST_NET}", PASSWORDS["id"])
            for line in (f"MAIL FROM:<id@{TEST_NET}>", "RCPT TO:<friend@example.org>"):
                assert after.ask(line).startswith("250")
            assert after.ask("DATA").startswith("354")
            after.send(f"From: id@{TEST_NET}\r\n\r\nx\r\n.\r\n")
            assert after.reply().startswith("250")
        until(lambda: next_hop.taken() == {"example.org": 1})
    until(lambda: "Connecting to 127.0.0.1" in running.log() and '"SMTPC"' in running.log())
    inward, outward = ({line.split("\t")[2] for line in lines(running, kind)} for kind in ("SMTPD", "SMTPC"))
    assert outward
    assert not inward & outward, "a number in the log means one session"


def test_settings_that_cannot_be_used_leave_the_old_ones(running: Running) -> None:
    site = running.site
    before = loaded(site)
    change(site, "[auto_ban]", "[auto_bann]")
    assert running.process is not None
    running.process.send_signal(signal.SIGHUP)
    until(lambda: "did you mean `auto_ban`?" in running.log())
    assert loaded(site) == before
    assert greeting(site.ports["smtp"]).startswith(b"220")


def test_a_renewed_certificate_is_shown_without_a_restart_and_connections_stay(running: Running) -> None:
    site = running.site
    with Wire(site.ports["submissions"], tls=True) as open_connection:
        assert open_connection.ask("EHLO c").startswith("250")
        renewed = write_pair(site.folder / "tls", site.hostname, (site.hostname,))
        assert serial(site.ports["imaps"]) != renewed
        assert maild(site, "reload").returncode == 0
        until(lambda: serial(site.ports["imaps"]) == renewed)
        assert open_connection.ask("NOOP").startswith("250")


def test_a_pair_that_does_not_fit_is_named_and_the_old_one_stays(running: Running) -> None:
    site = running.site
    before = serial(site.ports["imaps"])
    (site.folder / "tls" / f"{site.hostname}-key.pem").write_text("no key")
    assert running.process is not None
    running.process.send_signal(signal.SIGHUP)
    until(lambda: f"certificate {site.hostname}" in running.log())
    assert serial(site.ports["imaps"]) == before


def test_three_wrong_passwords_shut_the_address_out_of_every_port_and_no_other(running: Running) -> None:
    site = running.site
    with Wire(site.ports["submissions"], tls=True, source="127.0.0.5") as wire:
        wire.ask("EHLO c")
        said = [wire.log_in(f"id@{TEST_NET}", "wrong") for _ in range(3)]
    assert said[-1] == "535 5.7.8 Authentication failed. Too many invalid logon attempts."
    for name in ("smtp", "submission"):
        with Wire(site.ports[name], source="127.0.0.5") as refused:
            assert refused.greeting == ""
    with Wire(site.ports["smtp"], source="127.0.0.6") as other:
        assert other.greeting.startswith("220")
    listed = maild(site, "ban", "list").stdout
    assert "127.0.0.5/32" in listed
    assert f"Auto-ban: id@{TEST_NET}, 3 failed logins" in listed
    until(lambda: "Client connection from 127.0.0.5 was not accepted" in running.log())
    assert maild(site, "ban", "remove", "127.0.0.5").returncode == 0
    until(lambda: Wire(site.ports["smtp"], source="127.0.0.5").greeting.startswith("220"))


def test_a_ban_made_by_the_command_holds_in_the_running_daemon(running: Running) -> None:
    site = running.site
    assert maild(site, "ban", "add", "127.0.9.0/24", "--reason", "시험").returncode == 0
    until(lambda: Wire(site.ports["smtp"], source="127.0.9.9").greeting == "")
    assert maild(site, "ban", "remove", "127.0.9.0/24").returncode == 0
    assert maild(site, "ban", "remove", "127.0.9.0/24").returncode == 1
    until(lambda: Wire(site.ports["smtp"], source="127.0.9.9").greeting.startswith("220"))


def test_a_flood_of_connections_is_banned(running: Running) -> None:
    site = running.site
    # Not from the start: waiting for it opens many connections of its own.
    change(site, "connections_per_minute = 0", "connections_per_minute = 20")
    assert maild(site, "reload").returncode == 0
    for _ in range(30):
        Wire(site.ports["smtp"], source="127.0.0.7").socket.close()
    assert Wire(site.ports["smtp"], source="127.0.0.7").greeting == ""
    until(lambda: "connections a minute" in maild(site, "ban", "list").stdout)
    assert "127.0.0.7 is banned until" in running.log()


def test_the_log_is_searched_by_session_by_user_and_for_tls(running: Running) -> None:
    site = running.site
    with Wire(site.ports["submission"]) as wire:
        wire.ask("EHLO c")
        wire.start_tls()
        assert wire.log_in(f"id@{TEST_NET}", PASSWORDS["id"]).startswith("235")
        wire.ask("QUIT")
    until(lambda: "logged in as" in running.log() and "SENT: 221" in running.log())
    by_user = maild(site, "log", "--user", f"id@{TEST_NET}").stdout
    assert "RECEIVED: AUTH PLAIN ***" in by_user
    assert PASSWORDS["id"] not in running.log()
    number = by_user.split("Session Id: ")[1].split()[0].rstrip('".')
    by_session = maild(site, "log", "--session", number).stdout
    assert "RECEIVED: QUIT" in by_session
    assert "Version: TLSv1.3" in maild(site, "log", "--tls").stdout
    assert maild(site, "log", "--user", "nobody@example.org").returncode == 1


def test_json_lines_hold_the_same_with_fields(running: Running) -> None:
    Wire(running.site.ports["submissions"], tls=True).socket.close()
    folder = running.site.folder / "logs"
    until(lambda: "TLSv1.3" in "".join(path.read_text() for path in folder.glob("*.jsonl")))
    lines = [json.loads(line) for path in folder.glob("*.jsonl") for line in path.read_text().splitlines()]
    (handshake,) = [line for line in lines if "handshake completed" in line["text"]]
    assert (handshake["version"], handshake["kind"], handshake["address"]) == ("TLSv1.3", "TCPIP", "127.0.0.1")


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
def test_old_tls_is_refused_and_logged(running: Running) -> None:
    context = client_context()
    context.minimum_version = ssl.TLSVersion.TLSv1
    context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    with (
        socket.create_connection(("127.0.0.1", running.site.ports["submissions"])) as plain,
        pytest.raises(ssl.SSLError),
    ):
        context.wrap_socket(plain)
    until(lambda: "TLS/SSL handshake failed" in running.log())


def test_a_database_that_is_away_is_told_to_clients_and_settings_errors_to_the_operator(tmp_path: Path) -> None:
    password = tmp_path / "password"
    password.write_text("secret")
    database = f'[database]\nengine = "mysql"\nhost = "127.0.0.1"\nport = {free_port()}\npassword_file = "{password}"\n'
    site = Site(tmp_path, database=database)
    site.write()
    process = Running(site)
    process.launch()
    try:
        until(lambda: greeting(site.ports["smtp"]) != b"")
        assert greeting(site.ports["smtp"]).startswith(b"421 4.3.2")
        until(lambda: "The database is not available yet" in process.log())
    finally:
        process.stop()
    assert process.process is not None
    assert process.process.returncode == 0
    change(site, "hostname", "hostnam")
    wrong = maild(site, "settings", "check")
    assert wrong.returncode == 78
    assert "did you mean `hostname`?" in wrong.stderr
