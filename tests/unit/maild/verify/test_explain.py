"""Explanations: every way a message can stand has a line, a reason and a remedy, in both languages, with its source."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import dkim as dkimpy
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maild.dns.records import MailDomain, Server, expected
from maild.locale import translator
from maild.verify import Peer, check_message
from maild.verify.decision import Facts
from maild.verify.dkim.signature import Reason
from maild.verify.explain import Level, Line, Own, explain, lists, path_of, wording
from maild.verify.explain import Path as MailPath
from maild.verify.explain.receivers import MEGABYTE, RECEIVERS
from maild.verify.message import Headers, Splitter
from tests.lib.arc import LATER, sealed
from tests.lib.dkim import NOW, key, pair, signed, zone
from tests.lib.zones import Table, Zones

DATA = Path(__file__).parents[3] / "data" / "explain"
NET = "xn--9t4b11yi5a.net"
IP = "192.0.2.25"
MESSAGE = (
    f"From: <id@{NET}>\r\nTo: a@example.org\r\nSubject: x\r\nDate: Tue, 24 Nov 2026 10:00:00 +0900\r\n"
    f"Message-ID: <1@{NET}>\r\n\r\n안녕하세요.\r\n"
).encode()
OWN = Own(
    expected(
        [MailDomain(name=NET, dkim=tuple((one.selector, one.record) for one in pair(NET)))],
        Server(hostname=f"smtp.{NET}", ipv4=IP),
    )
)


def txt(text: str) -> dict[str, list[bytes]]:
    return {"TXT": [text.encode()]}


GOOD: Table = {
    NET: txt(f"v=spf1 ip4:{IP} -all"),
    f"_dmarc.{NET}": txt("v=DMARC1; p=reject; adkim=s"),
    "25.2.0.192.in-addr.arpa": {"PTR": [f"smtp.{NET}"]},
    f"smtp.{NET}": {"A": [IP]},
    **zone(*pair(NET)),
}
WORLD: Table = {
    **GOOD,
    "shop.example": txt("v=spf1 ip4:203.0.113.40 -all"),
    "_dmarc.shop.example": txt("v=DMARC1; p=quarantine"),
    **zone(key("shop.example", "s1"), key("google.com", "arc"), key("news.example.kr", "n1", bits=1024)),
    "69.220.85.209.in-addr.arpa": {"PTR": ["mail-sor-f69.google.com"]},
    "mail-sor-f69.google.com": {"A": ["209.85.220.69"]},
    "cheap-host.example": txt("v=spf1 ip4:198.51.100.0/24 ~all"),
    "_dmarc.bank.example": txt("v=DMARC1; p=reject"),
    "news.example.kr": txt("v=spf1 ip4:203.0.113.60 -all"),
    "_dmarc.news.example.kr": txt("v=DMARC1; p=none"),
    "60.113.0.203.in-addr.arpa": {"PTR": ["out1.news.example.kr"]},
    "out1.news.example.kr": {"A": ["203.0.113.60"]},
}


def lines(
    message: bytes,
    table: Table,
    *,
    ip: str = IP,
    tls: bool | None = True,
    path: MailPath | None = None,
    now: float = NOW,
) -> list[Line]:
    path = path or MailPath(ip=ip, helo=f"smtp.{NET}", sender=f"id@{NET}", tls=tls)
    verdict = asyncio.run(
        check_message(
            message,
            Peer(ip=path.ip, helo=path.helo, sender=path.sender),
            resolver=Zones(table),
            server="mx.example.org",
            clock=lambda: now,
        )
    )
    splitter = Splitter()
    splitter.feed(message)
    return explain(verdict.facts, splitter.finish(), path, len(message), OWN)


def stored(message: bytes, now: float = NOW) -> list[Line]:
    """Of a message as it lies in a mailbox, by its own trace."""
    path = path_of(message)
    assert path is not None
    return lines(message, WORLD, path=path, now=now)


def bad(found: list[Line]) -> dict[str, Line]:
    return {line.topic: line for line in found if line.level is Level.BAD}


def levels(found: list[Line], topic: str) -> list[Level]:
    return [line.level for line in found if line.topic == topic]


def test_our_own_mail_stands_well_with_every_receiver() -> None:
    found = lines(signed(MESSAGE, *pair(NET)), GOOD)
    assert [line for line in found if line.level is not Level.GOOD] == []
    assert {"SPF", "DKIM", "DMARC", "ARC", "TLS", "PTR", "Size", "List-Unsubscribe"} < {line.topic for line in found}
    assert {one.title for one in RECEIVERS.values()} < {line.topic for line in found}


def test_a_missing_record_of_ours_is_named_exactly() -> None:
    without = {name: types for name, types in GOOD.items() if name not in {NET, f"dkim._domainkey.{NET}"}}
    found = bad(lines(signed(MESSAGE, *pair(NET)), without))
    assert [record.value for record in found["SPF"].records] == [f"v=spf1 ip4:{IP} -all"]
    assert [record.owner for record in found["DKIM"].records] == [f"dkim._domainkey.{NET}"]
    assert [record.value for record in found["DKIM"].records] == [pair(NET)[0].record]
    shown = found["SPF"].shown(translator("ko"))
    assert f"TXT | 테스트.net ({NET}) | v=spf1 ip4:{IP} -all" in shown
    assert "SPF 레코드가 없습니다" in shown


def test_the_tutorials_mistakes_are_seen() -> None:
    table = dict(GOOD)
    weak = key(NET, "dkim", bits=1024)
    table[f"dkim._domainkey.{NET}"] = txt(weak.record)
    table["25.2.0.192.in-addr.arpa"] = {"PTR": ["host-25.provider.example"]}
    found = lines(signed(MESSAGE, weak), table, tls=False)
    assert {"PTR", "TLS", "Gmail", "Microsoft"} == set(bad(found))
    assert [record.value for record in bad(found)["PTR"].records] == [f"smtp.{NET}"]
    dkim = next(line for line in found if line.topic == "DKIM")
    assert (dkim.level, "2048" in dkim.remedy) == (Level.NOTE, True)


def test_a_forgery_of_ours_fails_and_asks_us_to_enter_nothing() -> None:
    found = bad(lines(MESSAGE, GOOD, ip="198.51.100.7"))
    assert {"SPF", "DKIM", "DMARC", "PTR", "Gmail", "Microsoft"} == set(found)
    assert [line.records for line in found.values()] == [()] * len(found)
    assert "사칭" in found["SPF"].shown(translator("ko"))
    assert "forged" in found["DMARC"].remedy


def test_a_message_that_gmail_forwards_is_told_from_a_forgery() -> None:
    raw = signed((DATA / "gmail-forwarded.eml").read_bytes(), key("shop.example", "s1"), now=LATER)
    found = stored(sealed(raw, "google.com", first=True), LATER)
    assert bad(found) == {}
    by_topic = {line.topic: line for line in found}
    assert (by_topic["SPF"].level, "Forwarded mail" in by_topic["SPF"].remedy) == (Level.NOTE, True)
    assert by_topic["ARC"].shown(translator("en")) == "[ OK ] ARC: the chain of google.com holds"
    assert by_topic["PTR"].values["name"] == "mail-sor-f69.google.com"


def test_a_phishing_mail_in_euc_kr_is_taken_apart() -> None:
    found = bad(stored((DATA / "euc-kr-spam.eml").read_bytes()))
    assert {"DKIM", "DMARC", "TLS", "PTR", "Gmail", "Microsoft"} == set(found)
    form = next(line for line in stored((DATA / "euc-kr-spam.eml").read_bytes()) if "well-formed" in line.text)
    assert form.shown(translator("ko")).endswith("이 헤더를 고치십시오: 2 x Subject, 0 x Message-ID, From (2)")


def test_a_newsletter_is_held_against_the_rules_for_bulk() -> None:
    raw = (DATA / "newsletter.eml").read_bytes()
    own = key("news.example.kr", "n1", bits=1024)
    whole = stored(signed(raw, own))
    assert bad(whole) == {}
    assert levels(whole, "List-Unsubscribe") == [Level.GOOD]
    field = dkimpy.sign(raw, b"n1", b"news.example.kr", own.pem(), include_headers=[b"from", b"date"])
    unsigned = stored(field + raw, LATER)
    assert levels(unsigned, "List-Unsubscribe") == [Level.NOTE]
    half = stored(signed(raw.replace(b"List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n", b""), own))
    assert [line.level for line in half if "one-click" in line.text] == [Level.NOTE]
    none = stored(signed(re.sub(rb"List-Unsubscribe[^\n]*\n", b"", raw), own))
    assert [line.level for line in none if "unsubscrib" in line.text and line.topic != "List-Unsubscribe"] == [
        Level.NOTE,
        Level.NOTE,
    ]


def test_what_could_not_be_seen_is_no_fault() -> None:
    found = lines(signed(MESSAGE, *pair(NET)), {**GOOD, "25.2.0.192.in-addr.arpa": "TIMEOUT"}, tls=None)
    assert bad(found) == {}
    assert [line.topic for line in found if line.level is Level.NOTE] == [
        "TLS",
        "PTR",
        *["Gmail"] * 2,
        "Naver",
        "Microsoft",
    ]


def test_nobody_writes_as_the_receiver_itself() -> None:
    for domain, topic in (("gmail.com", "Gmail"), ("naver.com", "Naver")):
        forged = MESSAGE.replace(NET.encode(), domain.encode())
        assert [line.text for line in lines(forged, GOOD) if line.topic == topic and "nobody" in line.text] == [
            f"lets nobody else send as {domain}"
        ]
        assert Level.BAD in levels(lines(forged, GOOD), topic)


def test_a_message_larger_than_gmail_takes_is_named() -> None:
    found = explain(*_facts(MESSAGE), 50 * MEGABYTE + 1, OWN)
    assert [line.text for line in found if line.remedy.startswith("Send a link")] == ["takes messages of up to 50 MB"]
    found = explain(*_facts(MESSAGE), 50 * MEGABYTE, OWN)
    assert [line for line in found if line.remedy.startswith("Send a link")] == []


def _facts(message: bytes) -> tuple[Facts, Headers, MailPath]:
    path = MailPath(ip=IP, helo="x", sender=f"id@{NET}")
    verdict = asyncio.run(
        check_message(message, Peer(ip=IP, helo="x", sender=path.sender), resolver=Zones(GOOD), server="mx")
    )
    return verdict.facts, Headers.of(message), path


@pytest.mark.parametrize(
    ("record", "words"),
    [
        (b"v=spf1 include:gone.example -all", "include:gone.example 항목이 가리키는 곳에 SPF 레코드가 없습니다"),
        (b"v=spf1 " + b"a:h.example " * 11 + b"-all", "DNS 조회가 10번을 넘습니다"),
        (b"v=spf1 a:x.example a:y.example a:z.example -all", "그 안의 이름이 2개 넘게 없습니다"),
        (b"v=spf1 foo:bar -all", "foo:bar 항목을 쓸 수 없습니다"),
        ("v=spf1 a:메일.net -all".encode(), "ASCII가 아닌 글자가 들어 있습니다"),
    ],
)
def test_what_is_wrong_with_spf_is_said_in_korean(record: bytes, words: str) -> None:
    table = {**GOOD, NET: {"TXT": [record]}, "h.example": {"A": ["192.0.2.99"]}}
    line = next(one for one in lines(MESSAGE, table) if one.topic == "SPF")
    assert words in line.shown(translator("ko"))


@pytest.mark.parametrize(
    ("fields", "faults"),
    [
        ("From: a@a.example\r\nDate: x\r\nMessage-ID: <1@a>\r\n", ""),
        ("From: a@a.example\r\nMessage-ID: <1@a>\r\n", "0 x Date"),
        ("From: a@a.example\r\nDate: x\r\nMessage-ID: 1\r\n", "Message-ID"),
        ("From: a@a.example, b@a.example\r\nDate: x\r\nMessage-ID: <1@a>\r\nTo: x\r\nTo: y\r\n", "2 x To, From (2)"),
    ],
)
def test_fields_that_break_the_form_are_counted(fields: str, faults: str) -> None:
    assert lists.misformed(Headers.of(fields.encode())) == faults


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        (
            b"Return-Path: <a@b.example>\r\nReceived: from mx.b ([192.0.2.1])\r\n\tby us with ESMTPS id 1; x\r\n",
            MailPath(ip="192.0.2.1", helo="mx.b", sender="a@b.example", tls=True),
        ),
        (
            b"Received: from c ([IPv6:2001:db8::1])\r\n\tby us with ESMTP id 1; x\r\n",
            MailPath(ip="2001:db8::1", helo="c", sender="", tls=False),
        ),
        (
            b"Received: from mail.x (mail.x [198.51.100.1]) by us with SMTP id 1; x\r\n",
            MailPath(ip="198.51.100.1", helo="mail.x", sender="", tls=False),
        ),
        (b"Received: by us with LMTP; x\r\n", None),
        (b"Subject: x\r\n", None),
    ],
)
def test_the_path_is_read_from_our_own_trace(fields: bytes, path: MailPath | None) -> None:
    assert path_of(fields + b"\r\nbody") == path


@given(st.binary(max_size=400))
def test_any_fields_are_explained(data: bytes) -> None:
    headers = Headers.of(data)
    assert isinstance(lists.misformed(headers), str)
    assert lists.leaving(headers, []).is_signed is False


@given(st.text(max_size=80))
def test_any_detail_is_said(detail: str) -> None:
    for language in ("en", "ko"):
        words = wording.problem(detail)
        assert translator(language)(words.text, **words.values) or not detail


ROOT = Path(__file__).resolve().parents[4]
SOURCES = [*(ROOT / "maild/src/maild/verify/explain").glob("*.py"), ROOT / "maild/src/maild/cli/explain.py"]
_TEXT = re.compile(
    r"(?:say\(|topic=|topic = |heading = |text = |remedy = |remedy=|text=|Reason\.\w+: |Result\.\w+: |^_[A-Z]+ = )"
    r'"([^"]+)"',
    re.MULTILINE,
)


def test_every_text_is_there_in_korean() -> None:
    say = translator("ko")
    texts = {text for source in SOURCES for text in _TEXT.findall(source.read_text(encoding="utf-8"))}
    texts |= {text for one in RECEIVERS.values() for rule in one.rules for text in (rule.text, rule.remedy)}
    texts |= set(wording.TEXTS)
    own_names = {"SPF", "DKIM", "DMARC", "ARC", "TLS", "PTR", "List-Unsubscribe", "-"}
    assert len(texts) > 100
    assert [text for text in sorted(texts) if text not in say.catalog and text not in own_names] == []


def test_every_reason_of_a_signature_has_words_and_a_remedy() -> None:
    assert set(wording.SIGNATURES) == set(Reason) - {Reason.NONE}


def test_every_receiver_names_its_pages_and_their_day() -> None:
    page = (ROOT / "docs" / "receivers.md").read_text(encoding="utf-8")
    for one in RECEIVERS.values():
        assert one.rules
        assert one.read in page
        for address in one.pages:
            assert address in page
