from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

from hypothesis import given
from hypothesis import strategies as st

from maild.pop3.maildrop import stuffed, top

MESSAGES = st.lists(st.sampled_from([b".", b"a", b"\r\n", b"..", b"\n", b"\r", b"x" * 5]), max_size=30).map(b"".join)
CUTS = st.lists(st.integers(1, 4), max_size=80)


def pieces(data: bytes, cuts: list[int]) -> Callable[[], AsyncIterator[bytes]]:
    async def run() -> AsyncIterator[bytes]:
        start = 0
        for cut in [*cuts, len(data)]:
            yield data[start : start + cut]
            start += cut

    return run


def gather(stream: AsyncIterator[bytes]) -> bytes:
    async def run() -> bytes:
        return b"".join([piece async for piece in stream])

    return asyncio.run(run())


def unstuffed(answer: bytes) -> bytes:
    """What a client makes of it: lines up to a single dot, the first dot of a line taken off."""
    body, end, rest = (b"\r\n" + answer).partition(b"\r\n.\r\n")
    assert end
    assert not rest
    return (body + b"\r\n").replace(b"\r\n.", b"\r\n")[2:]


@given(MESSAGES, CUTS)
def test_what_is_sent_ends_once_and_is_read_back(message: bytes, cuts: list[int]) -> None:
    read = unstuffed(gather(stuffed(pieces(message, cuts)())))
    assert read == (message if message.endswith(b"\r\n") or not message else message + b"\r\n")


@given(st.lists(st.sampled_from([b"a", b"", b".b", b"c: d"]), max_size=12), st.integers(0, 6), CUTS)
def test_top_is_the_header_and_so_many_lines(lines: list[bytes], count: int, cuts: list[int]) -> None:
    message = b"".join(line + b"\r\n" for line in lines)
    end = lines.index(b"") + 1 + count if b"" in lines else len(lines)
    assert gather(top(pieces(message, cuts)(), count)) == b"".join(line + b"\r\n" for line in lines[:end])
