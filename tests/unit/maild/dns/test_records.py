"""The records a domain needs: values, both written forms, and what counts as the same value."""

from __future__ import annotations

import dns.zone
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maild.dns import zone
from maild.dns.names import shown, to_query
from maild.dns.records import Expected, MailDomain, Purpose, Server, expected, same_value

KEY = "v=DKIM1; k=rsa; p=" + "A" * 392
SERVER = Server(hostname="smtp.테스트.net", ipv4="192.0.2.25", ipv6="2001:db8::25")
DOMAINS = (
    MailDomain(name="테스트.net", dkim=(("dkim", KEY), ("dkim-ed", "v=DKIM1; k=ed25519; p=BBBB"))),
    MailDomain(name="테스트.co.kr"),
)
NET, KR = "xn--9t4b11yi5a.net", "xn--9t4b11yi5a.co.kr"


def rows() -> dict[tuple[str, str], Expected]:
    return {(row.rdtype, row.owner): row for row in expected(DOMAINS, SERVER)}


def test_the_tutorials_domain_and_its_alias_get_all_records() -> None:
    found = {(row.rdtype, row.owner, row.value, row.preference) for row in expected(DOMAINS, SERVER)}
    spf = "v=spf1 ip4:192.0.2.25 ip6:2001:db8::25 -all"
    for name in (NET, KR):
        assert ("MX", name, f"smtp.{name}", 10) in found
        assert ("A", f"smtp.{name}", "192.0.2.25", None) in found
        assert ("AAAA", f"smtp.{name}", "2001:db8::25", None) in found
        assert ("TXT", name, spf, None) in found
        dmarc = f"v=DMARC1; p=reject; sp=reject; adkim=s; rua=mailto:dmarc-reports@{name}"
        assert ("TXT", f"_dmarc.{name}", dmarc, None) in found
    assert ("TXT", f"dkim._domainkey.{NET}", KEY, None) in found
    assert ("TXT", f"dkim-ed._domainkey.{NET}", "v=DKIM1; k=ed25519; p=BBBB", None) in found
    assert ("PTR", "25.2.0.192.in-addr.arpa", f"smtp.{NET}", None) in found
    assert len([row for row in found if row[0] == "PTR"]) == 2


def test_a_host_name_of_its_own_gets_its_address_too() -> None:
    found = expected(DOMAINS, Server(hostname="mail.example.net", ipv4="192.0.2.25"))
    assert any(row.owner == "mail.example.net" and row.rdtype == "A" for row in found)


def test_without_an_ipv6_address_nothing_mentions_it() -> None:
    assert not any(
        "ip6" in row.value or row.rdtype == "AAAA" for row in expected(DOMAINS, Server(hostname="", ipv4="192.0.2.1"))
    )


def test_a_long_key_is_written_on_one_line_and_in_strings() -> None:
    row = rows()["TXT", f"dkim._domainkey.{NET}"]
    assert row.value == KEY
    parts = zone.strings(KEY)
    assert [len(part) for part in parts] == [255, len(KEY) - 255]
    assert zone.quoted(KEY) == " ".join(f'"{part}"' for part in parts)


def test_the_zone_text_loads_into_a_name_server() -> None:
    text = "@ 60 IN SOA ns h 1 1 1 1 1\n@ 60 IN NS ns\n" + zone.text(
        row for row in expected(DOMAINS[:1], SERVER) if row.rdtype != "PTR"
    )
    loaded = dns.zone.from_text(text, origin=NET)
    assert b"".join(loaded.get_rdataset("dkim._domainkey", "TXT")[0].strings).decode() == KEY


def test_the_table_has_both_forms_and_lines_up_with_korean_headings() -> None:
    shown_rows = [zone.cells(row, "정상") for row in expected(DOMAINS[:1], SERVER)]
    text = zone.table(("타입", "호스트", "값", "우선순위", "상태"), shown_rows)
    first = text.splitlines()[0]
    assert [cell.strip() for cell in first.split("|")] == ["타입", "호스트", "값", "우선순위", "상태"]
    assert f"테스트.net ({NET})" in text
    assert f"smtp.테스트.net (smtp.{NET})" in text


@pytest.mark.parametrize(
    ("purpose", "value", "found", "same"),
    [
        (Purpose.DKIM, "v=DKIM1; k=rsa; p=AB CD", "p=ABCD;v=DKIM1", True),
        (Purpose.DKIM, "v=DKIM1; k=rsa; p=ABCD", "v=DKIM;t=s;k=rsa;p=ABCD", False),
        (Purpose.DKIM, "v=DKIM1; k=rsa; p=ABCD", "v=DKIM1; k=rsa; p=ABCE", False),
        (Purpose.DMARC, "v=DMARC1; p=reject; adkim=s", "v=DMARC1;adkim=s;p=reject", True),
        (Purpose.DMARC, "v=DMARC1; p=reject", "v=DMARC1; p=none", False),
        (Purpose.SPF, "v=spf1 ip4:192.0.2.1 -all", "V=SPF1  ip4:192.0.2.1  -ALL", True),
        (Purpose.SPF, "v=spf1 ip4:192.0.2.1 -all", "v=spf1 ip4:192.0.2.1 ~all", False),
        (Purpose.MX, "smtp.a.example", "SMTP.A.example.", True),
    ],
)
def test_a_value_is_compared_by_what_it_says(purpose: Purpose, value: str, found: str, same: bool) -> None:
    row = Expected(purpose=purpose, domain="a.example", rdtype="TXT", owner="a.example", value=value)
    assert same_value(row, found) is same


@given(st.text(max_size=300))
def test_any_text_becomes_a_name_dns_can_hold_or_none(text: str) -> None:
    wire = to_query(text)
    assert wire is None or (len(wire) <= 253 and wire.isascii() and all(0 < len(part) < 64 for part in wire.split(".")))
    assert isinstance(shown(text), str)


@given(st.text(alphabet=st.characters(codec="ascii", exclude_characters="\r\n"), max_size=900))
def test_strings_of_a_txt_value_join_to_the_value(value: str) -> None:
    assert "".join(zone.strings(value)) == value
    assert all(len(part) <= 255 for part in zone.strings(value))
