"""What we send after 354 is what every server must read as one message."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from maild.smtp import client_data
from maild.smtp.client_data import pieces


def received(wire: bytes) -> bytes:
    """What a strict server makes of it (RFC 5321 section 4.5.2)."""
    assert wire.endswith(b".\r\n")
    lines = wire[: -len(b".\r\n")].split(b"\r\n")
    return b"\r\n".join(line[1:] if line.startswith(b".") else line for line in lines)


mail = st.lists(st.sampled_from([b"\r\n", b".", b"a", b"\r", b"\n", b"\r\n.\r\n", b"..", "한".encode()]), max_size=30)


@given(mail)
def test_end_of_data_stands_at_the_end_alone(parts: list[bytes]) -> None:
    wire = b"".join(pieces(b"".join(parts)))
    assert wire.endswith(b"\r\n.\r\n") or wire == b".\r\n"
    assert wire.find(b"\r\n.\r\n") in (-1, len(wire) - 5)
    assert wire.count(b"\n") == wire.count(b"\r") == wire.count(b"\r\n")


@given(mail)
def test_strict_message_arrives_as_it_was(parts: list[bytes]) -> None:
    message = b"".join(part for part in parts if part not in (b"\r", b"\n")) + b"\r\n"
    assert received(b"".join(pieces(message))) == message


@given(mail, st.integers(1, 7))
def test_slices_make_no_difference(parts: list[bytes], size: int) -> None:
    message = b"".join(parts)
    whole = b"".join(pieces(message))
    before, client_data.SLICE = client_data.SLICE, size
    try:
        assert b"".join(pieces(message)) == whole
    finally:
        client_data.SLICE = before
