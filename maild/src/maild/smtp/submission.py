"""What a submission server does to a user's message before it is mail (RFC 6409 section 8): adds, never rewrites.

Date and Message-ID are added where they are missing, Bcc goes. Pure; bytes that need no change stay as they are.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Set as AbstractSet

from maild.mail import dates, header, message_id

BLIND = ("Bcc", "Resent-Bcc")


def completed(
    message: bytes, names: AbstractSet[bytes], when: dt.datetime, random: bytes, host: str
) -> tuple[bytes, bytes]:
    """The message without Bcc, and the fields that must be put before it; ``names`` are its fields' in lower case."""
    new = b""
    if b"date" not in names:
        new += header.field("Date", dates.write(when))
    if b"message-id" not in names:
        new += f"Message-ID: {message_id.make(when, random, host)}\r\n".encode()
    if names & {b"bcc", b"resent-bcc"}:
        message = header.without(message, BLIND)
    return message, new
