from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from maild.store.engine.mysql_socket import AHEAD, ReadAhead


@pytest.fixture
def pair() -> Iterator[tuple[ReadAhead, socket.socket]]:
    here, there = socket.socketpair()
    with here, there:
        yield ReadAhead(here), there


def read(ahead: ReadAhead, count: int) -> bytes:
    target = bytearray(count)
    return bytes(target[: ahead.recv_into(memoryview(target), count)])


def test_answers_that_came_together_are_read_packet_by_packet_and_nothing_is_lost(
    pair: tuple[ReadAhead, socket.socket],
) -> None:
    ahead, there = pair
    there.sendall(b"headerOKheaderERR")
    assert [read(ahead, size) for size in (6, 2, 6, 3)] == [b"header", b"OK", b"header", b"ERR"]
    there.sendall(b"next")
    assert read(ahead, 100) == b"next"


def test_a_large_read_takes_first_what_is_ahead(pair: tuple[ReadAhead, socket.socket]) -> None:
    ahead, there = pair
    there.sendall(b"abcd")
    assert read(ahead, 1) == b"a"
    assert read(ahead, 2 * AHEAD) == b"bcd"
    there.sendall(b"e")
    assert read(ahead, 2 * AHEAD) == b"e"


def test_silence_and_the_end_are_the_socket_s(pair: tuple[ReadAhead, socket.socket]) -> None:
    ahead, there = pair
    ahead.settimeout(0.01)
    with pytest.raises(TimeoutError):
        read(ahead, 4)
    there.close()
    assert read(ahead, 4) == b""
