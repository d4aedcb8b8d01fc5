"""RFC 8616 (internationalised authentication) demand by demand, in the published text's words; it has no examples."""

from __future__ import annotations

import asyncio

import pytest

from maild.mail.domain import to_ascii
from maild.verify.message import Headers, author
from maild.verify.spf import check_sender
from maild.verify.spf.lint import Fault, lint
from tests.lib import musts
from tests.lib.dkim import key, signed, verified, zone
from tests.lib.musts import Must, Probes
from tests.lib.zones import Table, Zones
from tests.unit.maild.verify.dkim_messages import MESSAGE, relaxed

US = "192.0.2.25"
NAME = "테스트.net"


def spf(
    record: str, sender: str = f"id@{NAME}", helo: str = "smtp.a.example", more: Table | None = None
) -> tuple[str, str]:
    table = {to_ascii(NAME): {"TXT": [record.encode()]}, **(more or {})}
    found = asyncio.run(check_sender(Zones(table), US, sender, helo))
    return str(found.result), found.term


def dkim(old: str, new: str) -> tuple[str, str]:
    """Our signature as this domain, one piece of it replaced by another form of the same name."""
    own = key(NAME, "s")
    message = signed(MESSAGE, own).replace(old.encode(), new.encode(), 1)
    (check,) = verified(message, Zones(zone(own)))
    return str(check.result), check.domain


def signed_in_unicode() -> list[tuple[str, str]]:
    """A signature made over ``d=`` and ``i=`` in U-labels, as an internationalised message holds them."""
    own = key("테스트.net", "s")
    message = relaxed(domain="테스트.net", extra="i=주문@메일.테스트.net; ", own=own)
    return [(str(check.result), check.domain) for check in verified(message, Zones(zone(own)))]


TABLE = musts.read("rfc8616")
PROBES: Probes = {
    "u-labels-become-a-labels": (
        lambda: [
            spf(f"v=spf1 ip4:{US} -all"),
            spf(f"v=spf1 ip4:{US} -all", f"id@{to_ascii(NAME)}"),
            spf("v=spf1 exists:%{o}.ok.example -all", more={f"{to_ascii(NAME)}.ok.example": {"A": ["127.0.0.2"]}}),
        ],
        [("pass", f"ip4:{US}"), ("pass", f"ip4:{US}"), ("pass", "exists:%{o}.ok.example")],
    ),
    "records-hold-a-labels": (
        lambda: [spf("v=spf1 a:메일.테스트.net -all")[0], spf(f"v=spf1 a:{to_ascii('메일.테스트.net')} -all")[0]],
        ["permerror", "fail"],
    ),
    "the-hash-takes-the-name-as-written": (
        lambda: [
            signed_in_unicode(),
            dkim(f"d={to_ascii(NAME)};", f"d={to_ascii(NAME)};"),
            dkim(f"d={to_ascii(NAME)};", f"d={NAME};"),
        ],
        [[("pass", to_ascii(NAME))], ("pass", to_ascii(NAME)), ("fail", to_ascii(NAME))],
    ),
    "local-parts-match-nothing": (
        lambda: [spf(f"v=spf1 +exists:%{{{letter}}}.ok.example ip4:{US} -all", f"주문@{NAME}") for letter in "sl"],
        [("pass", f"ip4:{US}"), ("pass", f"ip4:{US}")],
    ),
    "author-in-a-labels": (
        lambda: author(Headers.of(f"From: 주문 <주문@{NAME}>\r\n".encode())).domain,
        to_ascii(NAME),
    ),
}


@pytest.mark.parametrize("must", musts.probed(TABLE, PROBES), ids=str)
def test_rfc_8616_is_met(must: Must) -> None:
    probe, expected = PROBES[must.probe]
    assert probe() == expected, must.words


def test_a_publisher_is_told_of_a_record_in_unicode() -> None:
    table = {"a.example": {"TXT": ["v=spf1 a:메일.테스트.net -all".encode()]}}
    assert Fault.SYNTAX in {note.fault for note in asyncio.run(lint(Zones(table), "a.example", [US]))}
