"""DMARC by sections of RFC 9989: records, the tree walk, organizational domains, alignment, what is asked for."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maild.verify.dmarc import Disposition, Evaluation, Result, evaluate
from maild.verify.dmarc.discovery import Walker, names
from maild.verify.dmarc.record import parse
from maild.verify.message import Author, Headers, author
from tests.lib.zones import Table, Zones

NONE, QUARANTINE, REJECT = Disposition.NONE, Disposition.QUARANTINE, Disposition.REJECT


def txt(text: str) -> dict[str, list[bytes]]:
    return {"TXT": [text.encode()]}


def evaluated(table: Table, domain: str, *, spf: str = "", dkim: Sequence[str] = ()) -> Evaluation:
    return asyncio.run(evaluate(Zones(table), Author(domain), spf_domain=spf, dkim_domains=dkim))


def test_4_10_a_long_name_takes_eight_queries() -> None:
    assert names("a.b.c.d.e.f.g.h.i.j.mail.example.com") == [
        "a.b.c.d.e.f.g.h.i.j.mail.example.com",
        "g.h.i.j.mail.example.com",
        "h.i.j.mail.example.com",
        "i.j.mail.example.com",
        "j.mail.example.com",
        "mail.example.com",
        "example.com",
        "com",
    ]
    assert names("a.mail.example.com") == ["a.mail.example.com", "mail.example.com", "example.com", "com"]


@pytest.mark.parametrize(
    ("table", "domain", "organization"),
    [
        (
            {"_dmarc.mail.example.com": txt("v=DMARC1; p=none"), "_dmarc.example.com": txt("v=DMARC1; p=none")},
            "a.mail.example.com",
            "example.com",
        ),
        (
            {"_dmarc.mail.example.com": txt("v=DMARC1; p=none; psd=n"), "_dmarc.example.com": txt("v=DMARC1; p=none")},
            "a.mail.example.com",
            "mail.example.com",
        ),
        ({"_dmarc.com": txt("v=DMARC1; p=none; psd=y")}, "a.mail.example.com", "example.com"),
        (
            {"_dmarc.example.com": txt("v=DMARC1; p=none; psd=y"), "_dmarc.mail.example.com": txt("v=DMARC1; p=none")},
            "mail.example.com",
            "mail.example.com",
        ),
        ({"_dmarc.co.kr": txt("v=DMARC1; p=none; psd=y")}, "co.kr", "co.kr"),
        ({}, "a.mail.example.com", "a.mail.example.com"),
    ],
)
def test_4_10_2_the_organizational_domain(table: Table, domain: str, organization: str) -> None:
    assert asyncio.run(Walker(Zones(table)).organization(domain)) == organization


@pytest.mark.parametrize(
    ("table", "domain", "requested"),
    [
        ({"_dmarc.a.example": txt("v=DMARC1; p=reject; sp=none")}, "a.example", REJECT),
        (
            {"_dmarc.a.example": txt("v=DMARC1; p=reject; sp=quarantine"), "s.a.example": {"A": ["192.0.2.1"]}},
            "s.a.example",
            QUARANTINE,
        ),
        ({"_dmarc.a.example": txt("v=DMARC1; p=reject"), "s.a.example": {"A": ["192.0.2.1"]}}, "s.a.example", REJECT),
        ({"_dmarc.a.example": txt("v=DMARC1; p=none; np=reject")}, "gone.a.example", REJECT),
        ({"_dmarc.a.example": txt("v=DMARC1; p=none; np=reject"), "s.a.example": {"MX": ["x"]}}, "s.a.example", NONE),
        ({"_dmarc.a.example": txt("v=DMARC1; p=none; sp=quarantine")}, "gone.a.example", QUARANTINE),
        ({"_dmarc.example": txt("v=DMARC1; p=reject; psd=y"), "a.example": {"A": ["192.0.2.1"]}}, "a.example", REJECT),
        (
            {"_dmarc.s.a.example": txt("v=DMARC1; p=none"), "_dmarc.a.example": txt("v=DMARC1; p=reject")},
            "s.a.example",
            NONE,
        ),
    ],
)
def test_4_10_1_the_policy_that_applies(table: Table, domain: str, requested: Disposition) -> None:
    assert evaluated(table, domain).requested is requested


@pytest.mark.parametrize(("policy", "applied"), [("reject", QUARANTINE), ("quarantine", NONE), ("none", NONE)])
def test_4_7_testing_lowers_the_policy_by_one_level(policy: str, applied: Disposition) -> None:
    found = evaluated({"_dmarc.a.example": txt(f"v=DMARC1; p={policy}; t=y")}, "a.example")
    assert (found.requested, found.disposition) == (Disposition(policy), applied)


@pytest.mark.parametrize(
    ("record", "identifier", "result"),
    [
        ("v=DMARC1; p=reject", "a.example", Result.PASS),
        ("v=DMARC1; p=reject", "mail.a.example", Result.PASS),
        ("v=DMARC1; p=reject; adkim=s; aspf=s", "mail.a.example", Result.FAIL),
        ("v=DMARC1; p=reject; adkim=s; aspf=s", "a.example", Result.PASS),
        ("v=DMARC1; p=reject", "b.example", Result.FAIL),
        ("v=DMARC1; p=reject", "nota.example", Result.FAIL),
    ],
)
def test_4_4_alignment(record: str, identifier: str, result: Result) -> None:
    table = {"_dmarc.a.example": txt(record)}
    assert evaluated(table, "a.example", spf=identifier).result is result
    assert evaluated(table, "a.example", dkim=["x.example", identifier]).result is result


def test_4_4_two_names_below_one_organization_align() -> None:
    table = {"_dmarc.a.example": txt("v=DMARC1; p=reject")}
    assert evaluated(table, "news.a.example", dkim=["mail.a.example"]).result is Result.PASS
    split = table | {"_dmarc.news.a.example": txt("v=DMARC1; p=reject; psd=n")}
    assert evaluated(split, "news.a.example", dkim=["mail.a.example"]).result is Result.FAIL


@pytest.mark.parametrize(
    "text",
    [
        "",
        "v=DMARC1",
        "v=DMARC2; p=reject",
        "p=reject; v=DMARC1",
        "v=dmarc1; p=reject",
        "v=DMARC1; p=wrong",
        "v=DMARC1; p=reject; sp=odd",
    ],
)
def test_a_record_without_a_usable_policy_asks_for_nothing(text: str) -> None:
    assert evaluated({"_dmarc.a.example": txt(text)}, "a.example").result is Result.NONE


@pytest.mark.parametrize("text", ["v=DMARC1; rua=mailto:r@a.example", "v=DMARC1; p=odd; rua=mailto:r@a.example"])
def test_4_10_1_an_unusable_policy_with_a_report_address_counts_as_none(text: str) -> None:
    found = evaluated({"_dmarc.a.example": txt(text)}, "a.example")
    assert (found.result, found.requested) == (Result.FAIL, NONE)


def test_4_8_unknown_tags_and_broken_values_fall_back() -> None:
    record = parse(
        b"v=DMARC1 ; P=Reject; adkim=x; t=maybe; psd=?; pct=10; zz=1; garbage; rua=mailto:a@b.example!10m, http://x"
    )
    assert record is not None
    assert (record.policy, record.dkim_mode, record.testing, record.psd) == (REJECT, "r", False, "u")
    assert record.reports_to == ("a@b.example",)


def test_4_10_several_records_are_discarded_all() -> None:
    assert (
        evaluated({"_dmarc.a.example": {"TXT": [b"v=DMARC1; p=none", b"v=DMARC1; p=reject"]}}, "a.example").result
        is Result.NONE
    )
    beside = {"_dmarc.a.example": {"TXT": [b"something else", b"v=DMARC1; p=reject"]}}
    assert evaluated(beside, "a.example").requested is REJECT


@pytest.mark.parametrize("fault", ["TIMEOUT", "SERVFAIL"])
def test_5_3_6_dns_trouble_neither_passes_nor_fails(fault: str) -> None:
    found = evaluated({"_dmarc.a.example": fault}, "a.example", dkim=["a.example"])
    assert (found.result, found.disposition) == (Result.TEMPERROR, NONE)


def test_trouble_further_up_the_tree_takes_no_plain_pass_away() -> None:
    table: Table = {"_dmarc.a.example": txt("v=DMARC1; p=reject"), "_dmarc.example": "TIMEOUT"}
    assert evaluated(table, "a.example", dkim=["a.example", "b.example"]).result is Result.PASS
    assert evaluated(table, "a.example", spf="b.example", dkim=["a.example"]).result is Result.PASS
    assert evaluated(table, "a.example", dkim=["b.example"]).result is Result.TEMPERROR


@pytest.mark.parametrize(
    ("fields", "domain", "problem"),
    [
        ("From: 홍길동 <주문@테스트.net>\r\n", "xn--9t4b11yi5a.net", ""),
        ('From: "id@bank.example" <x@a.example>\r\n', "a.example", ""),
        ("From: a@a.example, b@A.example\r\n", "a.example", ""),
        ("From: a@a.example, b@b.example\r\n", "", "addresses of several domains in From"),
        ("From: a@a.example\r\nFrom: b@a.example\r\n", "", "2 From fields"),
        ("Subject: x\r\n", "", "no From field"),
        ("From: nobody\r\n", "", "the From field holds no valid domain"),
        ("From: a group:;\r\n", "", "no address in From"),
    ],
)
def test_5_3_1_the_author_domain(fields: str, domain: str, problem: str) -> None:
    found = author(Headers.of(fields.encode()))
    assert (found.domain, found.problem) == (domain, problem)


@given(st.binary(max_size=300))
def test_any_text_is_a_record_or_none(data: bytes) -> None:
    for text in (data, b"v=DMARC1;" + data):
        record = parse(text)
        assert record is None or record.policy in (None, *Disposition)


@given(st.lists(st.sampled_from(["a", "b", "co"]), min_size=1, max_size=14))
def test_a_walk_never_asks_more_than_eight_times(labels: list[str]) -> None:
    zones = Zones({})
    asyncio.run(evaluate(zones, Author(".".join(labels))))
    assert sum(zones.asked.values()) <= 8
