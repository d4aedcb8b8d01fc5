"""Explanations: every way a message can stand has a line, a reason and a remedy, in both languages."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from maild.dns.records import MailDomain, Server, expected
from maild.locale import translator
from maild.verify import Peer, check_message
from maild.verify.explain import Level, Line, Own, explain, path_of
from maild.verify.explain import Path as MailPath
from maild.verify.explain.receivers import RULES
from maild.verify.message import Splitter
from tests.lib.dkim import NOW, key, pair, signed, zone
from tests.lib.zones import Table, Zones

NET = "xn--9t4b11yi5a.net"
IP = "192.0.2.25"
MESSAGE = f"From: <id@{NET}>\r\nTo: a@example.org\r\nSubject: x\r\n\r\n안녕하세요.\r\n".encode()
OWN = Own(
    expected(
        [MailDomain(name=NET, dkim=tuple((one.selector, one.record) for one in pair(NET)))],
        Server(hostname=f"smtp.{NET}", ipv4=IP),
    )
)
GOOD: Table = {
    NET: {"TXT": [f"v=spf1 ip4:{IP} -all".encode()]},
    f"_dmarc.{NET}": {"TXT": [b"v=DMARC1; p=reject; adkim=s"]},
    "25.2.0.192.in-addr.arpa": {"PTR": [f"smtp.{NET}"]},
    f"smtp.{NET}": {"A": [IP]},
    **zone(*pair(NET)),
}


def lines(message: bytes, table: Table, *, ip: str = IP, tls: bool | None = True) -> list[Line]:
    path = MailPath(ip=ip, helo=f"smtp.{NET}", sender=f"id@{NET}", tls=tls)
    verdict = asyncio.run(
        check_message(
            message,
            Peer(ip=ip, helo=path.helo, sender=path.sender),
            resolver=Zones(table),
            server="mx.example.org",
            clock=lambda: NOW,
        )
    )
    splitter = Splitter()
    splitter.feed(message)
    return explain(verdict.facts, splitter.finish(), path, len(message), OWN)


def bad(found: list[Line]) -> dict[str, Line]:
    return {line.topic: line for line in found if line.level is Level.BAD}


def test_our_own_mail_stands_well_with_every_receiver() -> None:
    found = lines(signed(MESSAGE, *pair(NET)), GOOD)
    assert bad(found) == {}
    assert {"SPF", "DKIM", "DMARC", "ARC", "TLS", "PTR", "Size", "List-Unsubscribe"} < {line.topic for line in found}
    assert {title for title, _ in RULES.values()} < {line.topic for line in found}


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
    table[f"dkim._domainkey.{NET}"] = {"TXT": [weak.record.encode()]}
    table["25.2.0.192.in-addr.arpa"] = {"PTR": ["host-25.provider.example"]}
    found = lines(signed(MESSAGE, weak), table, tls=False)
    assert {"PTR", "TLS", "Gmail", "Naver"} <= set(bad(found))
    dkim = next(line for line in found if line.topic == "DKIM")
    assert (dkim.level, "2048" in dkim.remedy) == (Level.NOTE, True)


def test_an_unsigned_forgery_fails_everywhere() -> None:
    found = bad(lines(MESSAGE, GOOD, ip="198.51.100.7"))
    assert {"SPF", "DKIM", "DMARC", "PTR", "Gmail", "Naver", "Microsoft"} == set(found)
    assert found["DMARC"].records


def test_newsletters_are_asked_for_one_click() -> None:
    half = signed(b"List-Unsubscribe: <https://a.example/u>\r\n" + MESSAGE, *pair(NET))
    whole = signed(
        b"List-Unsubscribe: <https://a.example/u>\r\nList-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n" + MESSAGE,
        *pair(NET),
    )
    assert [line.level for line in lines(half, GOOD) if line.topic == "List-Unsubscribe"] == [Level.NOTE]
    assert [line.level for line in lines(whole, GOOD) if line.topic == "List-Unsubscribe"] == [Level.GOOD]


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


ROOT = Path(__file__).resolve().parents[4]
SOURCES = [
    *(ROOT / "maild/src/maild/verify/explain").glob("*.py"),
    *(ROOT / "maild/src/maild/cli" / name for name in ("explain.py", "dmarc.py", "dkim.py", "dns.py")),
]
_TEXT = re.compile(r'(?:say\(|text = |remedy = |remedy=|text=|Phase\.\w+: |Reason\.\w+: |Result\.\w+: )"([^"]+)"')


def test_every_text_is_there_in_korean() -> None:
    say = translator("ko")
    texts = {text for source in SOURCES for text in _TEXT.findall(source.read_text(encoding="utf-8"))}
    assert len(texts) > 60
    assert [text for text in sorted(texts) if text not in say.catalog] == []
    rules = [text for _, found in RULES.values() for rule in found for text in (rule.text, rule.remedy)]
    assert [text for text in rules if text not in say.catalog] == []
