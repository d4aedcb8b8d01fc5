"""COM_STMT_EXECUTE as MySQL and MariaDB read it, for the four types that the store's parameters have.

The driver builds the same packet for every type there is, at four times the cost, and sends one at a time; here several
go out together, and their answers are read in order. The layout is that of the MySQL client/server protocol.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence

from maild.store.sql.statement import Value

_LONGLONG, _STRING, _BLOB, _NULL = b"\x08\x00", b"\xfe\x00", b"\xfc\x00", b"\x06\x00"
_HEAD = struct.Struct("<IBI")
_INTEGER = struct.Struct("<q").pack
_SHORT = struct.Struct("<BH").pack
_LONG = struct.Struct("<BQ").pack

NO_CURSOR, ONCE = 0, 1
COMMAND = b"\x17"
LARGEST = (1 << 24) - 1
"""Bytes in one packet; one of exactly that many is followed by another, which may be empty."""


def execute(statement_id: int, values: Sequence[Value], *, attributes: bool) -> bytes:
    """The payload that runs a prepared statement with these values.

    ``attributes``: the connection has CLIENT_QUERY_ATTRIBUTES, with which parameters are counted and have names.
    """
    head = _HEAD.pack(statement_id, NO_CURSOR, ONCE)
    if not values:
        return head
    types: list[bytes] = []
    encoded: list[bytes] = []
    nulls = 0
    for place, value in enumerate(values):
        if value is None:
            nulls |= 1 << place
            types.append(_NULL)
        elif isinstance(value, int):
            types.append(_LONGLONG)
            encoded.append(_INTEGER(value))
        elif isinstance(value, str):
            types.append(_STRING)
            encoded += _string(value.encode())
        else:
            # As a string the server would read a body letter by letter to know its characters: half its cost.
            types.append(_BLOB)
            encoded += _string(value)
    bitmap = nulls.to_bytes((len(values) + 7) // 8, "little")
    # One byte says that the types follow.
    if attributes:
        nameless = b"\x00".join([*types, b""])
        return b"".join((head, length(len(values)), bitmap, b"\x01", nameless, *encoded))
    return b"".join((head, bitmap, b"\x01", *types, *encoded))


def _string(data: bytes) -> tuple[bytes, bytes]:
    return length(len(data)), data


def length(size: int) -> bytes:
    """A length-encoded integer."""
    if size < 251:
        return bytes((size,))
    if size < 1 << 16:
        return _SHORT(0xFC, size)
    if size < 1 << 24:
        return b"\xfd" + size.to_bytes(3, "little")
    return _LONG(0xFE, size)


def framed(payload: bytes) -> bytes:
    """The command as it goes over the wire, in packets of less than 16 MiB."""
    # Nearly all fit into one, and a body is copied once then.
    if len(payload) < LARGEST - 1:
        return (len(payload) + 1).to_bytes(3, "little") + b"\0" + COMMAND + payload
    body = COMMAND + payload
    pieces = [body[start : start + LARGEST] for start in range(0, len(body) + 1, LARGEST)]
    return b"".join(
        len(piece).to_bytes(3, "little") + bytes((number & 0xFF,)) + piece for number, piece in enumerate(pieces)
    )
