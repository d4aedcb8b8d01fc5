"""SPF, DKIM and DMARC joined to the session: authentic senders, refusals, forged results."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

import dkim as dkimpy

from maild.mail.address import Address
from maild.net import Peer, address_of
from maild.services import rules_of
from maild.settings import parse
from maild.smtp.context import Verified
from maild.smtp.message import Message
from maild.smtp.verification import MessageVerifier
from maild.verify.decision import Rules
from tests.lib.dkim import key, pair, signed, zone
from tests.lib.scripted import House, replies
from tests.lib.zones import Zones

DOMAIN = "xn--9t4b11yi5a.net"
ZONES: dict[str, Any] = {
    DOMAIN: {"TXT": [b"v=spf1 ip4:192.0.2.1 -all"]},
    f"_dmarc.{DOMAIN}": {"TXT": [b"v=DMARC1; p=reject"]},
    "example.org": {"TXT": [b"v=spf1 ip4:192.0.2.1 -all"]},
    "_dmarc.example.org": {"TXT": [b"v=DMARC1; p=reject"]},
}


def check(peer: str, author: str, *, more: str = "") -> Verified:
    verifier = MessageVerifier(Zones(ZONES), "mx.example", Rules())
    message = Message.of([f"From: {author}\r\n{more}Subject: x\r\n\r\n".encode(), b"body\r\n"], 1000)
    sender = Address.parse(author)

    async def found() -> Verified:
        checking = verifier(peer=Peer(address_of(peer), 1), helo="client.example", sender=sender)
        for piece in (message.head, *message.body):
            await checking.feed(piece)
        return await checking.finish(message.head)

    return asyncio.run(found())


def test_what_dmarc_passes_is_authentic() -> None:
    found = check("192.0.2.1", f"id@{DOMAIN}")
    assert found.authentic
    assert found.refusal is None
    assert found.fields.startswith(b"Authentication-Results: mx.example")


def test_what_dmarc_rejects_is_refused() -> None:
    found = check("198.51.100.1", "a@example.org")
    assert not found.authentic
    assert found.refusal is not None
    assert found.refusal.startswith("550 5.7")


def test_results_in_our_name_are_taken_away_and_others_stay() -> None:
    forged = "Authentication-Results: mx.example; spf=pass\r\nAuthentication-Results: other.example; spf=pass\r\n"
    found = check("192.0.2.1", "a@example.org", more=forged)
    assert found.head is not None
    assert b"mx.example" not in found.head
    assert b"other.example" in found.head


def test_a_session_takes_one_of_us_from_outside_only_when_dmarc_passes() -> None:
    for peer, code in (("192.0.2.1", "250"), ("198.51.100.1", "550")):
        house = House(verifier=MessageVerifier(Zones(ZONES), "mx.example", Rules()))
        said = house.talk(
            f"EHLO c.example\r\nMAIL FROM:<id@{DOMAIN}>\r\nRCPT TO:<id@{DOMAIN}>\r\nDATA\r\n".encode(),
            f"From: id@{DOMAIN}\r\n\r\nbody\r\n.\r\n".encode(),
            peer=peer,
        )
        assert replies(said)[-1].startswith(code), (peer, replies(said))


def test_the_signature_of_a_message_that_goes_to_the_store_in_pieces_is_checked() -> None:
    text = b"From: a@example.com\r\nSubject: x\r\n\r\n" + b"line\r\n" * 500_000
    keys = pair("example.com")
    whole = signed(text, *keys, now=time.time())
    for message, result in ((whole, "dkim=pass"), (whole[:-3] + b"x\r\n", "dkim=fail")):
        house = House(verifier=MessageVerifier(Zones(zone(*keys)), "mx.example", Rules()))
        said = house.talk(
            f"EHLO c.example\r\nMAIL FROM:<a@example.com>\r\nRCPT TO:<id@{DOMAIN}>\r\nDATA\r\n".encode(),
            *[message[start : start + 60_000] for start in range(0, len(message), 60_000)],
            b".\r\n",
        )
        assert replies(said)[-1].startswith("250"), replies(said)
        [(incoming, _)] = house.memory.accepted
        assert result.encode() in incoming.prefix
        assert house.memory.bodies_of(house.id)[0].endswith(message)


SEALER = "list.example.kr"


def forwarded() -> bytes:
    """Mail that DMARC passed when it came to a list, which then put a footer under it and sealed what it had seen."""
    message = (
        b"From: a@example.org\r\nTo: all@list.example.kr\r\nSubject: x\r\nMessage-ID: <1@example.org>\r\n\r\nbody\r\n"
    )
    seen = f"Authentication-Results: {SEALER}; dmarc=pass header.from=example.org\r\n".encode()
    changed = seen + message + "-- \r\n목록 안내\r\n".encode()
    fields = dkimpy.ARC(changed).sign(b"arc", SEALER.encode(), key(SEALER, "arc").pem(), SEALER.encode())
    return b"".join(fields) + changed


def taken(message: bytes, *, sealers: frozenset[str]) -> tuple[str, list[str]]:
    """The last reply of a session that hands the message in, and the reasons that stand in what was stored."""
    zones = Zones(ZONES | zone(key(SEALER, "arc")))
    house = House(verifier=MessageVerifier(zones, "mx.example", Rules(trusted_sealers=sealers)))
    said = house.talk(
        f"EHLO c.example\r\nMAIL FROM:<bounces@{SEALER}>\r\nRCPT TO:<id@{DOMAIN}>\r\nDATA\r\n".encode(),
        message + b".\r\n",
        peer="198.51.100.1",
    )
    stored = house.memory.accepted[0][0].prefix if house.memory.accepted else b""
    reasons = [line.decode() for line in stored.split(b"\r\n") if line.startswith(b"X-Mailhost-")]
    return replies(said)[-1], reasons


def test_a_trusted_sealers_word_rescues_a_forward_that_broke_dmarc() -> None:
    answer, fields = taken(forwarded(), sealers=frozenset({SEALER}))
    assert answer.startswith("250")
    assert fields[0].startswith("X-Mailhost-Verdict: accept")
    assert any("trusted-forwarder" in field for field in fields)


def test_an_untrusted_sealers_word_rescues_nothing() -> None:
    for sealers in (frozenset[str](), frozenset({"other.example"})):
        answer, fields = taken(forwarded(), sealers=sealers)
        assert not any("trusted-forwarder" in field for field in fields)
        assert answer.startswith("550") or not fields[0].startswith("X-Mailhost-Verdict: accept")
    broken = forwarded().replace(b"body", b"bad!")
    answer, fields = taken(broken, sealers=frozenset({SEALER}))
    assert not any("trusted-forwarder" in field for field in fields)


def test_no_sealer_is_trusted_unless_the_settings_name_it() -> None:
    folder = Path("/etc/maild")
    assert parse('hostname = "mx.example"', folder).policy.trusted_sealers == ()
    named = parse('hostname = "mx.example"\n[policy]\ntrusted_sealers = ["목록.example.kr"]', folder)
    assert rules_of(named.policy).trusted_sealers == {"xn--3o2b15b.example.kr"}
