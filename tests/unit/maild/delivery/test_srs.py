"""Rewritten senders: they lead back, and nothing else does."""

from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from maild.delivery import srs
from maild.mail.address import Address, AddressError

KEY, OLD = b"new" * 10, b"old" * 10
DAY = srs.MICROSECONDS_PER_DAY
NOW = 20_000 * DAY


def sender() -> Address:
    return Address.parse("주문+a=b@테스트.net")


def test_rewritten_sender_leads_back_to_the_real_one() -> None:
    ours = srs.rewrite(sender(), "example.kr", KEY, NOW)
    assert ours.domain == "example.kr"
    assert srs.restore(ours, [KEY], NOW + 20 * DAY) == sender()


def test_old_key_still_verifies_and_an_unknown_one_does_not() -> None:
    ours = srs.rewrite(sender(), "example.kr", OLD, NOW)
    assert srs.restore(ours, [KEY, OLD], NOW) == sender()
    with pytest.raises(srs.SRSError, match="not made here"):
        srs.restore(ours, [KEY], NOW)


def test_expired_address_is_refused() -> None:
    ours = srs.rewrite(sender(), "example.kr", KEY, NOW)
    with pytest.raises(srs.SRSError, match="expired"):
        srs.restore(ours, [KEY], NOW + (srs.VALID_DAYS + 1) * DAY)


def test_lower_cased_on_the_way_it_still_leads_back() -> None:
    ours = srs.rewrite(Address.parse("Kim@example.org"), "example.kr", KEY, NOW)
    folded = Address(ours.local.lower(), ours.domain)
    assert srs.restore(folded, [KEY], NOW).key == "kim@example.org"


@given(st.integers(0, 60), st.characters(min_codepoint=33, max_codepoint=126))
def test_any_changed_character_is_refused(position: int, other: str) -> None:
    ours = srs.rewrite(sender(), "example.kr", KEY, NOW)
    assume(5 <= position < len(ours.local) and ours.local[position].casefold() != other.casefold())
    changed = ours.local[:position] + other + ours.local[position + 1 :]
    with pytest.raises(srs.SRSError):
        srs.restore(Address(changed, ours.domain), [KEY], NOW)


@given(st.text(max_size=70))
def test_what_anyone_writes_is_restored_or_refused_and_never_raises_anything_else(text: str) -> None:
    with pytest.raises(srs.SRSError):
        srs.restore(Address("SRS0=" + text, "example.kr"), [KEY], NOW)


def test_address_that_would_be_too_long_is_not_lost() -> None:
    long = Address("a" * 60, "example.org")
    ours = srs.rewrite(long, "example.kr", KEY, NOW)
    assert ours == Address("postmaster", "example.kr")
    with pytest.raises(AddressError):
        Address.of("SRS0=" + "x" * 70, "example.kr")
