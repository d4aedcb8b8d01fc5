"""SPF beyond the suite: sections of RFC 7208 by name, EAI senders, hostile zones, the linter."""

from __future__ import annotations

import asyncio
import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maild.dns import MX
from maild.verify.spf import Outcome, Result, check_sender
from maild.verify.spf.lint import Fault, lint
from maild.verify.spf.record import RecordError, parse
from tests.lib.zones import Table, Zones

US = "192.0.2.25"


def check(table: Table, ip: str = US, sender: str = "a@example.net", helo: str = "smtp.example.net") -> Outcome:
    return asyncio.run(check_sender(Zones(table), ip, sender, helo))


def txt(text: str) -> dict[str, list[bytes]]:
    return {"TXT": [text.encode()]}


def test_2_4_the_helo_name_is_checked_when_the_sender_is_null() -> None:
    outcome = check({"smtp.example.net": txt("v=spf1 ip4:192.0.2.25 -all")}, sender="")
    assert (outcome.result, outcome.domain) == (Result.PASS, "smtp.example.net")


def test_4_5_two_records_are_a_permanent_error() -> None:
    outcome = check({"example.net": {"TXT": [b"v=spf1 +all", b"v=spf1 -all"]}})
    assert outcome.result is Result.PERMERROR
    assert "2 SPF records" in outcome.problem


def test_4_6_4_an_eleventh_lookup_is_a_permanent_error() -> None:
    table = {"example.net": txt("v=spf1 " + " ".join(f"a:h{i}.example.net" for i in range(11)) + " +all")}
    table |= {f"h{i}.example.net": {"A": ["198.51.100.1"]} for i in range(11)}  # type: ignore[dict-item]
    assert check(table).result is Result.PERMERROR


def test_4_6_4_a_third_void_lookup_is_a_permanent_error() -> None:
    two = {"example.net": txt("v=spf1 a:x.example.net a:y.example.net +all")}
    three = {"example.net": txt("v=spf1 a:x.example.net a:y.example.net a:z.example.net +all")}
    assert check(two).result is Result.PASS
    assert check(three).result is Result.PERMERROR


def test_4_6_4_an_eleventh_mx_is_a_permanent_error() -> None:
    many = {"example.net": {"TXT": [b"v=spf1 mx -all"], "MX": [MX(1, f"m{i}.example.net") for i in range(11)]}}
    assert check(many).result is Result.PERMERROR


def test_5_an_ipv4_mapped_client_is_an_ipv4_client() -> None:
    assert check({"example.net": txt("v=spf1 ip4:192.0.2.25 -all")}, ip="::ffff:192.0.2.25").result is Result.PASS


def test_dns_trouble_is_a_temporary_error() -> None:
    assert check({"example.net": "TIMEOUT"}).result is Result.TEMPERROR
    assert check({"example.net": "SERVFAIL"}).result is Result.TEMPERROR


@pytest.mark.parametrize("sender", ["주문@테스트.net", "id@xn--9t4b11yi5a.net"])
def test_rfc_8616_an_idn_sender_is_looked_up_by_its_a_labels(sender: str) -> None:
    assert check({"테스트.net": txt("v=spf1 ip4:192.0.2.25 -all")}, sender=sender).result is Result.PASS


def test_rfc_8616_a_korean_local_part_in_a_macro_matches_nothing() -> None:
    table = {"테스트.net": txt("v=spf1 exists:%{l}.ok.example.net ip4:192.0.2.25 -all")}
    outcome = check(table, sender="주문@테스트.net")
    assert (outcome.result, outcome.term) == (Result.PASS, "ip4:192.0.2.25")


def test_an_explanation_is_printable_ascii_or_nothing() -> None:
    table = {
        "example.net": txt("v=spf1 -all exp=why.example.net"),
        "why.example.net": txt("%{i} is not one of %{d}'s mail servers."),
    }
    assert check(table).explanation == "192.0.2.25 is not one of example.net's mail servers."
    assert check(table | {"why.example.net": txt("bad\r\nline")}).explanation == ""


def test_endless_includes_end() -> None:
    table = {f"i{i}.example.net": txt(f"v=spf1 include:i{(i + 1) % 50}.example.net -all") for i in range(50)}
    outcome = check(table, sender="a@i0.example.net")
    assert outcome.result is Result.PERMERROR
    assert outcome.lookups == 11


def test_a_record_of_64_kilobytes_is_refused_not_evaluated() -> None:
    assert check({"example.net": txt("v=spf1 " + "ip4:192.0.2.1 " * 4600 + "-all")}).result is Result.PERMERROR


@given(st.one_of(st.binary(max_size=300), st.from_regex(rb"([a-z0-9:=/%{}.+~?-]{1,20} ){1,12}", fullmatch=True)))
def test_any_record_is_parsed_or_refused(data: bytes) -> None:
    with contextlib.suppress(RecordError):
        assert len(parse(b"v=spf1 " + data).mechanisms) <= len(data)


@given(
    st.from_regex(
        r"([-~?+]?(all|a|mx|ptr|include:[a-c]\.d|exists:%\{[sldiphv]r?\}\.d|redirect=[a-c]\.d) ?){0,8}", fullmatch=True
    ),
    st.ip_addresses().map(str),
    st.emails() | st.just("") | st.just("주문@테스트.net"),
)
def test_any_zone_gives_a_result(terms: str, ip: str, sender: str) -> None:
    table = {f"{name}.d": txt(f"v=spf1 {terms}") for name in "abc"}
    assert check(table, ip=ip, sender=sender or "x@a.d").result in Result
    assert check(table, ip=ip, sender="x@a.d", helo=sender).result in Result


def faults(table: Table, domain: str = "example.net") -> dict[Fault, str]:
    return {note.fault: note.term for note in asyncio.run(lint(Zones(table), domain, [US]))}


def test_the_linter_is_silent_about_our_own_record() -> None:
    assert faults({"example.net": txt("v=spf1 ip4:192.0.2.25 -all")}) == {}


@pytest.mark.parametrize(
    ("record", "fault"),
    [
        ("v=spf1 +all", Fault.ALLOWS_ALL),
        ("v=spf1 ip4:0.0.0.0/0 -all", Fault.ALLOWS_ALL),
        ("v=spf1 ip4:192.0.2.25 ptr -all", Fault.USES_PTR),
        ("v=spf1 ip4:192.0.2.25", Fault.NO_END),
        ("v=spf1 ip4:192.0.2.25 -all a", Fault.AFTER_ALL),
        ("v=spf1 ip4:299.299.299.299 -all", Fault.SYNTAX),
        ("v=spf1 ip4:192.0.2.26 -all", Fault.OWN_ADDRESS),
        ("v=spf1 ip4:192.0.2.25 include:gone.example.net -all", Fault.BROKEN_INCLUDE),
        ("v=spf1 ip4:192.0.2.25 " + "ip4:198.51.100.77 " * 30 + "-all", Fault.LONG),
        ("v=spf1 ip4:192.0.2.25 " + "a " * 11 + "-all", Fault.TOO_MANY_LOOKUPS),
        ("v=spf1 ip4:192.0.2.25 a:x.d a:y.d a:z.d -all", Fault.TOO_MANY_VOIDS),
    ],
)
def test_the_linter_names(record: str, fault: Fault) -> None:
    assert fault in faults({"example.net": txt(record) | {"A": [US]}})


def test_the_linter_names_a_missing_and_a_second_record() -> None:
    assert Fault.NO_RECORD in faults({})
    assert Fault.SEVERAL_RECORDS in faults({"example.net": {"TXT": [b"v=spf1 -all", b"v=spf1 +all"]}})


def test_the_linter_ends_on_endless_includes() -> None:
    table = {f"i{i}.d": txt(f"v=spf1 include:i{(i + 1) % 3}.d include:i{(i + 2) % 3}.d -all") for i in range(3)}
    assert Fault.TOO_MANY_LOOKUPS in faults(table, "i0.d")
