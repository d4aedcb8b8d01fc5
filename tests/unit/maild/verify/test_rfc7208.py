"""RFC 7208 (SPF) demand by demand: each MUST that a verifier has, in the standard's words, beside what ours does.

The words are those of the published text. The openspf suite (``test_spf_suite``) covers section 4 far more widely.
"""

from __future__ import annotations

import asyncio

import pytest

from maild.dns import MX
from maild.verify import Peer, check_message
from maild.verify.decision import Name
from maild.verify.spf import Outcome, check_sender
from maild.verify.spf.lint import Fault, lint
from tests.lib import musts
from tests.lib.musts import Must, Probes
from tests.lib.zones import Table, Zones

US, OTHER = "192.0.2.25", "198.51.100.1"
DOMAIN = "example.net"
ALL_ADDRESSES = {f"h{i}.{DOMAIN}": {"A": [OTHER]} for i in range(12)}


def checked(table: Table, sender: str = f"a@{DOMAIN}", ip: str = US, helo: str = f"smtp.{DOMAIN}") -> Outcome:
    return asyncio.run(check_sender(Zones(table), ip, sender, helo))


def record(text: str, **more: object) -> Table:
    return {DOMAIN: {"TXT": [text.encode()], **more}}  # type: ignore[dict-item]


def result(text: str, also: Table | None = None, **more: object) -> str:
    return str(checked(dict(record(text, **more)) | dict(also or {})).result)


def lookups(terms: int) -> str:
    return result("v=spf1 " + " ".join(f"a:h{i}.{DOMAIN}" for i in range(terms)) + " +all", ALL_ADDRESSES)


def exchanges(count: int) -> tuple[str, int]:
    hosts = [MX(1, f"h{i}.{DOMAIN}") for i in range(count)]
    zones = Zones({**record("v=spf1 mx -all", MX=hosts), **ALL_ADDRESSES})
    outcome = asyncio.run(check_sender(zones, US, f"a@{DOMAIN}", "x"))
    return str(outcome.result), sum(count for (_, rdtype), count in zones.asked.items() if rdtype == "A")


def pointers(place: int) -> tuple[str, int]:
    """A client with twelve names, of which the one at ``place`` is the sender's."""
    names = [f"mail.{DOMAIN}" if i == place else f"h{i}.other.example" for i in range(12)]
    table = {
        **record("v=spf1 ptr -all"),
        "25.2.0.192.in-addr.arpa": {"PTR": names},
        **{name: {"A": [US if name.startswith("mail.") else OTHER]} for name in names},
    }
    zones = Zones(table)
    outcome = asyncio.run(check_sender(zones, US, f"a@{DOMAIN}", "x"))
    return str(outcome.result), sum(count for (_, rdtype), count in zones.asked.items() if rdtype == "A")


def explained(own: str, target: str, words: bytes = b"Not one of ours.") -> str:
    table = {
        **record(f"v=spf1 {own} exp=own.{DOMAIN}"),
        f"t.{DOMAIN}": {"TXT": [f"v=spf1 {target} exp=theirs.{DOMAIN}".encode()]},
        f"own.{DOMAIN}": {"TXT": [words]},
        f"theirs.{DOMAIN}": {"TXT": [b"Theirs."]},
    }
    return checked(table).explanation


def reasons(spf_record: str) -> list[str]:
    """What the decision makes of a message whose domain publishes this, DMARC left aside."""
    message = f"From: <a@{DOMAIN}>\r\n\r\nx\r\n".encode()
    peer = Peer(ip=US, helo=f"smtp.{DOMAIN}", sender=f"a@{DOMAIN}")
    table = record(spf_record) if spf_record else {DOMAIN: {"A": [US]}}
    found = asyncio.run(check_message(message, peer, resolver=Zones(table), server="us.example"))
    return sorted(reason.name for reason in found.decision.reasons if reason.name is not Name.NO_REVERSE)


def asked(text: str, rdtype: str) -> int:
    zones = Zones({**record(text)})
    asyncio.run(check_sender(zones, US, f"a@{DOMAIN}", "x"))
    return sum(count for (_, kind), count in zones.asked.items() if kind == rdtype)


TABLE = musts.read("rfc7208")
PROBES: Probes = {
    "check-host-is-asked": (
        lambda: result(f"v=spf1 ip4:{US} -all"),
        "pass",
    ),
    "mail-from-is-checked": (
        lambda: [
            (str(one.result), one.domain)
            for one in (
                checked(record("v=spf1 -all")),
                checked({f"smtp.{DOMAIN}": {"TXT": [b"v=spf1 +all"]}}, sender=""),
            )
        ],
        [("fail", DOMAIN), ("pass", f"smtp.{DOMAIN}")],
    ),
    "two-records-are-an-error": (
        lambda: str(checked({DOMAIN: {"TXT": [b"v=spf1 +all", b"v=spf1 -all"]}}).result),
        "permerror",
    ),
    "idn-are-a-labels": (
        lambda: [
            str(checked({"xn--9t4b11yi5a.net": {"TXT": [b"v=spf1 +all"]}}, sender).result)
            for sender in ("a@테스트.net", "a@xn--9t4b11yi5a.net")
        ],
        ["pass", "pass"],
    ),
    "ten-lookups-are-allowed": (
        lambda: lookups(10),
        "pass",
    ),
    "eleven-lookups-are-an-error": (
        lambda: lookups(11),
        "permerror",
    ),
    "ten-exchanges-are-looked-up": (
        lambda: exchanges(10),
        ("fail", 10),
    ),
    "eleven-exchanges-are-an-error": (
        lambda: exchanges(11)[0],
        "permerror",
    ),
    "ten-pointers-are-looked-up": (
        lambda: pointers(9),
        ("pass", 10),
    ),
    "further-pointers-are-ignored": (
        lambda: pointers(10)[0],
        "fail",
    ),
    "nothing-counts-behind-all": (
        lambda: [result(f"v=spf1 -all ip4:{US}"), asked(f"v=spf1 -all a:x.{DOMAIN}", "A")],
        ["fail", 0],
    ),
    "redirect-counts-not-beside-all": (
        lambda: result(f"v=spf1 redirect=t.{DOMAIN} -all", {f"t.{DOMAIN}": {"TXT": [b"v=spf1 +all"]}}),
        "fail",
    ),
    "no-implicit-exchange": (
        lambda: (result("v=spf1 mx -all", A=[US]), asked("v=spf1 mx -all", "A")),
        ("fail", 0),
    ),
    "pointers-are-supported": (
        lambda: pointers(0)[0],
        "pass",
    ),
    "redirect-and-exp-come-once": (
        lambda: [result(f"v=spf1 redirect=a.{DOMAIN} redirect=b.{DOMAIN}"), result("v=spf1 exp=a.b exp=c.d -all")],
        ["permerror", "permerror"],
    ),
    "unknown-modifiers-are-ignored": (
        lambda: result(f"v=spf1 x=1 ip4:{US} x=2 moo=%{{d}} -all x=3"),
        "pass",
    ),
    "redirect-is-not-followed-beside-all": (
        lambda: asked(f"v=spf1 redirect=t.{DOMAIN} ?all", "TXT"),
        1,
    ),
    "no-exp-no-explanation": (
        lambda: checked(record("v=spf1 -all")).explanation,
        "",
    ),
    "explanations-are-ascii": (
        lambda: [explained("-all", "-all"), explained("-all", "-all", "안 됩니다".encode())],
        ["Not one of ours.", ""],
    ),
    "an-include-explains-nothing": (
        lambda: explained(f"include:t.{DOMAIN} -all", "-all"),
        "Not one of ours.",
    ),
    "a-redirect-explains-itself": (
        lambda: explained(f"redirect=t.{DOMAIN}", "-all"),
        "Theirs.",
    ),
    "trailing-dots-are-taken": (
        lambda: result(f"v=spf1 a:mail.{DOMAIN}. -all", {f"mail.{DOMAIN}": {"A": [US]}}),
        "pass",
    ),
    "zero-labels-are-an-error": (
        lambda: [result(f"v=spf1 exists:%{{d{digits}}}.x.example -all") for digits in ("0", "1")],
        ["permerror", "fail"],
    ),
    "127-labels-are-kept": (
        lambda: result("v=spf1 a:%{d127} -all", A=[US]),
        "pass",
    ),
    "capitals-escape": (
        lambda: explained("-all", "-all", b"See http://why.example/?s=%{S}&i=%{I}"),
        f"See http://why.example/?s=a%40{DOMAIN}&i={US}",
    ),
    "neutral-is-like-none": (
        lambda: reasons("v=spf1 ?all") == reasons(""),
        True,
    ),
    "exchange-limits-hold": (
        lambda: exchanges(11)[0],
        "permerror",
    ),
}


@pytest.mark.parametrize("must", musts.probed(TABLE, PROBES), ids=str)
def test_rfc_7208_is_met(must: Must) -> None:
    probe, expected = PROBES[must.probe]
    assert probe() == expected, must.words


APPENDIX = {
    "example.com": {
        "MX": [MX(10, "mail-a.example.com"), MX(20, "mail-b.example.com")],
        "A": ["192.0.2.10", "192.0.2.11"],
    },
    "amy.example.com": {"A": ["192.0.2.65"]},
    "bob.example.com": {"A": ["192.0.2.66"]},
    "mail-a.example.com": {"A": ["192.0.2.129"]},
    "mail-b.example.com": {"A": ["192.0.2.130"]},
    "example.org": {"MX": [MX(10, "mail-c.example.org")]},
    "mail-c.example.org": {"A": ["192.0.2.140"]},
    "10.2.0.192.in-addr.arpa": {"PTR": ["example.com"]},
    "11.2.0.192.in-addr.arpa": {"PTR": ["example.com"]},
    "65.2.0.192.in-addr.arpa": {"PTR": ["amy.example.com"]},
    "66.2.0.192.in-addr.arpa": {"PTR": ["bob.example.com"]},
    "129.2.0.192.in-addr.arpa": {"PTR": ["mail-a.example.com"]},
    "130.2.0.192.in-addr.arpa": {"PTR": ["mail-b.example.com"]},
    "140.2.0.192.in-addr.arpa": {"PTR": ["mail-c.example.org"]},
    "4.0.0.10.in-addr.arpa": {"PTR": ["bob.example.com"]},
}
"""The zone of appendix A."""


@pytest.mark.parametrize(
    ("published", "ip", "expected"),
    [
        ("v=spf1 +all", "198.51.100.1", "pass"),
        ("v=spf1 a -all", "192.0.2.10", "pass"),
        ("v=spf1 a -all", "192.0.2.11", "pass"),
        ("v=spf1 a -all", "192.0.2.65", "fail"),
        ("v=spf1 a:example.org -all", "192.0.2.10", "fail"),
        ("v=spf1 mx -all", "192.0.2.129", "pass"),
        ("v=spf1 mx -all", "192.0.2.130", "pass"),
        ("v=spf1 mx:example.org -all", "192.0.2.140", "pass"),
        ("v=spf1 mx mx:example.org -all", "192.0.2.140", "pass"),
        ("v=spf1 mx/30 mx:example.org/30 -all", "192.0.2.131", "pass"),
        ("v=spf1 mx/30 mx:example.org/30 -all", "192.0.2.143", "pass"),
        ("v=spf1 ptr -all", "192.0.2.65", "pass"),
        ("v=spf1 ptr -all", "192.0.2.140", "fail"),
        ("v=spf1 ptr -all", "10.0.0.4", "fail"),
        ("v=spf1 ip4:192.0.2.128/28 -all", "192.0.2.65", "fail"),
        ("v=spf1 ip4:192.0.2.128/28 -all", "192.0.2.129", "pass"),
    ],
)
def test_appendix_a_1_the_simple_examples(published: str, ip: str, expected: str) -> None:
    table = APPENDIX | {"example.com": APPENDIX["example.com"] | {"TXT": [published.encode()]}}
    assert str(checked(table, "strong-bad@example.com", ip).result) == expected


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        ("%{s}", "strong-bad@email.example.com"),
        ("%{o}", "email.example.com"),
        ("%{d}", "email.example.com"),
        ("%{d4}", "email.example.com"),
        ("%{d3}", "email.example.com"),
        ("%{d2}", "example.com"),
        ("%{d1}", "com"),
        ("%{dr}", "com.example.email"),
        ("%{d2r}", "example.email"),
        ("%{l}", "strong-bad"),
        ("%{l-}", "strong.bad"),
        ("%{lr}", "strong-bad"),
        ("%{lr-}", "bad.strong"),
        ("%{l1r-}", "strong"),
        ("%{ir}.%{v}._spf.%{d2}", "3.2.0.192.in-addr._spf.example.com"),
        ("%{lr-}.lp._spf.%{d2}", "bad.strong.lp._spf.example.com"),
        ("%{lr-}.lp.%{ir}.%{v}._spf.%{d2}", "bad.strong.lp.3.2.0.192.in-addr._spf.example.com"),
        ("%{ir}.%{v}.%{l1r-}.lp._spf.%{d2}", "3.2.0.192.in-addr.strong.lp._spf.example.com"),
        ("%{d2}.trusted-domains.example.net", "example.com.trusted-domains.example.net"),
    ],
)
def test_7_4_the_expansion_examples(spec: str, name: str) -> None:
    table = {
        "email.example.com": {"TXT": [b"v=spf1 -all exp=x.%{d}"]},
        "x.email.example.com": {"TXT": [spec.encode()]},
    }
    assert checked(table, "strong-bad@email.example.com", "192.0.2.3").explanation == name


def test_7_4_the_ipv6_expansion_example() -> None:
    name = "1.0.b.c.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6._spf.example.com"
    table = {
        "email.example.com": {"TXT": [b"v=spf1 exists:%{ir}.%{v}._spf.%{d2} -all"]},
        name: {"A": ["127.0.0.2"]},
    }
    assert str(checked(table, "strong-bad@email.example.com", "2001:db8::cb01").result) == "pass"


def test_a_publisher_is_told_of_a_second_record() -> None:
    table = {DOMAIN: {"TXT": [b"v=spf1 -all", b"v=spf1 +all"]}}
    assert Fault.SEVERAL_RECORDS in {note.fault for note in asyncio.run(lint(Zones(table), DOMAIN, [US]))}
