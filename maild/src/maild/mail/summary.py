"""All that is computed once of a message and kept beside it: structure, preview, and what sorting and search compare.

``VERSION`` stands with each stored summary; one of another version is computed anew. A short header is part of it, for
headers are what clients ask for most. Encoding is msgpack.
"""

from __future__ import annotations

import zlib

import msgspec

from maild.mail import content, dates, header, mailboxes, message_id, structure
from maild.mail import subject as subjects

VERSION = 2
MAX_KEPT_HEADER = 32 * 1024
"""Octets of a header that is kept with the summary, so that reading headers need not open bodies."""


class Summary(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """One message. Texts are decoded; ``envelope``, ``body`` and ``bodystructure`` are finished IMAP syntax."""

    envelope: bytes
    body: bytes
    bodystructure: bytes
    parts: tuple[structure.Part, ...]
    preview: str
    sent_at: int | None
    """The Date field in microseconds since 1970."""
    sent_zone: int
    """Its zone in minutes: SENTON compares dates as written."""
    subject: str
    base_subject: str
    is_reply: bool
    senders: str
    """The From fields as people read them; the next three likewise."""
    to: str
    cc: str
    bcc: str
    sort_from: str
    """Local part of the first mailbox, for SORT (RFC 5256); the next two likewise."""
    sort_to: str
    sort_cc: str
    id: bytes
    """Message-ID without brackets, empty when there is none."""
    references: tuple[bytes, ...]
    """References, else the first of In-Reply-To (RFC 5256, REFERENCES step 1)."""

    packed_header: bytes
    """The header with its empty line, deflated; empty when it is too long to keep."""

    def header_block(self) -> bytes | None:
        """The header with its empty line, None when it has to be read from the body."""
        return zlib.decompress(self.packed_header) if self.packed_header else None

    def part(self, path: str) -> structure.Part | None:
        """Where a part lies."""
        return next((part for part in self.parts if part.path == path), None)


_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(Summary)


def encode(summary: Summary) -> bytes:
    """The bytes that are stored."""
    return _ENCODER.encode(summary)


def decode(data: bytes) -> Summary:
    """The summary of stored bytes of this version."""
    return _DECODER.decode(data)


def summarise(message: bytes) -> Summary:
    """Computes it; takes as long as reading the message a few times, so a large one belongs into a thread."""
    found = structure.scan(message)
    fields: dict[bytes, list[header.Field]] = {}
    for field in header.fields(message, 0, structure.MAX_HEADER):
        fields.setdefault(field.key, []).append(field)

    def text(name: bytes) -> str:
        return "\n".join(field.text for field in fields.get(name, ()))

    def value(name: bytes) -> bytes:
        return fields[name][0].value if name in fields else b""

    subject = fields[b"subject"][0].text if b"subject" in fields else ""
    base, is_reply = subjects.base(subject)
    sent = dates.parse(value(b"date").decode("ascii", "replace"))
    zone = sent.utcoffset() if sent else None
    references = message_id.read(value(b"references")) or message_id.read(value(b"in-reply-to"))[:1]
    own = message_id.read(value(b"message-id"))
    block = message[: found.parts[0].inner]
    return Summary(
        envelope=found.envelope,
        body=found.body,
        bodystructure=found.bodystructure,
        parts=found.parts,
        preview=content.preview(message, found.parts),
        sent_at=dates.micros(sent) if sent else None,
        sent_zone=round(zone.total_seconds() / 60) if zone else 0,
        subject=subject,
        base_subject=base,
        is_reply=is_reply,
        senders=text(b"from"),
        to=text(b"to"),
        cc=text(b"cc"),
        bcc=text(b"bcc"),
        sort_from=_first_local(value(b"from")),
        sort_to=_first_local(value(b"to")),
        sort_cc=_first_local(value(b"cc")),
        id=own[0] if own else b"",
        references=tuple(references),
        packed_header=zlib.compress(block, 1) if len(block) <= MAX_KEPT_HEADER else b"",
    )


def _first_local(value: bytes) -> str:
    first = next(mailboxes.flat(mailboxes.parse(value)), None)
    return first.local.decode("utf-8", "replace") if first else ""
