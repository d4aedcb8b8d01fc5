"""Messages in files: .eml, Maildir and mbox, read one at a time with their flags and dates, lines ended by CRLF.

What other servers and clients leave behind (hMailServer keeps .eml files) goes into a mailbox this way.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from maild.mail import dates, header

SUFFIXES = (".eml", ".msg", ".txt")
"""Files of a folder that are taken for messages; in a Maildir, every file is one."""
_FLAGS = {"S": "\\Seen", "R": "\\Answered", "F": "\\Flagged", "T": "\\Deleted", "D": "\\Draft", "P": "$Forwarded"}
_FROM = re.compile(rb"(?m)^From [^\n]*\n")
_QUOTED_FROM = re.compile(rb"(?m)^>(>*From )")


@dataclass(frozen=True, slots=True)
class Found:
    """One message: where it came from, its octets, its flags, and when it was received."""

    source: str
    data: bytes
    flags: tuple[str, ...]
    received: dt.datetime


def read(path: Path) -> Iterator[Found]:
    """The messages of a file or of a folder and everything below it. Raises OSError."""
    if path.is_dir():
        for file in sorted(path.rglob("*")):
            in_maildir = file.parent.name in {"cur", "new"}
            if file.is_file() and (in_maildir or file.suffix.lower() in SUFFIXES):
                yield _one(file, file.read_bytes())
        return
    data = path.read_bytes()
    if data.startswith(b"From "):
        yield from _mbox(path, data)
    else:
        yield _one(path, data)


def _one(file: Path, data: bytes) -> Found:
    letters = file.name.partition(":2,")[2] or file.name.partition(";2,")[2]
    flags = tuple(_FLAGS[letter] for letter in letters if letter in _FLAGS)
    return _found(str(file), data, flags, dt.datetime.fromtimestamp(file.stat().st_mtime, dt.UTC))


def _mbox(path: Path, data: bytes) -> Iterator[Found]:
    written = dt.datetime.fromtimestamp(path.stat().st_mtime, dt.UTC)
    starts = [match.span() for match in _FROM.finditer(data) if _after_empty_line(data, match.start())]
    ends = [*(begin for begin, _ in starts[1:]), len(data)]
    for number, ((_, start), end) in enumerate(zip(starts, ends, strict=True), 1):
        # The empty line before the next one is the format's, not the message's.
        text = data[start:end].removesuffix(b"\n").removesuffix(b"\r")
        yield _found(f"{path}#{number}", _QUOTED_FROM.sub(rb"\1", text), (), written)


def _after_empty_line(data: bytes, at: int) -> bool:
    return at == 0 or data[max(0, at - 3) : at].endswith((b"\n\n", b"\n\r\n"))


def _found(source: str, data: bytes, flags: tuple[str, ...], fallback: dt.datetime) -> Found:
    whole = data.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
    return Found(source, whole, flags, _received(whole) or fallback)


def _received(message: bytes) -> dt.datetime | None:
    """When the last server took it, else when it was written."""
    arrived = header.value(message, "Received")
    text = arrived.rpartition(b";")[2] if arrived else b""
    written = header.value(message, "Date") or b""
    return dates.parse(text.decode("ascii", "replace")) or dates.parse(written.decode("ascii", "replace"))
