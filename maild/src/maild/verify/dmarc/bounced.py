"""Reports of ours that came back: the address a delivery report says has failed, if the report was really ours.

The returned header carries the name that ``sending`` gave the message for this target alone, so a forged delivery
report stops nothing.
"""

from __future__ import annotations

import email
import email.message
import email.policy
from collections.abc import Iterator

from maild.mail import dsn
from maild.verify.dmarc.sending import is_ours

KEPT_AWAY = 90 * 86_400
"""Seconds an address that bounced gets no report: then it may have been mended."""
MAX_PARTS = 20
"""MIME parts that are looked at."""
_RETURNED = frozenset({"message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers"})


def bounced_targets(message: bytes, secret: bytes) -> list[str]:
    """The targets of our reports that a delivery report says cannot be reached."""
    if not any(status.action == "failed" for status in dsn.read(message)):
        return []
    return [target for name, target in _returned(message) if is_ours(name, target, secret)]


def _returned(message: bytes) -> Iterator[tuple[str, str]]:
    """Name and target of each message that a delivery report gives back, whole or as its header."""
    parsed = email.message_from_bytes(message, policy=email.policy.compat32)
    for number, part in enumerate(parsed.walk()):
        if number >= MAX_PARTS:
            return
        if part.get_content_type() not in _RETURNED:
            continue
        inner = part.get_payload()
        head = inner[0] if isinstance(inner, list) and inner else None
        if not isinstance(head, email.message.Message):
            data = part.get_payload(decode=True)
            head = email.message_from_bytes(data if isinstance(data, bytes) else b"")
        name = _bare(head, "Message-ID").partition("@")[0]
        yield name, _bare(head, "To")


def _bare(head: email.message.Message, name: str) -> str:
    return str(head.get(name, "")).strip().strip("<>")
