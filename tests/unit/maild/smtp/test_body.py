"""Message bodies: any chunking gives the same body; only CRLF.CRLF ends it; nothing can be smuggled."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from maild.smtp.body import Body, DotReader

PIECES = st.lists(st.sampled_from([b"\r\n", b".", b"..", b"a", b"\r", b"\n", b"\r\n.", b"x" * 50, b"\0"]), max_size=40)
CLEAN = st.lists(st.sampled_from([b"", b".", b"..", b"...a", b"abc", b"x" * 100, "한글".encode()]), max_size=15)


def stuffed(body: bytes) -> bytes:
    """A body as a client sends it, with its end."""
    return (b"\r\n" + body).replace(b"\r\n.", b"\r\n..")[2:] + b".\r\n"


def read(stream: bytes, cuts: list[int]) -> tuple[Body, bytes | None]:
    """Feeds a stream cut at these places."""
    reader = DotReader(Body(1_000_000))
    places = sorted({min(cut, len(stream)) for cut in cuts} | {0, len(stream)})
    for start, end in itertools.pairwise(places):
        rest = reader.feed(stream[start:end])
        if rest is not None:
            return reader.body, rest + stream[end:]
    return reader.body, None


@given(CLEAN, st.lists(st.integers(0, 2000), max_size=12), st.binary(max_size=10))
@example([], [], b"")
@example([b"."], [1, 2, 3, 4, 5, 6], b"QUIT\r\n")
def test_any_chunking_gives_the_body_and_what_follows(lines: list[bytes], cuts: list[int], behind: bytes) -> None:
    body = b"".join(line + b"\r\n" for line in lines)
    got, rest = read(stuffed(body) + behind, cuts)
    assert b"".join(got.pieces) == body
    assert got.size == len(body)
    assert rest == behind
    assert not got.bare


def test_every_two_cuts_of_a_body_full_of_dots_give_the_body() -> None:
    body = b"..a\r\n.b\r\n...\r\nlong line\r\n.\r\n\r\n.end\r\n"
    stream = stuffed(body)
    for first, second in itertools.combinations(range(len(stream) + 1), 2):
        got, rest = read(stream, [first, second])
        assert (b"".join(got.pieces), rest) == (body, b""), (first, second)


@given(st.lists(st.sampled_from([b".", b"a.b", b"x"]), max_size=300), CLEAN, st.lists(st.integers(0, 2000), max_size=4))
@example([b"."] * 150, [b".", b"..a"], [])
def test_dots_within_lines_are_neither_stuffing_nor_an_end(
    inner: list[bytes], after: list[bytes], cuts: list[int]
) -> None:
    body = b"head" + b"".join(inner) + b"\r\n" + b"".join(line + b"\r\n" for line in after)
    got, rest = read(stuffed(body), cuts)
    assert (b"".join(got.pieces), rest) == (body, b"")


@given(PIECES, st.lists(st.integers(0, 2000), max_size=12))
def test_chunking_never_changes_what_is_read(pieces: list[bytes], cuts: list[int]) -> None:
    stream = b"".join(pieces)
    whole, rest = read(stream, [])
    cut, other = read(stream, cuts)
    assert rest == other
    if rest is not None:
        assert whole.bare == cut.bare
        if not whole.bare:
            assert b"".join(whole.pieces) == b"".join(cut.pieces)


@given(PIECES)
def test_it_ends_at_the_first_strict_end_and_nowhere_else(pieces: list[bytes]) -> None:
    stream = b"".join(pieces)
    end = (b"\r\n" + stream).find(b"\r\n.\r\n")
    _, rest = read(stream, [])
    assert rest == (None if end < 0 else stream[end + 3 :])


@given(PIECES)
def test_a_bare_end_is_always_noticed(pieces: list[bytes]) -> None:
    stream = b"".join(pieces)
    body, rest = read(stream, [])
    if rest is not None:
        part = stream[: len(stream) - len(rest)].replace(b"\r\n", b"")
        assert body.bare == (b"\r" in part or b"\n" in part)


@pytest.mark.parametrize(
    "end",
    [
        b"\n.\n",
        b"\n.\r\n",
        b"\r\n.\n",
        b"\r.\r",
        b"\r\n.\r",
        b"\r.\r\n",
        b"\n\n.\r\n",
        b"\r\n\0.\r\n",
        b"\r\n.\0\r\n",
        b"\r\r\n.\r\r\n",
    ],
)
def test_known_ways_to_smuggle_do_not_end_the_body(end: bytes) -> None:
    body, rest = read(b"hello" + end + b"MAIL FROM:<a@b.c>\r\n.\r\n", [])
    assert rest == b""
    assert body.bare or body.nul


def test_a_large_body_is_only_counted() -> None:
    reader = DotReader(Body(1000))
    for _ in range(100):
        assert reader.feed(b"x" * 98 + b"\r\n") is None
    assert reader.feed(b".\r\n") == b""
    assert reader.body.too_large
    assert reader.body.size == 10_000
    assert not reader.body.pieces


def test_a_body_in_one_long_line_is_not_held_back() -> None:
    reader = DotReader(Body(10_000_000))
    for _ in range(100):
        reader.feed(b"x" * 1000)
    assert reader.body.size >= 99_000


@given(st.lists(st.binary(max_size=8), max_size=10))
def test_chunks_of_bdat_are_joined_and_checked_across_their_borders(chunks: list[bytes]) -> None:
    body = Body(1_000_000)
    for chunk in chunks:
        body.add(chunk)
    body.finish()
    whole = b"".join(chunks)
    kept = b"".join(body.pieces)
    assert kept == whole + (b"\r\n" if whole and not whole.endswith(b"\n") else b"")
    rest = whole.replace(b"\r\n", b"")
    assert body.bare == (b"\r" in rest or b"\n" in rest)
    assert body.nul == (b"\0" in whole)


def test_a_body_that_is_given_up_keeps_nothing() -> None:
    body = Body(1000)
    body.add(b"abc")
    body.give_up()
    body.add(b"def")
    assert (body.pieces, body.size, body.too_large) == ([], 6, False)
