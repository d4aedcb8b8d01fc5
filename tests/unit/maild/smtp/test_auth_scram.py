"""AUTH SCRAM-SHA-256 in an SMTP session, line by line."""

from __future__ import annotations

import base64

import pytest

from maild.policy import scram
from maild.store import Credential, CredentialKind
from tests.lib.scram import Client
from tests.lib.scripted import SUBMISSIONS, House, replies

OWN = "id@xn--9t4b11yi5a.net"
NONCE = "Qt8hv0Yy4JfVbUdA0q1bQm9c"


@pytest.fixture
def house(monkeypatch: pytest.MonkeyPatch) -> House:
    """id@테스트.net has a verifier, and every challenge the same nonce: a talk can be had again up to its next line."""
    monkeypatch.setattr(scram, "new_nonce", lambda: NONCE)
    built = House(scram=True)
    verifier = str(scram.verifier("비밀번호1"))
    built.memory.credentials_rows.append(
        Credential(id=9, account_id=built.id.id, kind=CredentialKind.SCRAM_SHA_256, hash=verifier)
    )
    return built


def exchange(house: House, client: Client, *more: bytes, initial: bool = True) -> list[str]:
    """A whole exchange and what follows it."""
    first = base64.b64encode(client.first()) + b"\r\n"
    opening = [b"EHLO c\r\n", *([b"AUTH SCRAM-SHA-256 " + first] if initial else [b"AUTH SCRAM-SHA-256\r\n", first])]
    challenge = replies(house.talk(*opening, listener=SUBMISSIONS))[-1]
    assert challenge.startswith("334 "), challenge
    answer = base64.b64encode(client.final(base64.b64decode(challenge[4:]))) + b"\r\n"
    return replies(house.talk(*opening, answer, *more, listener=SUBMISSIONS))


def test_scram_is_offered_first_where_the_settings_say_so(house: House) -> None:
    said = bytes(house.talk(b"EHLO c\r\n", listener=SUBMISSIONS).sent)
    assert b"250-AUTH SCRAM-SHA-256 PLAIN LOGIN\r\n" in said


def test_scram_is_unknown_where_it_is_off_and_plus_everywhere(house: House) -> None:
    for off, mechanism in ((House(), b"SCRAM-SHA-256"), (house, b"SCRAM-SHA-256-PLUS"), (house, b"SCRAM-SHA-1")):
        said = replies(off.talk(b"EHLO c\r\nAUTH " + mechanism + b"\r\n", listener=SUBMISSIONS))
        assert said[-1].startswith("504")


@pytest.mark.parametrize("initial", [True, False])
def test_exchange_ends_with_the_servers_proof_and_235(house: House, initial: bool) -> None:
    client = Client(OWN, "비밀번호1")
    said = exchange(house, client, b"\r\n", f"MAIL FROM:<{OWN}>\r\n".encode(), initial=initial)
    assert client.trusts(base64.b64decode(said[-3][4:]))
    assert said[-2:] == ["235 2.7.0 Authentication succeeded", "250 2.1.0 Ok"]


def test_wrong_password_is_535_and_counts(house: House) -> None:
    assert exchange(house, Client(OWN, "wrong"))[-1] == "535 5.7.8 Authentication failed"
    assert [each.account for each in house.memory.failure_rows] == [OWN]


@pytest.mark.parametrize(
    "lines",
    [
        b"AUTH SCRAM-SHA-256 !!!\r\n",
        b"AUTH SCRAM-SHA-256 " + base64.b64encode(b"p=tls-exporter,,n=a,r=b") + b"\r\n",
        b"AUTH SCRAM-SHA-256 " + base64.b64encode(b"n,,n=a,r=b") + b"\r\n*\r\n",
        b"AUTH SCRAM-SHA-256 " + base64.b64encode(b"n,,n=a,r=b") + b"\r\nbm9uZQ==\r\n",
        b"AUTH SCRAM-SHA-256\r\n*\r\n",
    ],
)
def test_broken_exchange_is_501_and_no_failed_login(house: House, lines: bytes) -> None:
    said = replies(house.talk(b"EHLO c\r\n", *lines.splitlines(keepends=True), listener=SUBMISSIONS))
    assert said[-1].startswith("501")
    assert house.memory.failure_rows == []


def test_nothing_of_an_exchange_is_logged_that_a_password_could_be_tried_against(house: House) -> None:
    client = Client(OWN, "비밀번호1")
    exchange(house, client, b"\r\n")
    received = [record.text for record in house.records if record.text.startswith("RECEIVED")]
    sent = [record.text for record in house.records if record.text.startswith("SENT: 334")]
    assert set(sent) == {"SENT: 334 ***"}
    assert received[-4:] == ["RECEIVED: EHLO c", "RECEIVED: AUTH SCRAM-SHA-256 ***", "RECEIVED: ***", "RECEIVED: ***"]
