"""The addresses that one attempt may try for a domain, and in which order."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import cast

from maild.delivery.destination import Hop, Way
from maild.delivery.endpoints import Endpoints, Ways
from maild.delivery.hosts import Families
from maild.dns import MX
from maild.store import Directory, State
from tests.lib.zones import Table, Zones


async def nothing(_: str) -> bytes:
    raise OSError("no web here")


async def no_policy(_: str) -> None:
    return None


def tried(table: Table, families: Families) -> list[str]:
    endpoints = Endpoints(
        Ways(families=families),
        Zones(table),
        cast("Directory", None),
        cast("State", SimpleNamespace(sts_policy=no_policy)),
        fetch=nothing,
        unwrap=lambda secret: secret.decode(),
        shuffle=lambda group: group.sort(),
    )
    return [each.address for each in asyncio.run(endpoints.of(Hop(Way.DOMAIN, "example.org"), 0))]


def test_an_attempt_tries_five_addresses_of_a_domain_in_the_order_of_its_hosts() -> None:
    hosts: Table = {f"mx{number}.example.org": {"A": [f"192.0.2.{number}"]} for number in range(8)}
    table: Table = {"example.org": {"MX": [MX(number, f"mx{number}.example.org") for number in range(8)]}, **hosts}
    assert tried(table, Families()) == [f"192.0.2.{number}" for number in range(5)]


def test_many_addresses_of_one_family_leave_the_other_a_try() -> None:
    addresses = [f"2001:db8::{number}" for number in range(8)]
    table: Table = {"example.org": {"A": ["192.0.2.1"], "AAAA": list(addresses)}}
    assert tried(table, Families(ipv4=True, ipv6=True)) == [*addresses[:4], "192.0.2.1"]
    assert tried(table, Families(ipv4=False, ipv6=True)) == addresses[:5]
