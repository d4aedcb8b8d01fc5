"""What a part says: transfer encoding undone, charset decoded, HTML reduced to its words.

For search, previews and IMAP's BINARY. Damaged encodings give what can be read of them; an unknown transfer encoding
is told apart, because BINARY must refuse it (RFC 3516 section 4.3).
"""

from __future__ import annotations

import binascii
import html
import re

from maild.mail import charset, header, media
from maild.mail.structure import Part

MAX_PREVIEW = 200
"""Characters of a preview (RFC 8970 section 3.1)."""
_PREVIEW_OCTETS = 16 * 1024

_NOT_BASE64 = re.compile(rb"[^A-Za-z0-9+/]+")
_HEX = re.compile(rb"=([0-9A-Fa-f]{2})")
_HIDDEN = re.compile(r"<(?:(script|style|head|title)\b|!--)", re.IGNORECASE)
_SHOWN = {name: re.compile(rf"</{name}\s*>", re.IGNORECASE) for name in ("script", "style", "head", "title")} | {
    "": re.compile("-->")
}
_TAG = re.compile(r"<[^<>]*>")
_QUOTED_LINE = re.compile(r"(?m)^>.*$")
_SPACE = re.compile(r"\s+")


def transfer_decoded(data: bytes, encoding: str) -> bytes | None:
    """The octets a body stands for; None when the encoding is not one of RFC 2045's."""
    kind = encoding.strip().lower()
    if kind in {"", "7bit", "8bit", "binary"}:
        return data
    if kind == "base64":
        return _base64(data)
    if kind == "quoted-printable":
        return _quoted_printable(data)
    return None


def encoding_of(message: bytes, part: Part) -> str:
    """The transfer encoding a part names."""
    for field in header.fields(message, part.start, part.body):
        if field.key == b"content-transfer-encoding":
            return field.value.split(b";")[0].decode("ascii", "replace").strip().lower()
    return "7bit"


def type_of(message: bytes, part: Part) -> media.MediaType:
    """The media type a part names."""
    values = (field.value for field in header.fields(message, part.start, part.body) if field.key == b"content-type")
    return media.parse(next(values, None), b"text/plain")


def text_of(message: bytes, part: Part, limit: int | None = None) -> str | None:
    """A text part as people read it (HTML without its tags), None for other parts; ``limit`` bounds the octets read."""
    kind = type_of(message, part)
    if kind.type != b"text":
        return None
    end = part.end if limit is None else min(part.end, part.body + limit)
    decoded = transfer_decoded(message[part.body : end], encoding_of(message, part))
    label = kind.parameter(b"charset").decode("ascii", "replace")
    text = charset.decode(decoded if decoded is not None else message[part.body : end], label or None)
    return _words_of_html(text) if kind.subtype == b"html" else text


def preview(message: bytes, parts: tuple[Part, ...]) -> str:
    """The first words of a message: of its first plain text that has any, else of its first text."""
    fallback = ""
    for part in parts[1:]:
        text = text_of(message, part, _PREVIEW_OCTETS)
        if text is None:
            continue
        shown = _SPACE.sub(" ", _QUOTED_LINE.sub("", text)).strip()[:MAX_PREVIEW]
        if shown and type_of(message, part).subtype == b"plain":
            return shown
        fallback = fallback or shown
    return fallback


def _base64(data: bytes) -> bytes:
    # The first group that is padded ends the data; what follows is not part of it (RFC 2045 section 6.8).
    kept = _NOT_BASE64.sub(b"", data.partition(b"=")[0])
    if len(kept) % 4 == 1:
        kept = kept[:-1]
    return binascii.a2b_base64(kept + b"=" * (-len(kept) % 4))


def _quoted_printable(data: bytes) -> bytes:
    lines = data.split(b"\n")
    for number, line in enumerate(lines):
        # White space at the end of a line was added on the way (RFC 2045 section 6.7, rule 3).
        bare = line.rstrip(b" \t\r")
        last = number == len(lines) - 1
        lines[number] = bare[:-1] if bare.endswith(b"=") else (line if last else bare + b"\r\n")
    return _HEX.sub(lambda found: bytes.fromhex(found[1].decode()), b"".join(lines))


def _words_of_html(text: str) -> str:
    shown: list[str] = []
    position = 0
    while hidden := _HIDDEN.search(text, position):
        shown.append(text[position : hidden.start()])
        end = _SHOWN[(hidden[1] or "").lower()].search(text, hidden.end())
        position = end.end() if end else len(text)
    shown.append(text[position:])
    return html.unescape(_TAG.sub(" ", " ".join(shown)))
