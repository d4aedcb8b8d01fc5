from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maild.imap.threads import Item, by_references, write


def item(number: int, *references: int, subject: str = "", reply: bool = False, at: int | None = None) -> Item:
    return Item(
        number,
        b"%d@a" % number,
        tuple(b"%d@a" % each for each in references),
        number if at is None else at,
        subject,
        reply,
    )


@pytest.mark.parametrize(
    ("items", "written"),
    [
        ([], b""),
        ([item(1)], b"(1)"),
        ([item(1), item(2, 1), item(3, 1, 2)], b"(1 2 3)"),
        ([item(3, 1, 2), item(2, 1), item(1)], b"(1 2 3)"),
        # RFC 5256: a thread whose first message is not here.
        ([item(2, 1), item(3, 1)], b"((2)(3))"),
        ([item(3, 1, 2)], b"(3)"),
        # A reference circle is cut.
        ([item(1, 2), item(2, 1)], b"(2 1)"),
        # One base subject: the reply goes below what it answers.
        ([item(1, subject="a"), item(2, subject="a", reply=True)], b"(1 2)"),
        ([item(1, subject="a", reply=True), item(2, subject="a")], b"(2 1)"),
        # Neither is a reply: they stand beside each other.
        ([item(1, subject="a"), item(2, subject="a")], b"((1)(2))"),
        ([item(1, subject="a"), item(2, subject="b")], b"(1)(2)"),
        # Order is by date.
        ([item(1, at=9), item(2, at=3)], b"(2)(1)"),
    ],
)
def test_threads(items: list[Item], written: bytes) -> None:
    assert write(by_references(items)) == written


def test_second_message_with_the_same_id_is_a_thread_of_its_own() -> None:
    twice = [item(1), Item(2, b"1@a", (), 2, "", is_reply=False)]
    assert write(by_references(twice)) == b"(1)(2)"


ITEMS = st.lists(
    st.tuples(
        st.lists(st.integers(1, 8), max_size=4), st.sampled_from(["", "a", "b"]), st.booleans(), st.integers(0, 5)
    ),
    max_size=10,
)


@given(ITEMS)
def test_every_message_is_in_exactly_one_place(
    rows: list[tuple[list[int], str, bool, int]],
) -> None:
    items = [
        item(number, *references, subject=subject, reply=reply, at=at)
        for number, (references, subject, reply, at) in enumerate(rows, 1)
    ]
    written = write(by_references(items))
    assert sorted(int(each) for each in re.findall(rb"\d+", written)) == [each.number for each in items]
    depth = 0
    for octet in written:
        depth += {40: 1, 41: -1}.get(octet, 0)
        assert depth >= 0
    assert depth == 0


def test_deep_thread_in_either_order() -> None:
    items = [item(number, *range(max(1, number - 20), number)) for number in range(1, 3001)]
    straight = write(by_references(items))
    assert straight == b"(" + b" ".join(b"%d" % number for number in range(1, 3001)) + b")"
    assert write(by_references(reversed(items))) == straight
