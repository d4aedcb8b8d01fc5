"""Which hosts a domain's mail is offered to, and how the connection must be protected."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maild.delivery import sts
from maild.delivery.hosts import Exchanger, Families, addresses_of, exchangers
from maild.delivery.next_hop import HopError, Security, TLSRule
from maild.delivery.protection import rule_for
from maild.dns import MX, TLSA
from maild.store import STSPolicy
from tests.lib.zones import Table, Zones

BOTH = Families(ipv4=True, ipv6=True)


def found(table: Table, domain: str = "example.org", families: Families = BOTH) -> list[Exchanger]:
    return asyncio.run(exchangers(domain, Zones(table), families, lambda group: group.sort()))


def fault(table: Table, domain: str = "example.org", families: Families = BOTH) -> HopError:
    with pytest.raises(HopError) as caught:
        found(table, domain, families)
    return caught.value


def test_exchangers_come_by_preference_and_with_both_families() -> None:
    table = {
        "example.org": {"MX": [MX(20, "b.example.org"), MX(10, "a.example.org")]},
        "a.example.org": {"A": ["192.0.2.1"], "AAAA": ["2001:db8::1"]},
        "b.example.org": {"A": ["192.0.2.2"]},
    }
    assert [each.name for each in found(table)] == ["a.example.org", "b.example.org"]
    assert found(table)[0].addresses == ("2001:db8::1", "192.0.2.1")
    assert found(table, families=Families())[0].addresses == ("192.0.2.1",)


def test_equal_preferences_are_shuffled_among_themselves() -> None:
    names = [f"mx{number}.example.org" for number in range(3)]
    table: dict[str, dict[str, list[object]]] = {name: {"A": ["192.0.2.1"]} for name in names}
    table["example.org"] = {"MX": [MX(10, name) for name in names]}
    shuffled = asyncio.run(exchangers("example.org", Zones(table), BOTH, lambda group: group.reverse()))  # type: ignore[arg-type]
    assert [each.name for each in shuffled] == names[::-1]


def test_domain_without_mx_is_its_own_exchanger() -> None:
    assert [each.name for each in found({"example.org": {"A": ["192.0.2.9"]}})] == ["example.org"]


def test_null_mx_and_missing_domain_are_permanent() -> None:
    assert fault({"example.org": {"MX": [MX(0, "")]}}).reply.enhanced == "5.1.10"
    assert fault({}).reply.enhanced == "5.1.2"


def test_dns_trouble_is_temporary() -> None:
    assert not fault({"example.org": "SERVFAIL"}).reply.permanent
    assert not fault({"example.org": {"MX": [MX(1, "a.example.org")]}, "a.example.org": "TIMEOUT"}).reply.permanent


def test_hosts_that_only_have_the_other_family_are_permanent() -> None:
    table: Table = {"example.org": {"MX": [MX(1, "a.example.org")]}, "a.example.org": {"AAAA": ["2001:db8::1"]}}
    assert fault(table, families=Families()).reply.enhanced == "5.4.4"


def test_one_broken_exchanger_does_not_hide_the_others() -> None:
    table: Table = {
        "example.org": {"MX": [MX(1, "a.example.org"), MX(2, "b.example.org")]},
        "a.example.org": "TIMEOUT",
        "b.example.org": {"A": ["192.0.2.2"]},
    }
    assert [each.name for each in found(table)] == ["b.example.org"]


def test_address_literal_needs_no_dns() -> None:
    assert found({}, "[192.0.2.7]") == [Exchanger("[192.0.2.7]", ("192.0.2.7",))]
    assert asyncio.run(addresses_of("2001:db8::5", Zones({}), BOTH)) == ("2001:db8::5",)


RECORD = TLSA(3, 1, 1, b"x" * 32)


def rule(table: Table, policy: STSPolicy | None = None, *, dane: bool = True, secure: bool = True) -> TLSRule:
    exchanger = Exchanger("mx.example.org", ("192.0.2.1",), secure)
    return asyncio.run(rule_for(exchanger, "example.org", 25, Zones(table, secure=secure), policy, dane=dane))


def policy(*mx: str, mode: str = "enforce") -> STSPolicy:
    return STSPolicy(domain="example.org", policy_id="1", mode=mode, mx=mx, fetched_at=0, expires_at=1)


TLSA_NAME = "_25._tcp.mx.example.org"


def test_tlsa_wins_over_mta_sts() -> None:
    assert rule({TLSA_NAME: {"TLSA": [RECORD]}}, policy("other.example.org")).security is Security.DANE


def rule_of_domain(table: Table) -> TLSRule:
    """The rule for the only host of example.org, all answers secure."""

    async def ask() -> TLSRule:
        zones = Zones(table, secure=True)
        (exchanger,) = await exchangers("example.org", zones, Families(), lambda group: group.sort())
        return await rule_for(exchanger, "example.org", 25, zones, None, dane=True)

    return asyncio.run(ask())


def test_domain_without_mx_is_protected_by_its_own_tlsa_records() -> None:
    table: Table = {"example.org": {"A": ["192.0.2.9"]}, "_25._tcp.example.org": {"TLSA": [RECORD]}}
    found = rule_of_domain(table)
    assert (found.security, found.names, found.records) == (Security.DANE, ("example.org",), (RECORD,))


def test_tlsa_records_of_an_alias_are_looked_for_where_its_addresses_are_and_then_at_its_name() -> None:
    hosts: Table = {"example.org": {"CNAME": ["host.example.net"]}, "host.example.net": {"A": ["192.0.2.9"]}}
    there: Table = {"_25._tcp.host.example.net": {"TLSA": [RECORD]}}
    here: Table = {"_25._tcp.example.org": {"TLSA": [TLSA(3, 1, 1, b"y" * 32)]}}
    both = rule_of_domain({**hosts, **here, **there})
    assert (both.names, both.records) == (("host.example.net", "example.org"), (RECORD,))
    assert rule_of_domain({**hosts, **here}).names == ("example.org",)
    assert rule_of_domain(hosts).security is Security.OPPORTUNISTIC


def test_dane_is_off_without_a_validating_resolver() -> None:
    assert rule({TLSA_NAME: {"TLSA": [RECORD]}}, dane=False).security is Security.OPPORTUNISTIC
    assert rule({TLSA_NAME: {"TLSA": [RECORD]}}, secure=False).security is Security.OPPORTUNISTIC


def test_unusable_tlsa_still_forbids_clear_text() -> None:
    assert rule({TLSA_NAME: {"TLSA": [TLSA(0, 0, 1, b"x")]}}).security is Security.ENCRYPTED


def test_tlsa_lookup_that_fails_forbids_the_host() -> None:
    with pytest.raises(HopError) as caught:
        rule({TLSA_NAME: "SERVFAIL"})
    assert caught.value.tls


def test_enforced_policy_demands_a_verified_name_and_refuses_other_hosts() -> None:
    assert rule({}, policy("*.example.org")).security is Security.VERIFIED
    assert rule({}, policy("*.example.org", mode="testing")).security is Security.OPPORTUNISTIC
    with pytest.raises(HopError, match="MTA-STS"):
        rule({}, policy("mail.example.net"))


GOOD = b"version: STSv1\r\nmode: enforce\r\nmx: *.example.org\r\nmx: MX.example.com.\r\nmax_age: 86400\r\n"


def test_policy_text_is_read() -> None:
    assert sts.parse(GOOD) == sts.Policy("enforce", ("*.example.org", "mx.example.com"), 86400)


@pytest.mark.parametrize(
    "body",
    [b"", b"version: STSv2\nmode: enforce\nmx: a\nmax_age: 1", GOOD.replace(b"enforce", b"maybe"), b"<html>",
     b"x" * 70000, GOOD.replace(b"86400", b"-1"), b"version: STSv1\nmode: enforce\nmax_age: 1\n"],
)  # fmt: skip
def test_what_is_no_policy_is_refused(body: bytes) -> None:
    with pytest.raises(sts.STSError):
        sts.parse(body)


@given(st.binary(max_size=300))
def test_any_bytes_are_a_policy_or_refused(body: bytes) -> None:
    with contextlib.suppress(sts.STSError):
        assert sts.parse(GOOD + body).mode in ("enforce", "testing", "none")


def test_wildcard_stands_for_one_label() -> None:
    assert sts.matches("a.example.org", ("*.example.org",))
    assert not sts.matches("a.b.example.org", ("*.example.org",))
    assert not sts.matches("example.org", ("*.example.org",))


class Memory:
    def __init__(self) -> None:
        self.kept: dict[str, STSPolicy] = {}

    async def sts_policy(self, domain: str) -> STSPolicy | None:
        return self.kept.get(domain)

    async def save_sts_policy(self, fresh: STSPolicy) -> None:
        self.kept[fresh.domain] = fresh


def test_policy_is_fetched_once_and_outlives_a_failing_fetch() -> None:
    fetched: list[str] = []

    async def fetch(url: str) -> bytes:
        fetched.append(url)
        if len(fetched) > 1:
            raise OSError("unreachable")
        return GOOD

    async def scenario() -> None:
        memory = Memory()
        table: dict[str, dict[str, list[object]]] = {"_mta-sts.example.org": {"TXT": [b"v=STSv1; id=a1;"]}}
        zones = Zones(table)  # type: ignore[arg-type]
        for now in (0, 1_000_000):
            kept = await sts.policy_for("example.org", zones, memory, fetch, now)  # type: ignore[arg-type]
            assert kept is not None
            assert kept.mode == "enforce"
        assert fetched == ["https://mta-sts.example.org/.well-known/mta-sts.txt"]
        table["_mta-sts.example.org"]["TXT"] = [b"v=STSv1; id=b2;"]
        again = await sts.policy_for("example.org", Zones(table), memory, fetch, 2_000_000)  # type: ignore[arg-type]
        assert again is not None
        assert (again.policy_id, len(fetched)) == ("a1", 2)
        assert await sts.policy_for("example.org", Zones(table), memory, fetch, 86_400_000_001) is None  # type: ignore[arg-type]

    asyncio.run(scenario())
