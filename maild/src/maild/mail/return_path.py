"""The Return-Path field (RFC 5321 section 4.4): ours is the first of a message with a copy in a mailbox here.

The same bytes may leave for elsewhere too, where only the last hop writes the field: ``without`` gives them for that.
"""

from __future__ import annotations

from maild.mail.address import Address

MAX_FIELD = 1024
"""Octets of the field at most: an address has 320 and each may be quoted."""
_NAME = b"Return-Path: "


def field(sender: Address | None) -> bytes:
    """The finished field, on one line."""
    return b"%b<%b>\r\n" % (_NAME, str(sender or "").encode())


def without(message: bytes) -> bytes:
    """The message without the field that it begins with; one that a peer wrote stands behind our Received and stays."""
    return message[message.find(b"\n") + 1 :] if message.startswith(_NAME) else message
