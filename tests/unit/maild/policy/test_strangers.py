"""Checks of strangers: block lists, HELO, PTR, greylisting; silence of DNS never refuses."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maild.dns import MX
from maild.mail.address import Address
from maild.net import Peer, address_of
from maild.policy.gate import MINUTE
from maild.policy.strangers import HOUR, Strangers, is_forgotten, must_wait
from maild.settings import BlockList, Greylisting, Policy
from maild.store import Greylisted
from tests.lib.zones import Zones

SENDER, RECIPIENT = Address.parse("a@example.org"), Address.parse("id@테스트.net")
LIST = BlockList(zone="zen.example", answers=("127.0.0.2/31",))


@dataclass
class Memory:
    """The store's greylist."""

    rows: dict[tuple[str, str, str], Greylisted] = field(default_factory=dict)

    async def greylist(
        self, network: str, sender: str, recipient: str, now: int, forgotten: Callable[[Greylisted], bool]
    ) -> Greylisted:
        key, new = (network, sender, recipient), Greylisted(first_at=now, last_at=now, passes=0)
        before = self.rows.get(key, new)
        before = new if forgotten(before) else before
        self.rows[key] = Greylisted(first_at=before.first_at, last_at=now, passes=before.passes + 1)
        return before


def ask(
    policy: Policy,
    zones: dict[str, Any],
    *,
    peer: str = "192.0.2.1",
    helo: str = "client.example",
    memory: Memory | None = None,
    now: int = 0,
    sender: Address | None = SENDER,
) -> str | None:
    checks = Strangers(policy, Zones(zones), cast("Any", memory or Memory()), lambda: now)
    return asyncio.run(checks(peer=Peer(address_of(peer), 1), helo=helo, sender=sender, recipient=RECIPIENT))


def test_nothing_is_checked_unless_it_is_asked_for() -> None:
    assert not Strangers(Policy(), Zones({}), cast("Any", Memory())).wanted
    assert ask(Policy(), {}) is None


@pytest.mark.parametrize(
    ("answer", "refused"), [("127.0.0.2", True), ("127.0.0.3", True), ("127.0.0.4", False), ("127.255.255.254", False)]
)
def test_a_block_list_refuses_by_the_answers_that_count(answer: str, *, refused: bool) -> None:
    said = ask(Policy(block_lists=(LIST,)), {"1.2.0.192.zen.example": {"A": [answer]}})
    assert (said is not None) == refused


def test_an_ipv6_client_is_asked_for_by_nibbles() -> None:
    name = "1." + "0." * 23 + "8.b.d.0.1.0.0.2.zen.example"
    said = ask(Policy(block_lists=(LIST,)), {name: {"A": ["127.0.0.2"]}}, peer="2001:db8::1")
    assert said is not None
    assert "zen.example" in said


@pytest.mark.parametrize(
    ("helo", "zones", "refused"),
    [
        ("client.example", {"client.example": {"A": ["192.0.2.9"]}}, False),
        ("client.example", {"client.example": {"AAAA": ["2001:db8::1"]}}, False),
        ("client.example", {}, True),
        ("client.example", {"client.example": "TIMEOUT"}, False),
        ("[192.0.2.1]", {}, False),
        ("[192.0.2.2]", {}, True),
        ("[no address", {}, True),
    ],
)
def test_helo_must_have_an_address(helo: str, zones: dict[str, Any], *, refused: bool) -> None:
    assert (ask(Policy(helo_must_resolve=True), zones, helo=helo) is not None) == refused


@pytest.mark.parametrize("helo", ["[IPv6:2001:db8::1]", "[IPv6:2001:DB8:0:0:0:0:0:1]", "[ipv6:2001:db8::0001]"])
def test_every_spelling_of_the_clients_own_literal_will_do_for_helo(helo: str) -> None:
    assert ask(Policy(helo_must_resolve=True), {}, helo=helo, peer="2001:db8::1") is None


@pytest.mark.parametrize(
    ("zones", "refused"),
    [
        ({"1.2.0.192.in-addr.arpa": {"PTR": ["c.example"]}, "c.example": {"A": ["192.0.2.1"]}}, False),
        ({"1.2.0.192.in-addr.arpa": {"PTR": ["c.example"]}, "c.example": {"A": ["192.0.2.2"]}}, True),
        ({}, True),
        ({"1.2.0.192.in-addr.arpa": "TIMEOUT"}, False),
    ],
)
def test_the_address_must_have_a_confirmed_name(zones: dict[str, Any], *, refused: bool) -> None:
    assert (ask(Policy(ptr_required=True), zones) is not None) == refused


@pytest.mark.parametrize(
    ("zones", "code"),
    [
        ({"example.org": {"MX": [MX(10, "mx.example.org")]}}, None),
        ({"example.org": {"AAAA": ["2001:db8::1"]}}, None),
        ({"example.org": {"MX": [MX(0, "")]}}, "550 5.7.27"),
        ({"example.org": {"MX": [MX(0, ".")]}}, "550 5.7.27"),
        ({"example.org": {"TXT": [b"v=spf1 -all"]}}, "550 5.1.8"),
        ({}, "550 5.1.8"),
        ({"example.org": "TIMEOUT"}, None),
    ],
)
def test_the_senders_domain_must_take_mail(zones: dict[str, Any], code: str | None) -> None:
    said = ask(Policy(sender_must_take_mail=True), zones)
    assert (said or "").startswith(code or "")
    assert (said is None) == (code is None)
    assert ask(Policy(sender_must_take_mail=True), zones, sender=None) is None
    assert ask(Policy(sender_must_take_mail=True), zones, sender=Address.parse("a@[192.0.2.1]")) is None


def test_greylisting_delays_the_first_try_and_takes_the_one_after_the_delay() -> None:
    memory, policy = Memory(), Policy(greylisting=Greylisting(enabled=True))
    answers = [ask(policy, {}, memory=memory, now=minutes * MINUTE) for minutes in (0, 5, 31, 60)]
    assert [answer is None for answer in answers] == [False, False, True, True]
    assert answers[0] == "451 4.7.1 Greylisted, please try again later"


def test_spf_and_the_null_sender_pass_greylisting() -> None:
    policy = Policy(greylisting=Greylisting(enabled=True))
    assert ask(policy, {"example.org": {"TXT": [b"v=spf1 ip4:192.0.2.1 -all"]}}) is None
    assert ask(policy, {}, sender=None) is None


def test_a_sender_is_forgotten_after_its_time() -> None:
    settings = Greylisting(enabled=True)
    used = Greylisted(first_at=0, last_at=40 * MINUTE, passes=2)
    assert not is_forgotten(used, settings, 40 * MINUTE + 864 * HOUR)
    assert is_forgotten(used, settings, 41 * MINUTE + 864 * HOUR)
    unused = Greylisted(first_at=0, last_at=MINUTE, passes=1)
    assert not is_forgotten(unused, settings, MINUTE + 24 * HOUR)
    assert is_forgotten(unused, settings, 2 * MINUTE + 24 * HOUR)


def test_a_sender_that_was_forgotten_waits_the_whole_delay_again() -> None:
    memory, policy = Memory(), Policy(greylisting=Greylisting(enabled=True))
    day = 25 * HOUR
    answers = [ask(policy, {}, memory=memory, now=now) for now in (0, day, day + MINUTE, day + 31 * MINUTE)]
    assert [answer is None for answer in answers] == [False, False, False, True]


@given(st.integers(0, 10**15), st.integers(0, 10**15), st.integers(0, 5), st.integers(0, 10**16))
def test_a_new_triplet_always_waits(first: int, later: int, passes: int, after: int) -> None:
    history = Greylisted(first_at=first, last_at=first + later, passes=passes)
    waits = must_wait(history, Greylisting(enabled=True), first + later + after)
    assert waits or passes > 0
