"""A zone against its expected records, at real (private) authoritative servers; each drift is named."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from maild.dns import zone
from maild.dns.check import Checker, Finding, Problem, State
from maild.dns.records import Expected, MailDomain, Purpose, Server, expected
from maild.dns.resolver import CachingResolver
from maild.dns.upstream import DirectUpstream
from tests.lib.nameserver import NameServer

DOMAIN = "테스트.net"
ANSWER_SECONDS = 5.0
"""For a server that answers, on a loaded machine too."""
WIRE = "xn--9t4b11yi5a.net"
ROWS = expected(
    [MailDomain(name=DOMAIN, dkim=(("dkim", "v=DKIM1; k=rsa; p=" + "A" * 392),))],
    Server(hostname=f"smtp.{DOMAIN}", ipv4="127.0.0.9"),
)
REVERSE = f"9.0.0.127.in-addr.arpa. 60 IN PTR smtp.{WIRE}.\n"
GOOD = zone.text(row for row in ROWS if row.rdtype != "PTR")


@pytest.fixture
def server() -> Iterator[NameServer]:
    made = NameServer()
    made.zone(DOMAIN, GOOD)
    made.zone("127.in-addr.arpa", REVERSE)
    yield made
    made.close()


def check(server: NameServer, rows: tuple[Expected, ...] = ROWS, *, port: int = 0) -> dict[Purpose, Finding]:
    async def run() -> list[Finding]:
        resolver = CachingResolver(DirectUpstream([server.server], timeout=ANSWER_SECONDS))
        return await Checker(resolver, port=port or server.port, timeout=ANSWER_SECONDS).check(rows)

    return {finding.expected.purpose: finding for finding in asyncio.run(run())}


def test_a_zone_made_from_our_own_text_is_fine(server: NameServer) -> None:
    findings = check(server)
    assert len(findings) == 6
    assert all(finding.fine for finding in findings.values()), findings


@pytest.mark.parametrize(
    ("old", "new", "purpose", "state", "problem"),
    [
        ("p=AAAA", "p=BAAA", Purpose.DKIM, State.DIFFERENT, Problem.NONE),
        ("-all", "~all", Purpose.SPF, State.DIFFERENT, Problem.NONE),
        ("p=reject", "p=none", Purpose.DMARC, State.DIFFERENT, Problem.NONE),
        (
            f"{WIRE}. 3600 IN MX 10 smtp.{WIRE}.",
            f"{WIRE}. 60 IN MX 10 127.0.0.9.",
            Purpose.MX,
            State.DIFFERENT,
            Problem.MX_IS_ADDRESS,
        ),
        ("IN A 127.0.0.9", "IN A 127.0.0.8", Purpose.ADDRESS, State.DIFFERENT, Problem.NONE),
    ],
)
def test_a_record_that_differs_is_named(
    server: NameServer, old: str, new: str, purpose: Purpose, state: State, problem: Problem
) -> None:
    assert old in GOOD
    server.zone(DOMAIN, GOOD.replace(old, new))
    finding = check(server)[purpose]
    assert (finding.state, finding.problem) == (state, problem)
    assert finding.found
    assert not finding.fine


def test_missing_records_and_a_missing_zone_are_missing(server: NameServer) -> None:
    server.zone(DOMAIN, "other 60 IN A 127.0.0.9\n")
    server.zone("127.in-addr.arpa", "x 60 IN A 127.0.0.1\n")
    assert {finding.state for finding in check(server).values()} == {State.MISSING}


def test_an_mx_that_is_an_alias_is_named(server: NameServer) -> None:
    aliased = GOOD.replace(
        f"smtp.{WIRE}. 3600 IN A 127.0.0.9", f"smtp.{WIRE}. 60 IN CNAME www.{WIRE}.\nwww.{WIRE}. 60 IN A 127.0.0.9"
    )
    server.zone(DOMAIN, aliased)
    assert check(server)[Purpose.MX].problem is Problem.MX_IS_ALIAS


def test_a_second_spf_record_and_a_foreign_mx_are_named(server: NameServer) -> None:
    server.zone(DOMAIN, GOOD + f'{WIRE}. 3600 IN TXT "v=spf1 +all"\n{WIRE}. 3600 IN MX 20 mx.elsewhere.example.\n')
    findings = check(server)
    assert findings[Purpose.SPF].problem is Problem.DUPLICATE
    assert findings[Purpose.MX].problem is Problem.EXTRA_MX


def test_a_pointer_without_the_way_back_is_not_confirmed(server: NameServer) -> None:
    server.zone(DOMAIN, GOOD.replace("IN A 127.0.0.9", "IN A 127.0.0.8"))
    assert check(server)[Purpose.PTR].problem is Problem.NOT_CONFIRMED


def test_one_stale_server_of_two_is_told(server: NameServer) -> None:
    stale = NameServer(address="127.0.0.3", port=server.port)
    try:
        stale.zone(DOMAIN, "x 60 IN A 127.0.0.1\n")
        server.zone(DOMAIN, GOOD + f"{WIRE}. 60 IN NS ns2\nns2 60 IN A 127.0.0.3\n")
        finding = check(server)[Purpose.DMARC]
        assert (finding.state, finding.servers) == (State.PARTIAL, ("127.0.0.3",))
        assert not asyncio.run(_everywhere(server))
        stale.zone(DOMAIN, GOOD)
        assert asyncio.run(_everywhere(server))
    finally:
        stale.close()


async def _everywhere(server: NameServer) -> bool:
    resolver = CachingResolver(DirectUpstream([server.server], timeout=ANSWER_SECONDS))
    row = next(row for row in ROWS if row.purpose is Purpose.DMARC)
    return await Checker(resolver, port=server.port, timeout=ANSWER_SECONDS).everywhere(row)


def test_the_resolver_answers_when_no_authoritative_server_does_and_it_is_said(server: NameServer) -> None:
    finding = check(server, port=9)[Purpose.SPF]
    assert (finding.state, finding.problem) == (State.OK, Problem.NOT_AUTHORITATIVE)


def test_without_any_answer_the_state_is_unknown(server: NameServer) -> None:
    server.fault("*", rcode="SERVFAIL")
    assert {finding.state for finding in check(server).values()} == {State.UNKNOWN}
