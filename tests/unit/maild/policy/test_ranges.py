"""IP ranges and bans: the highest priority decides, a ban ranks at 20, an allow range above it wins."""

from __future__ import annotations

import ipaddress

from hypothesis import given
from hypothesis import strategies as st

from maild.net import address_of
from maild.policy import BAN_PRIORITY, DEFAULT_RANGES, Table
from maild.store import Ban, IPRange


def make(name: str, network: str, priority: int, **more: bool) -> IPRange:
    net = ipaddress.ip_network(network)
    return IPRange(name=name, low=net[0], high=net[-1], priority=priority, never_ban=more.get("never_ban", False))


def ban(network: str, expires_at: int | None = None) -> Ban:
    return Ban(network=ipaddress.ip_network(network), reason="test", expires_at=expires_at)


def test_the_highest_priority_decides_and_of_equal_ones_the_narrowest() -> None:
    table = Table.of(
        [make("wide", "10.0.0.0/8", 30), make("narrow", "10.1.0.0/16", 30), make("low", "10.1.1.1/32", 12)], [], []
    )
    found = table.range_of(address_of("10.1.1.1"))
    assert found is not None
    assert found.name == "narrow"


def test_without_rows_the_defaults_hold_and_a_stored_one_replaces_its_namesake() -> None:
    assert {each.name for each in Table.of([], [], []).ranges} == {each.name for each in DEFAULT_RANGES}
    table = Table.of([make("Internet", "0.0.0.0/0", 11)], [], [])
    found = table.range_of(address_of("192.0.2.1"))
    assert found is not None
    assert (found.priority, len(table.ranges)) == (11, len(DEFAULT_RANGES))


def test_a_ban_holds_until_it_ends() -> None:
    table = Table.of([], [ban("192.0.2.1/32", expires_at=1000)], [])
    assert table.ban_of(address_of("192.0.2.1"), 999) is not None
    assert table.ban_of(address_of("192.0.2.1"), 1000) is None
    assert table.ban_of(address_of("192.0.2.2"), 999) is None


def test_a_ban_outranks_computer_and_internet_and_not_a_range_of_21() -> None:
    bans = [ban("192.0.2.1/32")]
    assert Table.of([make("office", "192.0.2.0/24", BAN_PRIORITY)], bans, []).ban_of(address_of("192.0.2.1"), 0)
    assert not Table.of([make("office", "192.0.2.0/24", BAN_PRIORITY + 1)], bans, []).ban_of(address_of("192.0.2.1"), 0)


def test_declared_networks_and_sparing_ranges_are_never_banned() -> None:
    bans = [ban("192.0.2.1/32"), ban("2001:db8::/64")]
    declared = [ipaddress.ip_network("192.0.2.0/24"), ipaddress.ip_network("2001:db8::1/128")]
    table = Table.of([make("spared", "198.51.100.0/24", 5, never_ban=True)], bans, declared)
    assert table.ban_of(address_of("192.0.2.1"), 0) is None
    assert table.ban_of(address_of("2001:db8::1"), 0) is None
    assert table.ban_of(address_of("2001:db8::2"), 0) is not None
    assert not table.spared(address_of("198.51.100.1"))


@given(st.ip_addresses())
def test_every_address_is_in_some_default_range(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> None:
    assert Table().range_of(address) is not None
