"""RFC 8601 (Authentication-Results) demand by demand, in the published text's words; its appendix's fields are read."""

from __future__ import annotations

import asyncio
import re

import pytest

from maild.verify import Peer, Rules, check_message, reverse
from maild.verify.results import MethodResult, ResultsError, parse, without_forged, write
from tests.lib import musts
from tests.lib.arc import LATER, SEALS, sealed
from tests.lib.dkim import pair, signed, zone
from tests.lib.musts import Must, Probes
from tests.lib.zones import Zones

US = "mx.example.com"
REST = b"Received: from x by y; z\r\nFrom: a@a.example\r\n\r\nx\r\n"
METHODS = {
    "dkim": {"none", "pass", "fail", "policy", "neutral", "temperror", "permerror"},
    "spf": {"none", "pass", "fail", "softfail", "policy", "neutral", "temperror", "permerror"},
    "iprev": {"pass", "fail", "temperror", "permerror"},
    "dmarc": {"none", "pass", "fail", "temperror", "permerror"},
    "arc": {"none", "pass", "fail"},
}
"""The registered methods that we report and the results that belong to them (sections 2.7.1 to 2.7.3, RFC 9989 section
9.2, RFC 8617 section 4.4)."""


def fields(message: bytes = REST, *, ip: str = "192.0.2.1", trouble: bool = False) -> bytes:
    """What is put before a message on its way in."""
    own = pair("a.example")
    table = {
        **zone(*own),
        **SEALS,
        "a.example": "TIMEOUT" if trouble else {"TXT": [b"v=spf1 ip4:192.0.2.1 -all"]},
        "_dmarc.a.example": {"TXT": [b"v=DMARC1; p=reject"]},
    }
    peer = Peer(ip=ip, helo="mx.a.example", sender="id@a.example")
    found = asyncio.run(check_message(message, peer, resolver=Zones(table), server=US, clock=lambda: LATER))
    return found.headers


def all_reported() -> set[tuple[str, str]]:
    """Methods and results of many kinds of mail."""
    own = pair("a.example")
    whole = signed(REST, *own, now=LATER)
    messages = [
        REST,
        whole,
        whole + b"footer\r\n",
        signed(REST, *own, now=1),
        whole.replace(b"v=1;", b"v=2;", 1),
        whole.replace(b"d=a.example", b"d=gone.example", 1),
        whole.replace(b"a=rsa-sha256", b"a=rsa-sha1", 1),
        sealed(REST, "one.example", first=True),
        sealed(REST, "one.example", first=True) + b"footer\r\n",
        REST.replace(b"From", b"X-From"),
    ]
    read = [
        parse(re.split(rb"\r\n(?=X-)", fields(one, ip=ip, trouble=trouble))[0].partition(b":")[2])
        for one in messages
        for ip in ("192.0.2.1", "198.51.100.7")
        for trouble in (False, True)
    ]
    return {(one.method, one.result) for results in read for one in results.results}


def left(field: bytes) -> bool:
    """Whether a field from outside stays."""
    return field in without_forged(field + REST, US)


def vouches(seen: str) -> str:
    """What becomes of mail with a broken author's alignment when a trusted sealer has seen this."""
    table = {**SEALS, "_dmarc.a.example": {"TXT": [b"v=DMARC1; p=reject"]}, "a.example": {"TXT": [b"v=spf1 -all"]}}
    found = asyncio.run(
        check_message(
            sealed(REST, "one.example", first=True, seen=seen),
            Peer(ip="192.0.2.9", helo="mx.one.example", sender="id@a.example"),
            resolver=Zones(table),
            server=US,
            rules=Rules(trusted_sealers=frozenset({"one.example"})),
            clock=lambda: LATER,
        )
    )
    return str(found.action)


def asked_names(count: int) -> int:
    """Address questions that a client with so many reverse names causes."""
    names = [f"h{i}.example" for i in range(count)]
    zones = Zones({"1.2.0.192.in-addr.arpa": {"PTR": names}, **{name: {"A": ["192.0.2.2"]} for name in names}})
    asyncio.run(reverse.confirm(zones, "192.0.2.1"))
    return sum(times for (_, rdtype), times in zones.asked.items() if rdtype == "A")


TABLE = musts.read("rfc8601")
PROBES: Probes = {
    "an-identity-has-a-domain": (
        lambda: [
            parse(write(US, [MethodResult("spf", "pass", {"smtp.mailfrom": text})]).partition(b":")[2])
            .results[0]
            .properties
            for text in ("id@a.example", '"a b"@a.example')
        ],
        [{"smtp.mailfrom": "id@a.example"}, {"smtp.mailfrom": '"a b"@a.example'}],
    ),
    "unknown-ptypes-decide-nothing": (
        lambda: [
            len(parse(f"mx.example; dmarc=pass {one}=x".encode()).of("dmarc")) for one in ("header.from", "moon.phase")
        ],
        [1, 0],
    ),
    "our-name-is-ours": (lambda: fields().startswith(f"Authentication-Results: {US};".encode()), True),
    "names-limited-for-iprev": (
        lambda: asked_names(60) <= 10,
        True,
    ),
    "only-registered-methods-and-results": (
        lambda: {(method, result) for method, result in all_reported() if result not in METHODS.get(method, set())},
        set(),
    ),
    "results-are-not-added-to-a-field": (
        lambda: fields(b"Authentication-Results: other.example; none\r\n" + REST).count(b"Authentication-Results:"),
        1,
    ),
    "unknown-results-are-ignored": (
        lambda: [vouches("dmarc=great header.from=a.example"), vouches("x=pass")],
        ["junk"] * 2,
    ),
    "the-field-goes-first": (lambda: b"Received" in fields(), False),
    "fields-in-our-name-go": (
        lambda: [
            left(b"Authentication-Results: mx.example.com; dmarc=pass\r\n"),
            left(b"Authentication-Results: MX.Example.COM 1; dmarc=pass\r\n"),
            left(b"Authentication-Results: mx.other.example; dmarc=pass\r\n"),
        ],
        [False, False, True],
    ),
    "other-versions-go": (
        lambda: [left(f"Authentication-Results: mx.other.example {one}; spf=pass\r\n".encode()) for one in (1, 2)],
        [True, False],
    ),
}


@pytest.mark.parametrize("must", musts.probed(TABLE, PROBES), ids=str)
def test_rfc_8601_is_met(must: Must) -> None:
    probe, expected = PROBES[must.probe]
    assert probe() == expected, must.words


APPENDIX_B = (
    (b" example.org 1; none", "example.org", []),
    (b" example.com;\r\n           spf=pass smtp.mailfrom=example.net", "example.com", [("spf", "pass")]),
    (
        (
            b" example.com;\r\n           auth=pass (cram-md5) smtp.auth=sender@example.net;\r\n"
            b"           spf=pass smtp.mailfrom=example.net"
        ),
        "example.com",
        [("auth", "pass"), ("spf", "pass")],
    ),
    (b" example.com; iprev=pass\r\n           policy.iprev=192.0.2.200", "example.com", [("iprev", "pass")]),
    (
        b" example.com;\r\n         dkim=pass (good signature) header.d=example.com",
        "example.com",
        [("dkim", "pass")],
    ),
    (
        (
            b' example.com;\r\n      dkim=pass reason="good signature"\r\n'
            b"        header.i=@mail-router.example.net;\r\n"
            b'      dkim=fail reason="bad signature"\r\n        header.i=@newyork.example.com'
        ),
        "example.com",
        [("dkim", "pass"), ("dkim", "fail")],
    ),
    (
        (
            b" foo.example.net (foobar) 1 (baz);\r\n    dkim (Because I like it) / 1 (One yay) = (wait for it) fail\r\n"
            b"      policy (A dot can go here) . (like that) expired\r\n"
            b"      (this surprised me) = (as I wasn't expecting it) 1362471462"
        ),
        "foo.example.net",
        [("dkim", "fail")],
    ),
)
"""Values of appendix B: with no results (B.2), one (B.3), several (B.4, B.5), in multi-tiered authentication (B.6), and
heavily commented (B.7)."""


@pytest.mark.parametrize(("value", "server", "found"), APPENDIX_B)
def test_appendix_b_is_read(value: bytes, server: str, found: list[tuple[str, str]]) -> None:
    read = parse(value)
    assert (read.server, read.version, [(one.method, one.result) for one in read.results]) == (server, "1", found)


def test_what_is_no_field_is_refused() -> None:
    for value in (b"", b" ;", b" (only a comment)", b" a.example; spf"):
        with pytest.raises(ResultsError):
            parse(value)
