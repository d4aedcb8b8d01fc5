"""Our packets against those of mysql-connector-python, which knows every type there is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from mysql.connector.protocol import MySQLProtocol

from maild.store.engine.mysql_packets import LARGEST, execute, framed, length

VALUES = st.lists(
    st.one_of(st.none(), st.integers(-(1 << 63), (1 << 63) - 1), st.text(max_size=400), st.binary(max_size=400)),
    min_size=1,
    max_size=80,
)


def decoded(packet: bytes, count: int, *, attributes: bool) -> list[object]:
    """The values of a packet, read by the protocol's description."""
    place = 9
    if attributes:
        assert packet[place] == count
        place += 1
    bitmap = int.from_bytes(packet[place : place + (count + 7) // 8], "little")
    place += (count + 7) // 8
    assert packet[place] == 1
    place += 1
    types = []
    for _ in range(count):
        types.append((packet[place], packet[place + 1]))
        place += 2
        if attributes:
            assert packet[place] == 0
            place += 1
    values: list[object] = []
    for number, (kind, flags) in enumerate(types):
        if bitmap >> number & 1:
            values.append(None)
            continue
        width = {1: 1, 2: 2, 3: 4, 8: 8}.get(kind)
        if width:
            values.append(int.from_bytes(packet[place : place + width], "little", signed=not flags & 128))
        else:
            width = packet[place]
            place += 1
            if width == 0xFC:
                width = int.from_bytes(packet[place : place + 2], "little")
                place += 2
            values.append(packet[place : place + width])
        place += width
    assert place == len(packet)
    return values


@given(VALUES, st.booleans())
def test_a_packet_says_what_the_drivers_own_says(values: list[object], attributes: bool) -> None:
    ours = execute(7, values, attributes=attributes)  # type: ignore[arg-type]
    theirs = MySQLProtocol().make_stmt_execute(
        7,
        values,
        values,
        charset="utf8",
        query_attrs=[] if attributes else None,  # type: ignore[arg-type]
    )
    count = len(values)
    wanted = [value.encode() if isinstance(value, str) else value for value in values]
    assert ours[:9] == theirs[:9]
    assert decoded(ours, count, attributes=attributes) == wanted
    assert decoded(bytes(theirs), count, attributes=attributes) == wanted


def test_bytes_are_sent_as_bytes_which_the_server_does_not_read_as_letters() -> None:
    packet = execute(7, ["문자", b"\xff\x00"], attributes=False)
    assert packet[11:15] == b"\xfe\x00\xfc\x00"  # MYSQL_TYPE_STRING, MYSQL_TYPE_BLOB


@pytest.mark.parametrize(
    ("size", "encoded"),
    [
        (0, b"\x00"),
        (250, b"\xfa"),
        (251, b"\xfc\xfb\x00"),
        (65535, b"\xfc\xff\xff"),
        (65536, b"\xfd\x00\x00\x01"),
        (1 << 24, b"\xfe\x00\x00\x00\x01\x00\x00\x00\x00"),
    ],
)
def test_lengths_take_as_few_bytes_as_they_can(size: int, encoded: bytes) -> None:
    assert length(size) == encoded


@pytest.mark.parametrize("size", [0, 1, LARGEST - 2, LARGEST - 1, LARGEST, 2 * LARGEST - 1])
def test_a_large_command_is_cut_into_packets_the_last_of_which_is_shorter(size: int) -> None:
    wire = framed(bytes(size))
    sizes = []
    place = number = 0
    while place < len(wire):
        piece = int.from_bytes(wire[place : place + 3], "little")
        assert wire[place + 3] == number
        sizes.append(piece)
        place, number = place + 4 + piece, number + 1
    assert place == len(wire)
    assert sum(sizes) == size + 1
    assert all(piece == LARGEST for piece in sizes[:-1])
    assert sizes[-1] < LARGEST
