"""Encoded words of RFC 2047 in header values, read as real senders write them and written as the standard wants.

Reading never fails: words split inside a character are joined, unknown charsets are guessed, raw bytes are taken for
UTF-8 or CP949. Writing gives UTF-8 words of at most 75 characters that never split a character.
"""

from __future__ import annotations

import base64
import binascii
import re

from maild.mail import charset

_WORD = re.compile(rb"=\?([^?\s]{1,60})\?([bBqQ])\?([^?]*)\?=")
_HEX = re.compile(rb"=([0-9A-Fa-f]{2})")
_PLAIN = re.compile(r"[\x20-\x7e]*")
_CHUNK = 36
"""Octets of text in one word written here: a field name of 15 characters fits beside it within 76 (section 2)."""


def decode(value: bytes) -> str:
    """The text of an unfolded header value."""
    if b"=?" not in value:
        return charset.decode(value)
    out: list[str] = []
    run: list[tuple[str, bytes]] = []
    position = 0
    for match in _WORD.finditer(value):
        between = value[position : match.start()]
        # RFC 2047 section 6.2: white space between two encoded words is not part of the text.
        if between.strip() or not run:
            out += [_run_text(run), charset.decode(between)]
            run = []
        run.append((match[1].decode("ascii", "replace").partition("*")[0], _payload(match[2], match[3])))
        position = match.end()
    out += [_run_text(run), charset.decode(value[position:])]
    return "".join(out)


def encode(text: str) -> str:
    """The text as header value: as it is when plain ASCII, else encoded words joined by a space."""
    if _PLAIN.fullmatch(text) and "=?" not in text:
        return text
    return " ".join(f"=?UTF-8?B?{base64.b64encode(chunk).decode()}?=" for chunk in _chunks(text))


def _chunks(text: str) -> list[bytes]:
    chunks = [b""]
    for character in text.encode("utf-8", "replace").decode():
        piece = character.encode()
        if len(chunks[-1]) + len(piece) > _CHUNK:
            chunks.append(b"")
        chunks[-1] += piece
    return chunks


def _payload(encoding: bytes, text: bytes) -> bytes:
    if encoding in b"qQ":
        return _HEX.sub(lambda match: bytes.fromhex(match[1].decode()), text.replace(b"_", b" "))
    kept = re.sub(rb"[^A-Za-z0-9+/]", b"", text)
    if len(kept) % 4 == 1:
        kept = kept[:-1]
    try:
        return base64.b64decode(kept + b"=" * (-len(kept) % 4))
    except binascii.Error:
        return text


def _run_text(run: list[tuple[str, bytes]]) -> str:
    """Neighbouring words: each by itself when it decodes, else those of one charset as one string."""
    out: list[str] = []
    index = 0
    while index < len(run):
        label, data = run[index]
        name = charset.codec(label) or "utf-8"
        try:
            out.append(data.decode(name))
            index += 1
        except UnicodeError:
            end = index + 1
            while end < len(run) and run[end][0].lower() == label.lower():
                end += 1
            out.append(charset.decode(b"".join(piece for _, piece in run[index:end]), label))
            index = end
    return "".join(out)
