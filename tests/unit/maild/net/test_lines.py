"""Lines end with CRLF and nothing else, however the bytes arrive."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maild.net import BareLineEnd, Lines, LineTooLong


@given(st.lists(st.binary(max_size=20).map(lambda data: data.replace(b"\r", b"").replace(b"\n", b""))), st.data())
def test_any_chunking_gives_the_same_lines(lines: list[bytes], data: st.DataObject) -> None:
    stream = b"".join(line + b"\r\n" for line in lines)
    reader, found = Lines(100), []
    while stream:
        size = data.draw(st.integers(1, len(stream)))
        reader.feed(stream[:size])
        stream = stream[size:]
        while (line := reader.line()) is not None:
            found.append(line)
    assert found == lines
    assert len(reader) == 0


@pytest.mark.parametrize("bad", [b"\n", b"a\n", b"a\rb\r\n", b"\r\r\n", b"a\nb\r\n"])
def test_a_bare_cr_or_lf_is_an_error(bad: bytes) -> None:
    reader = Lines(100)
    reader.feed(bad)
    with pytest.raises(BareLineEnd):
        reader.line()


@pytest.mark.parametrize("long", [b"x" * 11, b"x" * 11 + b"\r\n"])
def test_a_long_line_is_an_error_whole_or_not(long: bytes) -> None:
    reader = Lines(10)
    reader.feed(long)
    with pytest.raises(LineTooLong):
        reader.line()


def test_bytes_between_lines_can_be_taken_or_thrown_away() -> None:
    reader = Lines(100)
    reader.feed(b"a\r\nbody" + b"rest")
    assert (reader.line(), reader.exactly(4), reader.exactly(5), reader.take()) == (b"a", b"body", None, b"rest")
    reader.feed(b"injected\r\n")
    reader.clear()
    assert reader.line() is None
