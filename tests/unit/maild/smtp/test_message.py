"""A message in pieces is its header and its body, however it was cut."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maild.smtp.message import Message

WHOLE = st.lists(
    st.sampled_from([b"From: a@b.c\r\n", b"\r\n", b"body", b"\r\n\r\n", b"X: y\r\n z\r\n"]), max_size=8
).map(b"".join)


def cut(whole: bytes, places: list[int]) -> list[bytes]:
    edges = sorted({min(place, len(whole)) for place in places} | {0, len(whole)})
    return [whole[start:end] for start, end in itertools.pairwise(edges)]


@given(WHOLE, st.lists(st.integers(0, 100), max_size=6), st.integers(0, 60))
def test_nothing_is_lost_or_moved(whole: bytes, places: list[int], count: int) -> None:
    message = Message.of(cut(whole, places), 1000)
    assert message.whole() == whole
    assert message.size == len(whole)
    assert message.beginning(count) == whole[:count]
    assert message.head == Message.of([whole], 1000).head


def test_another_header_keeps_the_body() -> None:
    message = Message.of([b"A: b\r\n\r\nbo", b"dy\r\n"], 1000)
    assert message.with_head(b"C: d\r\n\r\n").whole() == b"C: d\r\n\r\nbody\r\n"


@pytest.mark.parametrize("pieces", [[], [b""], [b"\r\n"], [b"no header at all"]])
def test_a_message_without_header_or_body(pieces: list[bytes]) -> None:
    assert Message.of(pieces, 1000).whole() == b"".join(pieces)


def test_a_header_beyond_the_limit_is_not_collected_further() -> None:
    message = Message.of([b"A: b\r\n"] * 1000, 100)
    assert len(message.head) < 200
    assert message.size == 6000
