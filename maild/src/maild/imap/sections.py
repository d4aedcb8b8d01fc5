"""From a section of a message to octets: which stretch of the body it is, and header fields chosen by name."""

from __future__ import annotations

from maild.imap.attributes import Section
from maild.mail import header
from maild.mail.summary import Summary

Stretch = tuple[int, int]
"""First octet and the one behind the last."""


def locate(summary: Summary, section: Section) -> Stretch | None:
    """Where a section lies; None for a part that is not there. HEADER.FIELDS lies where HEADER does."""
    part = summary.part(section.part)
    if part is None:
        return None
    if not section.text:
        return part.body, part.end
    if section.text == b"MIME":
        return part.start, part.body
    if part.inner < 0:
        return None
    return (part.inner, part.end) if section.text == b"TEXT" else (part.body, part.inner)


def chosen(block: bytes, section: Section) -> bytes:
    """The fields of a header block that HEADER.FIELDS or HEADER.FIELDS.NOT names, with the empty line behind them."""
    wanted = {name.lower() for name in section.names}
    inside = section.text == b"HEADER.FIELDS"
    fields = [block[field.start : field.end] for field in header.fields(block) if (field.key in wanted) is inside]
    return b"".join([*fields, b"\r\n"])


def part_of(stretch: Stretch, partial: tuple[int, int] | None) -> Stretch:
    """The octets that ``<offset.length>`` leaves."""
    start, end = stretch
    if partial is None:
        return stretch
    first = min(start + partial[0], end)
    return first, min(first + partial[1], end)
