"""The bounds that keep hostile input cheap: each is met exactly where it is said to be."""

from __future__ import annotations

import pytest

from maild.dns.names import as_address
from maild.verify.dkim import Result
from maild.verify.dkim.signature import MAX_FIELD, Reason
from maild.verify.message import MAX_FROM, MAX_HEADER, Headers, Splitter, author
from tests.lib.dkim import key, signed, verified, zone
from tests.lib.zones import Zones

MESSAGE = b"From: a@a.example\r\n\r\nx\r\n"


def test_a_signature_field_over_the_limit_is_not_read() -> None:
    own = key("a.example", "s")
    long = signed(MESSAGE, own).replace(b"v=1;", b"v=1; n=" + b"x" * MAX_FIELD + b";", 1)
    (check,) = verified(long, Zones(zone(own)))
    assert (check.result, check.reason) == (Result.NEUTRAL, Reason.SYNTAX)
    assert "longer than" in check.detail


def test_a_from_field_over_the_limit_names_no_author() -> None:
    found = author(Headers.of(b"From: " + b"a@a.example, " * (MAX_FROM // 13 + 1) + b"a@a.example\r\n"))
    assert (found.domain, found.problem) == ("", "the From field is too long")


def test_a_header_over_the_limit_ends_there() -> None:
    splitter = Splitter()
    body = splitter.feed(b"X: " + b"y" * (MAX_HEADER * 2))
    assert len(splitter.block) == MAX_HEADER
    assert len(splitter.block) + len(body) == MAX_HEADER * 2 + 3


@pytest.mark.parametrize(
    ("record", "is_address"),
    [
        ("192.0.2.1", True),
        ("2001:db8::1", True),
        (b"192.0.2.1", False),
        (b"\xc0\x00\x02\x01", False),
        ("a.example", False),
        (1, False),
    ],
)
def test_only_an_address_is_an_address(record: object, is_address: bool) -> None:
    assert (as_address(record) is not None) is is_address
