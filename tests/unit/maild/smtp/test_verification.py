"""SPF, DKIM and DMARC joined to the session: authentic senders, refusals, forged results."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from maild.mail.address import Address
from maild.net import Peer, address_of
from maild.smtp.context import Verified
from maild.smtp.message import Message
from maild.smtp.verification import MessageVerifier
from maild.verify.decision import Rules
from tests.lib.dkim import pair, signed, zone
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
