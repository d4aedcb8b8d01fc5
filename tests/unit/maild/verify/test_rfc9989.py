"""RFC 9989 (DMARC) demand by demand, in the words of the published text (May 2026), beside what ours does.

No package ships that text yet: it was read in the stored copy of a public translation (tex2e/rfc-translater), so the
tool that compares the words of the other tables has nothing to hold these against.
"""

from __future__ import annotations

import asyncio

import pytest

from maild.verify import Peer, Rules, Verdict, check_message
from maild.verify.dmarc import Evaluation, evaluate
from maild.verify.dmarc.gathering import DAY, Gatherer, seen_of
from maild.verify.dmarc.record import Policy, parse
from maild.verify.message import Author, Headers, author
from tests.lib import musts
from tests.lib.dkim import NOW, key, pair, signed, zone
from tests.lib.musts import Must, Probes
from tests.lib.zones import Table, Zones

US, OTHER = "192.0.2.25", "198.51.100.7"
BARE = b"From: <id@a.example>\r\n\r\nx\r\n"


def txt(text: str) -> dict[str, list[bytes]]:
    return {"TXT": [text.encode()]}


def table(policy: str, spf: str = f"v=spf1 ip4:{US} -all", **more: object) -> Table:
    published = {"_dmarc.a.example": txt(f"v=DMARC1; {policy}")} if policy else {}
    return {"a.example": txt(spf), **published, **zone(*pair("a.example")), **more}  # type: ignore[dict-item]


def evaluated(record: str, domain: str = "a.example", *, spf: str = "", **more: object) -> Evaluation:
    zones = Zones({"_dmarc.a.example": txt(record), **more})  # type: ignore[dict-item]
    return asyncio.run(evaluate(zones, Author(domain), spf_domain=spf))


def requested(record: str, domain: str) -> str:
    """What is asked for mail of this name; ``s.a.example`` exists, nothing else does."""
    return str(evaluated(record, domain, **{"s.a.example": {"A": [US]}}).requested)


def policy(record: str) -> Policy:
    found = parse(record.encode())
    assert found is not None
    return found


def verdict(zones: Table, message: bytes = BARE, *, ip: str = OTHER, sender: str = "id@a.example") -> Verdict:
    peer = Peer(ip=ip, helo="mx.b.example", sender=sender)
    return asyncio.run(
        check_message(message, peer, resolver=Zones(zones), server="us.example", rules=Rules(), clock=lambda: NOW)
    )


def treated(zones: Table, **more: object) -> tuple[str, list[str]]:
    """What becomes of a message, and the reasons given."""
    found = verdict(zones, **more)  # type: ignore[arg-type]
    return str(found.action), sorted(str(reason.name) for reason in found.decision.reasons)


def reported(record: str) -> list[str]:
    """The domains that a report would be made for after a message of a.example came."""
    gatherer = Gatherer()
    gatherer.note(
        seen_of(Peer(ip=US, helo="x", sender="id@a.example"), verdict(table(record), ip=US), delivered=True), DAY
    )
    return [one.domain for one in gatherer.gathered()]


def by_list() -> Table:
    """The zone of a list host that passes SPF as itself, beside an author's who asks to reject."""
    return table("p=reject", **{"list.example": txt(f"v=spf1 ip4:{OTHER} -all")})


def asked(domain: str) -> bool:
    """Whether the author's own record is looked up."""
    zones = Zones({})
    asyncio.run(evaluate(zones, Author(domain)))
    return bool(zones.asked[f"_dmarc.{domain}", "TXT"])


TABLE = musts.read("rfc9989")
PROBES: Probes = {
    "unknown-tags-are-ignored": (
        lambda: str(evaluated("v=DMARC1; zz=1; p=reject; pct=0; rf=afrf; ri=1").requested),
        "reject",
    ),
    "np-falls-back": (
        lambda: [
            requested(f"v=DMARC1; {tags}", "gone.a.example")
            for tags in ("p=none; sp=quarantine; np=reject", "p=none; sp=quarantine", "p=reject")
        ],
        ["reject", "quarantine", "reject"],
    ),
    "sp-falls-back": (
        lambda: [
            requested(f"v=DMARC1; {tags}", "s.a.example")
            for tags in ("p=none; sp=quarantine; np=reject", "p=none; np=reject", "p=reject")
        ],
        ["quarantine", "none", "reject"],
    ),
    "rua-by-mail": (lambda: policy("v=DMARC1; p=none; rua=mailto:r@a.example!10m").reports_to, ("r@a.example",)),
    "no-rua-no-report": (
        lambda: [reported("p=reject"), reported("p=reject; rua=mailto:r@a.example")],
        [[], ["a.example"]],
    ),
    "other-schemes-are-ignored": (
        lambda: policy("v=DMARC1; p=none; rua=https://a.example/r, mailto:r@a.example, ftp://x").reports_to,
        ("r@a.example",),
    ),
    "v-is-first": (
        lambda: [str(evaluated(one).result) for one in ("p=reject; v=DMARC1", " v=DMARC1")],
        ["none", "none"],
    ),
    "other-records-are-ignored": (
        lambda: [
            str(evaluated(one).result)
            for one in (
                "v=DMARC2; p=reject",
                "v=dmarc1; p=reject",
                "p=reject",
                "v=DMARC1 x; p=reject",
                "V=DMARC1; p=reject",
            )
        ],
        ["none"] * 5,
    ),
    "broken-values-fall-back": (
        lambda: (
            policy("v=DMARC1; p=reject; adkim=x; aspf=; t=maybe; psd=1; garbage; =; rua=")
            == policy("v=DMARC1; p=reject")
        ),
        True,
    ),
    "a-comma-ends-a-uri": (
        lambda: policy("v=DMARC1; p=none; rua=mailto:a@a.example,mailto:b@a.example!1g").reports_to,
        ("a@a.example", "b@a.example"),
    ),
    "no-policy-with-rua-is-none": (
        lambda: [
            (str(found.result), str(found.requested))
            for found in (
                evaluated(f"v=DMARC1; {tags}")
                for tags in ("rua=mailto:r@a.example", "p=odd; rua=mailto:r@a.example", "p=odd", "p=reject; sp=odd")
            )
        ],
        [("fail", "none"), ("fail", "none"), ("none", "none"), ("none", "none")],
    ),
    "no-record-no-dmarc": (
        lambda: [
            str(asyncio.run(evaluate(Zones({}), Author("a.example"), spf_domain=spf)).result)
            for spf in ("", "a.example")
        ],
        ["none", "none"],
    ),
    "our-mail-is-aligned": (
        lambda: verdict(table("p=reject; adkim=s"), signed(BARE, *pair("a.example"))).facts.dmarc.aligned_dkim,
        ("a.example",),
    ),
    "author-in-a-labels": (
        lambda: author(Headers.of("From: 주문 <주문@테스트.net>\r\n".encode())).domain,
        "xn--9t4b11yi5a.net",
    ),
    "spf-results-are-kept": (
        lambda: [
            (str(found.facts.spf.result), found.facts.spf.domain)
            for found in (verdict(table("p=none"), ip=US), verdict(table("p=none")))
        ],
        [("pass", "a.example"), ("fail", "a.example")],
    ),
    "dkim-results-are-kept": (
        lambda: [
            (str(check.result), check.domain, check.selector)
            for message in (
                signed(BARE, key("a.example", "dkim")) + b"more\r\n",
                signed(BARE, key("a.example", "dkim"), now=1.0),
                signed(BARE, key("a.example", "dkim")).replace(b"rsa-sha256", b"rsa-sha1"),
            )
            for check in verdict(table("p=none"), message).facts.dkim
        ],
        [("fail", "a.example", "dkim"), ("fail", "a.example", "dkim"), ("policy", "a.example", "dkim")],
    ),
    "p-none-changes-nothing": (
        lambda: [
            treated(table("p=none", spf), ip=ip) == treated(table("", spf), ip=ip) for spf in SPF for ip in (US, OTHER)
        ],
        [True] * 6,
    ),
    "we-sign-what-we-ask-to-reject": (
        lambda: [
            str(verdict(table("p=reject"), message, ip=OTHER).facts.dmarc.result)
            for message in (BARE, signed(BARE, *pair("a.example")))
        ],
        ["fail", "pass"],
    ),
    "p-reject-alone-refuses-nothing": (
        lambda: treated(by_list(), sender="bounce@list.example"),
        ("junk", ["dmarc-quarantine", "no-reverse-name"]),
    ),
    "p-reject-counts-as-quarantine": (
        lambda: [
            treated(zones, sender="bounce@list.example")[0]
            for zones in (by_list(), dict(by_list()) | {"_dmarc.a.example": txt("v=DMARC1; p=quarantine")})
        ],
        ["junk", "junk"],
    ),
    "the-author-domain-is-asked": (
        lambda: [asked("a.example"), asked(".".join("abcdefghij") + ".example")],
        [True, True],
    ),
    "alignment-is-checked": (
        lambda: [
            str(evaluated("v=DMARC1; p=reject", "news.a.example", spf=spf).result)
            for spf in ("mail.a.example", "a.example", "b.example", "")
        ],
        ["pass", "pass", "fail", "fail"],
    ),
}
SPF = ("v=spf1 -all", "v=spf1 ~all", f"v=spf1 ip4:{US} -all")


@pytest.mark.parametrize("must", musts.probed(TABLE, PROBES), ids=str)
def test_rfc_9989_is_met(must: Must) -> None:
    probe, expected = PROBES[must.probe]
    assert probe() == expected, must.words


def test_4_10_2_two_names_at_one_place_need_no_walk() -> None:
    zones = Zones({"_dmarc.mail.a.example": txt("v=DMARC1; p=reject"), "_dmarc.example": "TIMEOUT"})
    found = asyncio.run(evaluate(zones, Author("mail.a.example"), dkim_domains=["mail.a.example"]))
    assert (str(found.result), zones.asked.total()) == ("pass", 1)


def test_5_1_8_a_name_of_more_than_eight_labels_is_asked_for_before_the_walk() -> None:
    name = "mail.a.b.c.d.e.f.g.example.com"
    zones = Zones(
        {f"_dmarc.{name}": txt("v=DMARC1; p=reject"), "_dmarc.b.c.d.e.f.g.example.com": txt("v=DMARC1; psd=n")}
    )
    assert str(asyncio.run(evaluate(zones, Author(name))).requested) == "reject"
    without = Zones({"_dmarc.b.c.d.e.f.g.example.com": txt("v=DMARC1; p=reject; psd=n")})
    assert str(asyncio.run(evaluate(without, Author(name))).result) == "none"
