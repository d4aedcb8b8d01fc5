"""What the fields of a message say about leaving a list, and which of them break the form of a message."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from maild.mail import header, mailboxes
from maild.verify import tags
from maild.verify.dkim import Check
from maild.verify.message import Headers

ONE_CLICK = "list-unsubscribe=one-click"
"""The only value of List-Unsubscribe-Post (RFC 8058 section 3.1)."""
_ONCE = (
    "From",
    "To",
    "Cc",
    "Bcc",
    "Subject",
    "Date",
    "Sender",
    "Reply-To",
    "Message-ID",
    "In-Reply-To",
    "References",
)
"""Fields that stand at most once (RFC 5322 section 3.6)."""
_NEEDED = ("From", "Date", "Message-ID")
"""Fields that must be there; RFC 5322 asks for the first two, receivers for the third."""
_MESSAGE_ID = re.compile(rb"\s*<[^<>@\s]+@[^<>@\s]+>\s*")
_BULK = frozenset({b"bulk", b"list"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaving:
    """How a reader leaves the list the message comes from; ``is_signed`` when a signature that counts covers it."""

    possible: bool
    one_click: bool
    is_signed: bool
    is_bulk: bool


def leaving(headers: Headers, checks: Sequence[Check]) -> Leaving:
    """What the list fields offer (RFC 2369, RFC 8058)."""
    ways = headers.all(b"list-unsubscribe")
    posts = headers.all(b"list-unsubscribe-post")
    asked = any(_squeezed(one.value) == ONE_CLICK for one in posts)
    precedence = headers.all(b"precedence")
    return Leaving(
        possible=bool(ways),
        one_click=asked and any(b"https:" in one.value.lower() for one in ways),
        is_signed=_covered(headers, checks),
        is_bulk=bool(ways or headers.all(b"list-id")) or any(one.value.strip().lower() in _BULK for one in precedence),
    )


def _squeezed(value: bytes) -> str:
    return "".join(value.decode("latin-1").split()).lower()


def _covered(headers: Headers, checks: Sequence[Check]) -> bool:
    """Whether a signature that passes names both fields in its ``h=`` (RFC 8058 section 4)."""
    passing = {(check.domain, check.selector) for check in checks if check.passed}
    for one in headers.all(b"dkim-signature"):
        try:
            found = tags.parse(one.value.decode("utf-8"))
        except (tags.TagError, UnicodeDecodeError):
            continue
        named = set(tags.squeezed(found.get("h", "")).lower().split(":"))
        key = tags.squeezed(found.get("d", "")).lower(), tags.squeezed(found.get("s", "")).lower()
        if key in passing and {"list-unsubscribe", "list-unsubscribe-post"} <= named:
            return True
    return False


def misformed(headers: Headers) -> str:
    """The fields that break RFC 5322 in the way receivers look at it, as ``2 x Subject, 0 x Date``; empty when none."""
    counted = {name: len(headers.all(name.lower().encode())) for name in _ONCE}
    faults = [f"{count} x {name}" for name, count in counted.items() if count > 1 or (name in _NEEDED and count == 0)]
    ids = headers.all(b"message-id")
    if len(ids) == 1 and not _MESSAGE_ID.fullmatch(ids[0].value):
        faults.append("Message-ID")
    if counted["From"] == 1:
        authors = list(mailboxes.flat(mailboxes.parse(header.unfold(headers.all(b"from")[0].value))))
        if len(authors) != 1:
            faults.append(f"From ({len(authors)})")
    return ", ".join(faults)
