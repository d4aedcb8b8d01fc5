"""Content-Type, Content-Disposition and their parameters (RFC 2045, 2183), and how BODYSTRUCTURE writes them.

Parameters stay as written (RFC 2231 pieces included), for that is what a client asks for; ``text`` puts such pieces
together for those who want the file name. A field that is no media type is text/plain, as RFC 2045 section 5.2 says.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from maild.mail import charset, words
from maild.mail.syntax import quote

MAX_PARAMETERS = 200
"""Parameters of one field that are read; a field is described in memory once a part."""

_PARAMETER = re.compile(rb';\s*([^\s=;"()]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;"(]*))', re.DOTALL)
_TYPE = re.compile(rb"\s*([^\s/;()<>@,\\\"\[\]?=]+)\s*/\s*([^\s/;()<>@,\\\"\[\]?=]+)")
_ESCAPE = re.compile(rb"\\(.)", re.DOTALL)
_PIECE = re.compile(r"\*(\d{1,3})(\*?)")

Parameters = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True)
class MediaType:
    """A media type in lower case with its parameters as written."""

    type: bytes
    subtype: bytes
    parameters: Parameters = ()

    def parameter(self, name: bytes) -> bytes:
        """The first parameter of that name, empty when there is none."""
        return next((value for key, value in self.parameters if key.lower() == name), b"")

    @property
    def is_message(self) -> bool:
        """Whether the body is a message by itself (RFC 2046 section 5.2.1, RFC 6532 section 3.7)."""
        return self.type == b"message" and self.subtype in {b"rfc822", b"global"}


OCTETS = MediaType(b"application", b"octet-stream")
"""What is not looked into."""
PLAIN = MediaType(b"text", b"plain", ((b"CHARSET", b"US-ASCII"),))
"""What a part without a media type is (RFC 2045 section 5.2)."""


def parse(value: bytes | None, default: bytes) -> MediaType:
    """The media type of a Content-Type field, or what the surrounding part makes of its absence."""
    match = _TYPE.match(value) if value else None
    if not match or value is None:
        kind, _, subtype = default.partition(b"/")
        return PLAIN if default == b"text/plain" else MediaType(kind, subtype)
    return MediaType(match[1].lower(), match[2].lower(), _read(value))


def _read(value: bytes) -> Parameters:
    return tuple(
        (match[1], _ESCAPE.sub(rb"\1", match[2]) if match[2] is not None else match[3])
        for match, _ in zip(_PARAMETER.finditer(value), range(MAX_PARAMETERS), strict=False)
    )


def parameters(pairs: Parameters) -> bytes:
    """body-fld-param."""
    if not pairs:
        return b"NIL"
    return b"(%b)" % b" ".join(b"%b %b" % (quote(name.upper()), quote(value)) for name, value in pairs)


def disposition(value: bytes | None) -> bytes:
    """body-fld-dsp."""
    kind = value.partition(b";")[0].strip() if value else b""
    if not kind or value is None:
        return b"NIL"
    return b"(%b %b)" % (quote(kind.upper()), parameters(_read(value)))


def languages(value: bytes | None) -> bytes:
    """body-fld-lang: one tag as a string, several as a list."""
    tags = [tag.strip() for tag in value.split(b",") if tag.strip()] if value else []
    if len(tags) < 2:
        return quote(tags[0] if tags else None)
    return b"(%b)" % b" ".join(quote(tag) for tag in tags)


def text(value: bytes, name: str) -> str | None:
    """A parameter as people read it: RFC 2231 pieces joined and decoded, encoded words as many senders misuse them."""
    plain: str | None = None
    pieces: dict[int, tuple[bool, bytes]] = {}
    for raw_name, content in _read(value):
        base, star, rest = raw_name.decode("ascii", "replace").lower().partition("*")
        if base != name:
            continue
        if not star:
            plain = plain if plain is not None else words.decode(content)
        elif not rest:
            pieces[0] = (True, content)
        elif numbered := _PIECE.fullmatch(star + rest):
            pieces[int(numbered[1])] = (bool(numbered[2]), content)
    return _joined(pieces) if 0 in pieces else plain


def _joined(pieces: dict[int, tuple[bool, bytes]]) -> str:
    extended, first = pieces[0]
    label = ""
    if extended and first.count(b"'") >= 2:
        raw_label, _, rest = first.partition(b"'")
        label, first = raw_label.decode("ascii", "replace"), rest.partition(b"'")[2]
    data, number = unquote_to_bytes(first) if extended else first, 1
    while number in pieces:
        encoded, content = pieces[number]
        data += unquote_to_bytes(content) if encoded else content
        number += 1
    return charset.decode(data, label or None)
