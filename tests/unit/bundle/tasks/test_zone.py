"""What a plan says of the zones: only what is not in order, each with the whole record to enter."""

from __future__ import annotations

import pytest

from pyinfra_winrm.drift import Drift
from tasks import zone
from tasks.summary import Record

NET = "xn--9t4b11yi5a.net"
KEY = "v=DKIM1; k=rsa; p=" + "A" * 392


def lines(*records: Record) -> list[str]:
    return [Drift("h", "dns", kind, name, difference).line() for kind, name, difference in zone.differences(records)]


@pytest.mark.parametrize("state", ["ok", "unchecked"])
def test_what_is_in_order_or_was_not_asked_is_no_difference(state: str) -> None:
    assert lines(Record(NET, "TXT", NET, "v=spf1 -all", state=state)) == []


@pytest.mark.parametrize(
    ("state", "found", "current"),
    [
        ("missing", "", "missing"),
        ("different", "v=DKIM1; k=rsa; p=B", "v=DKIM1; k=rsa; p=B"),
        ("attention", "a, b", "a, b"),
        ("partial", "a", "a (not on every name server)"),
        ("unknown", "", "unknown (no name server answered)"),
    ],
)
def test_a_record_that_is_not_in_order_is_named_with_the_whole_record_to_enter(
    state: str, found: str, current: str
) -> None:
    record = Record(NET, "TXT", f"dkim._domainkey.{NET}", KEY, state=state, found=found)
    (line,) = lines(record)
    assert line == f"dns / TXT dkim._domainkey.테스트.net (dkim._domainkey.{NET}): value: {current} -> {KEY}"


def test_an_mx_has_its_priority_and_a_reverse_name_stays_as_it_is() -> None:
    mx = Record(NET, "MX", NET, f"smtp.{NET}", 10, "missing")
    ptr = Record(f"smtp.{NET}", "PTR", "25.2.0.192.in-addr.arpa", f"smtp.{NET}", state="missing")
    assert lines(mx, ptr) == [
        f"dns / MX 테스트.net ({NET}): value: missing -> 10 smtp.{NET}",
        f"dns / PTR 25.2.0.192.in-addr.arpa: value: missing -> smtp.{NET}",
    ]
