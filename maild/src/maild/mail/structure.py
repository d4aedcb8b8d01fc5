"""Scans a message once for what IMAP serves again and again: ENVELOPE, BODY, BODYSTRUCTURE, and where each part lies.

Works on bytes with ``find`` in slices, so a thread that scans 50 MB lets others run; linear in the message whatever is
in it. Nothing fails: what is not MIME is text, what nests too deep is octets.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import msgspec

from maild.mail import header, mailboxes, media
from maild.mail.syntax import quote

MAX_DEPTH = 50
"""Multiparts and messages inside each other; deeper ones are described as octets."""
MAX_PARTS = 10_000
"""Parts of one message; what follows belongs to the last one."""
MAX_FALSE_DELIMITERS = 100_000
"""Lines that begin like a boundary and are none; behind them no boundary is looked for, so time stays linear."""
MAX_HEADER = 1 << 20
"""Octets of one header block that are described; the rest is there, but not in ENVELOPE."""
_SLICE = 1 << 20

_Fields = dict[bytes, bytes]
_Texts = tuple[bytes, bytes]
"""BODY and BODYSTRUCTURE."""


class Part(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Where one part lies: its header from ``start``, its body from ``body`` to ``end``.

    ``inner`` is where the body of the message begins that this part is (``BODY[path.TEXT]``); -1 when it is none.
    """

    path: str
    start: int
    body: int
    end: int
    inner: int = -1


@dataclass(frozen=True, slots=True)
class Structure:
    """What one scan found; the three texts are finished IMAP syntax, the parts come in order, the message first."""

    envelope: bytes
    body: bytes
    bodystructure: bytes
    parts: tuple[Part, ...]


def scan(data: bytes) -> Structure:
    """The structure of a whole message."""
    found = _Scan(data)
    body_at = header.body_start(data)
    found.parts.append(Part("", 0, 0, len(data), body_at))
    short, full = found.message(0, len(data), "", 0)
    return Structure(envelope(_fields(data, 0, body_at)), short, full, tuple(found.parts))


def has_utf8_header(data: bytes) -> bool:
    """Whether a header field is outside ASCII, the message's own or a part's: only SMTPUTF8 carries it (RFC 6532)."""
    if data.isascii():
        return False
    if not data[: header.body_start(data)].isascii():
        return True
    return any(not data[part.start : part.body].isascii() for part in scan(data).parts)


def envelope(fields: _Fields) -> bytes:
    """ENVELOPE of the first fields of each name (RFC 3501 section 7.4.2)."""
    sender = _addresses(fields.get(b"from"))
    lists = [_addresses(fields.get(name)) for name in (b"sender", b"reply-to", b"to", b"cc", b"bcc")]
    return b"(%b)" % b" ".join(
        [
            quote(fields.get(b"date")),
            quote(fields.get(b"subject")),
            sender,
            # An absent or empty Sender or Reply-To is the From field.
            *(sender if written == b"NIL" else written for written in lists[:2]),
            *lists[2:],
            quote(fields.get(b"in-reply-to")),
            quote(fields.get(b"message-id")),
        ]
    )


def _addresses(value: bytes | None) -> bytes:
    if value is None:
        return b"NIL"
    out = []
    for entry in mailboxes.parse(value):
        if isinstance(entry, mailboxes.Group):
            out.append(b"(NIL NIL %b NIL)" % quote(entry.name))
            out += [_address(member) for member in entry.members]
            out.append(b"(NIL NIL NIL NIL)")
        else:
            out.append(_address(entry))
    return b"(%b)" % b"".join(out) if out else b"NIL"


def _address(mailbox: mailboxes.Mailbox) -> bytes:
    return b"(%b %b %b %b)" % (
        quote(mailbox.name or None),
        quote(mailbox.route or None),
        quote(mailbox.local),
        # NIL would mark a group (RFC 3501 section 7.4.2).
        quote(mailbox.domain),
    )


def _fields(data: bytes, start: int, end: int) -> _Fields:
    """The first value of each name."""
    found: _Fields = {}
    for one in header.fields(data, start, min(end, start + MAX_HEADER)):
        found.setdefault(one.key, one.value)
    return found


@dataclass(slots=True)
class _Scan:
    data: bytes
    parts: list[Part] = field(default_factory=list)
    false_delimiters: int = 0

    def message(self, start: int, end: int, path: str, depth: int) -> _Texts:
        """A message whose own path is given: the parts of a multipart count below it, anything else is its part 1."""
        body, fields, kind = self._read(start, end, depth, b"text/plain")
        if kind.type == b"multipart":
            return self._multipart(kind, fields, body, end, path, depth)
        return self._single(kind, fields, Part(f"{path}.1" if path else "1", start, body, end), depth)

    def _part(self, start: int, end: int, path: str, depth: int, default: bytes) -> _Texts:
        body, fields, kind = self._read(start, end, depth, default)
        at = Part(path, start, body, end)
        if kind.type == b"multipart":
            self.parts.append(at)
            return self._multipart(kind, fields, body, end, path, depth)
        return self._single(kind, fields, at, depth)

    def _read(self, start: int, end: int, depth: int, default: bytes) -> tuple[int, _Fields, media.MediaType]:
        """Where the body begins, the fields, and the type as far as it will be looked into."""
        body = header.body_start(self.data, start, end)
        fields = _fields(self.data, start, body)
        kind = media.parse(fields.get(b"content-type"), default)
        looked_into = kind.is_message or (kind.type == b"multipart" and bool(kind.parameter(b"boundary")))
        if (kind.is_message or kind.type == b"multipart") and (depth >= MAX_DEPTH or not looked_into):
            kind = media.OCTETS
        return body, fields, kind

    def _single(self, kind: media.MediaType, fields: _Fields, at: Part, depth: int) -> _Texts:
        basic = _basic(kind, fields, at.end - at.body)
        if kind.is_message:
            return self._nested(basic, fields, at, depth)
        self.parts.append(at)
        if kind.type == b"text":
            basic += b" %d" % self._lines(at.body, at.end)
        return b"(%b)" % basic, b"(%b %b)" % (basic, _extension(fields))

    def _nested(self, basic: bytes, fields: _Fields, at: Part, depth: int) -> _Texts:
        inner = header.body_start(self.data, at.body, at.end)
        self.parts.append(msgspec.structs.replace(at, inner=inner))
        short, full = self.message(at.body, at.end, at.path, depth + 1)
        head = b"%b %b" % (basic, envelope(_fields(self.data, at.body, inner)))
        lines = self._lines(at.body, at.end)
        return b"(%b %b %d)" % (head, short, lines), b"(%b %b %d %b)" % (head, full, lines, _extension(fields))

    def _multipart(self, kind: media.MediaType, fields: _Fields, body: int, end: int, path: str, depth: int) -> _Texts:
        default = b"message/rfc822" if kind.subtype == b"digest" else b"text/plain"
        shorts, fulls = [], []
        for number, (start, stop) in enumerate(self._sections(kind.parameter(b"boundary"), body, end), 1):
            child = f"{path}.{number}" if path else str(number)
            short, full = self._part(start, stop, child, depth + 1, default)
            shorts.append(short)
            fulls.append(full)
        if not shorts:
            # body-type-mpart has at least one part.
            short, full = self._part(end, end, f"{path}.1" if path else "1", depth + 1, b"text/plain")
            shorts, fulls = [short], [full]
        subtype = quote(kind.subtype.upper())
        extension = b"%b %b" % (media.parameters(kind.parameters), _placement(fields))
        return (
            b"(%b %b)" % (b"".join(shorts), subtype),
            b"(%b %b %b)" % (b"".join(fulls), subtype, extension),
        )

    def _sections(self, boundary: bytes, body: int, end: int) -> Iterator[tuple[int, int]]:
        """The parts of a multipart, without the line ends that belong to the delimiters (RFC 2046 section 5.1.1)."""
        delimiter, start = b"--" + boundary, -1
        position = body
        while (at := self._delimiter(delimiter, position, body, end)) >= 0:
            line_end = self.data.find(b"\n", at, end)
            line_end = end if line_end < 0 else line_end + 1
            tail = self.data[at + len(delimiter) : min(line_end, at + len(delimiter) + 1000)].strip()
            position = line_end
            if tail not in {b"", b"--"}:
                self.false_delimiters += 1
                position = at + len(delimiter)
                continue
            if start >= 0:
                yield start, self._without_line_end(start, at)
            if tail == b"--" or len(self.parts) >= MAX_PARTS:
                start = -1 if tail == b"--" else line_end
                break
            start = line_end
        if start >= 0:
            yield start, end

    def _delimiter(self, delimiter: bytes, position: int, body: int, end: int) -> int:
        """Where a line that begins with the delimiter begins, -1 for none."""
        if self.false_delimiters > MAX_FALSE_DELIMITERS:
            return -1
        if position == body and self.data.startswith(delimiter, body, end):
            return body
        found = self._find(b"\n" + delimiter, max(position - 1, body), end)
        return found + 1 if found >= 0 else -1

    def _without_line_end(self, start: int, at: int) -> int:
        stop = at - 1
        if stop > start and self.data[stop - 1] == 13:
            stop -= 1
        return max(stop, start)

    def _find(self, needle: bytes, start: int, end: int) -> int:
        overlap = len(needle) - 1
        for begin in range(start, end, _SLICE):
            found = self.data.find(needle, begin, min(begin + _SLICE + overlap, end))
            if found >= 0:
                return found
        return -1

    def _lines(self, start: int, end: int) -> int:
        return sum(self.data.count(b"\n", at, min(at + _SLICE, end)) for at in range(start, end, _SLICE))


def _basic(kind: media.MediaType, fields: _Fields, size: int) -> bytes:
    """body-fields (RFC 3501 section 9) with the type before them."""
    encoding = (fields.get(b"content-transfer-encoding") or b"7bit").split(b";")[0].strip().upper()
    return b"%b %b %b %b %b %b %d" % (
        quote(kind.type.upper()),
        quote(kind.subtype.upper()),
        media.parameters(kind.parameters),
        quote(fields.get(b"content-id")),
        quote(fields.get(b"content-description")),
        quote(encoding or b"7BIT"),
        size,
    )


def _extension(fields: _Fields) -> bytes:
    return b"%b %b" % (quote(fields.get(b"content-md5")), _placement(fields))


def _placement(fields: _Fields) -> bytes:
    """Disposition, language and location, which both kinds of part end with."""
    return b"%b %b %b" % (
        media.disposition(fields.get(b"content-disposition")),
        media.languages(fields.get(b"content-language")),
        quote(fields.get(b"content-location")),
    )
