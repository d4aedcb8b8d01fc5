"""The header block of a message at byte level: fields in order, values unfolded, fields added and removed in place.

Bytes that are not asked to change stay as they are, so signatures over them stay valid. Reading is lenient (lines that
are no field are skipped, LF ends a line like CRLF) and linear in the size of the block.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from maild.mail import words

MAX_LINE = 78
"""Characters a folded line should keep to (RFC 5322 section 2.1.1)."""

_FIELD = re.compile(rb"(?m)^([!-9;-~]+)[ \t]*:([^\n]*(?:\n[ \t][^\n]*)*)\n?")
_FOLD = re.compile(rb"\r?\n(?=[ \t])")
_BREAK = re.compile(r"[\r\n\0]+")


@dataclass(frozen=True, slots=True)
class Field:
    """One field: the name and value as written, and where its bytes lie in the message."""

    name: bytes
    body: bytes
    start: int
    end: int

    @property
    def key(self) -> bytes:
        """The name in lower case."""
        return self.name.lower()

    @property
    def value(self) -> bytes:
        """The value unfolded (RFC 5322 section 2.2.3), without white space around it."""
        return unfold(self.body)

    @property
    def text(self) -> str:
        """The value as people read it, encoded words decoded."""
        return words.decode(self.value)


def body_start(data: bytes, start: int = 0, end: int | None = None) -> int:
    """Where the body begins: behind the first empty line, or at the end when there is none."""
    stop = len(data) if end is None else end
    for blank in (b"\r\n", b"\n"):
        if data.startswith(blank, start, stop):
            return start + len(blank)
    crlf = data.find(b"\n\r\n", start, stop)
    bare = data.find(b"\n\n", start, stop if crlf < 0 else crlf + 1)
    if bare >= 0:
        return bare + 2
    return crlf + 3 if crlf >= 0 else stop


def fields(data: bytes, start: int = 0, end: int | None = None) -> Iterator[Field]:
    """The fields of the header block that begins at ``start``."""
    stop = body_start(data, start, end)
    for match in _FIELD.finditer(data, start, stop):
        yield Field(match[1], match[2], match.start(), match.end())


def unfold(body: bytes) -> bytes:
    """A field body on one line."""
    return _FOLD.sub(b"", body).strip() if b"\n" in body else body.strip()


def values(data: bytes, name: str) -> list[bytes]:
    """The unfolded values of every field of that name, first one first."""
    wanted = name.encode().lower()
    return [field.value for field in fields(data) if field.key == wanted]


def value(data: bytes, name: str) -> bytes | None:
    """The unfolded value of the first field of that name."""
    wanted = name.encode().lower()
    return next((field.value for field in fields(data) if field.key == wanted), None)


def without(data: bytes, names: Iterable[str], drop: Callable[[Field], bool] = lambda _: True) -> bytes:
    """The message without the fields of these names for which ``drop`` says so; every other byte as before."""
    wanted = {name.encode().lower() for name in names}
    kept, position = [], 0
    for field in fields(data):
        if field.key in wanted and drop(field):
            kept.append(data[position : field.start])
            position = field.end
    return b"".join([*kept, data[position:]]) if kept else data


def append(data: bytes, *new: bytes) -> bytes:
    """The message with finished fields (see ``field``) put behind its last one."""
    end = body_start(data)
    if end == len(data) and not data.endswith((b"\n\r\n", b"\n\n")) and data not in (b"\r\n", b"\n"):
        closed = data if data.endswith(b"\n") or not data else data + b"\r\n"
        return b"".join([closed, *new])
    blank = b"\r\n" if data.endswith(b"\r\n", 0, end) else b"\n"
    cut = end - len(blank)
    return b"".join([data[:cut], *new, data[cut:]])


def field(name: str, text: str, *, raw: bool = False) -> bytes:
    """One finished field, folded. Text outside ASCII becomes encoded words unless ``raw`` keeps UTF-8 (RFC 6532)."""
    clean = _BREAK.sub(" ", text).strip()
    written = clean if raw else words.encode(clean)
    lines, line = [], f"{name}:"
    for word in written.split(" "):
        if len(line) + 1 + len(word) > MAX_LINE and line.strip() and not line.endswith(":"):
            lines.append(line)
            line = ""
        line += f" {word}"
    return "\r\n".join([*lines, line]).encode("utf-8", "replace") + b"\r\n"
