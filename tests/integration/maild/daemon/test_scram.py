"""SCRAM-SHA-256 with real clients: msmtp by GNU SASL, imaplib, and POP3 line by line."""

from __future__ import annotations

import base64
import imaplib
import poplib
import ssl
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lib.daemon import PASSWORDS, TEST_NET, Running, Site
from tests.lib.scram import Client
from tests.lib.wire import Wire, client_context

OWN = f"id@{TEST_NET}"
MESSAGE = f"From: {OWN}\nTo: {OWN}\nSubject: SCRAM\n\nbody\n".encode()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Running]:
    """A daemon that offers SCRAM; id@테스트.net has logged in with PLAIN once and so has a verifier."""
    site = Site(tmp_path, more="[policy]\nverify = false\nscram = true\n")
    site.write()
    site.seed()
    with Running(site) as running:
        with Wire(site.ports["submissions"], tls=True) as wire:
            assert "250-AUTH SCRAM-SHA-256 PLAIN LOGIN" in wire.ask("EHLO c")
            assert wire.log_in(OWN, PASSWORDS["id"]).startswith("235")
        yield running


def msmtp(site: Site, password: str) -> subprocess.CompletedProcess[bytes]:
    """Hands a message in by SCRAM-SHA-256 on 587."""
    return subprocess.run(
        [
            "msmtp", "--host=localhost", f"--port={site.ports['submission']}", "--tls=on", "--tls-starttls=on",
            f"--tls-trust-file={site.ca}", "--auth=scram-sha-256", f"--user={OWN}",
            f"--passwordeval=printf %s {password}", f"--from={OWN}", OWN,
        ],
        input=MESSAGE, capture_output=True, check=False, timeout=120,
    )  # fmt: skip


def test_msmtp_hands_mail_in_with_a_korean_password_and_not_with_a_wrong_one(server: Running) -> None:
    right = msmtp(server.site, PASSWORDS["id"])
    assert right.returncode == 0, right.stderr
    wrong = msmtp(server.site, "wrong")
    assert wrong.returncode != 0
    assert b"535 5.7.8" in wrong.stderr
    log = server.log()
    assert "AUTH SCRAM-SHA-256 ***" in log
    assert "v=" not in log


def test_imap_logs_in_by_scram(server: Running) -> None:
    context = ssl.create_default_context(cafile=str(server.site.ca))
    for password, good in ((PASSWORDS["id"], True), ("wrong", False)):
        client = Client(OWN, password)
        steps: list[bytes] = []

        def answer(challenge: bytes, client: Client = client, steps: list[bytes] = steps) -> bytes:
            steps.append(challenge)
            if len(steps) == 1:
                return client.first()
            return client.final(challenge) if len(steps) == 2 else b""

        with imaplib.IMAP4_SSL("localhost", server.site.ports["imaps"], ssl_context=context) as imap:
            assert "AUTH=SCRAM-SHA-256" in imap.capabilities
            if not good:
                with pytest.raises(imaplib.IMAP4.error):
                    imap.authenticate("SCRAM-SHA-256", answer)
                continue
            assert imap.authenticate("SCRAM-SHA-256", answer)[0] == "OK"
            assert client.trusts(steps[2])
            assert imap.select("INBOX")[0] == "OK"


def test_pop3_logs_in_by_scram(server: Running) -> None:
    client = Client(OWN, PASSWORDS["id"])
    pop3 = poplib.POP3_SSL("localhost", server.site.ports["pop3s"], context=client_context())
    assert "SCRAM-SHA-256" in pop3.capa()["SASL"]

    def ask(line: bytes) -> bytes:
        pop3.sock.sendall(line + b"\r\n")
        return bytes(pop3.file.readline()).rstrip()

    challenge = ask(b"AUTH SCRAM-SHA-256 " + base64.b64encode(client.first()))
    last = ask(base64.b64encode(client.final(base64.b64decode(challenge.removeprefix(b"+ ")))))
    assert client.trusts(base64.b64decode(last.removeprefix(b"+ ")))
    assert ask(b"").startswith(b"+OK Welcome")
    pop3.quit()


def test_new_password_ends_the_old_verifier(server: Running) -> None:
    command = ["account", "password", "--stdin", "--settings", str(server.site.settings), OWN]
    done = subprocess.run(
        [sys.executable, "-m", "maild.cli", *command],
        input="새 비밀번호\n".encode(), capture_output=True, check=False, timeout=120,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert msmtp(server.site, PASSWORDS["id"]).returncode != 0
    assert msmtp(server.site, "'새 비밀번호'").returncode == 0
