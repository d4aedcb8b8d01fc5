"""The address that a leaving member's answer goes to: only ours, only for a time, only for that member and list."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maild.delivery import leaving
from maild.mail.address import Address, AddressError
from maild.store import MailingList

KEY, NOW, DAY = b"k" * 32, 1_800_000_000_000_000, leaving.MICROSECONDS_PER_DAY
NEWS = MailingList(domain="xn--9t4b11yi5a.net", local="소식", members=("Kim@example.org", "주문@테스트.net"))


def answer(member: str = "Kim@example.org") -> Address:
    found = leaving.answer_address(NEWS, member, KEY, NOW)
    assert found is not None
    return found


@pytest.mark.parametrize("member", NEWS.members)
def test_answer_names_its_member_for_two_weeks_in_any_case_of_letters(member: str) -> None:
    address = answer(member)
    for days in (0, leaving.VALID_DAYS):
        assert leaving.leaving_member(NEWS, address, KEY, NOW + days * DAY) == member
    shouted = Address(address.local.upper(), address.domain)
    assert leaving.leaving_member(NEWS, shouted, KEY, NOW) == member
    for days in (-1, leaving.VALID_DAYS + 1):
        assert leaving.leaving_member(NEWS, address, KEY, NOW + days * DAY) is None


def test_answer_is_good_for_no_other_list_key_or_former_member() -> None:
    assert leaving.leaving_member(replace(NEWS, local="공지"), answer(), KEY, NOW) is None
    assert leaving.leaving_member(NEWS, answer(), b"x" * 32, NOW) is None
    assert leaving.leaving_member(replace(NEWS, members=NEWS.members[1:]), answer(), KEY, NOW) is None


def test_list_whose_name_leaves_no_room_has_no_such_address() -> None:
    assert leaving.answer_address(replace(NEWS, local="가" * 20), "Kim@example.org", KEY, NOW) is None


@given(st.text(max_size=40))
def test_whatever_stands_behind_the_plus_takes_nobody_off(detail: str) -> None:
    try:
        address = Address.of(f"소식-unsubscribe+{detail}", NEWS.domain)
    except AddressError:
        return
    assert leaving.leaving_member(NEWS, address, KEY, NOW) is None
