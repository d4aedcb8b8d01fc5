"""One line of the log as a value, and its two written forms: hMailServer's and JSON.

hMailServer's form is tab-separated with quoted texts; what would break a line is escaped, so a peer cannot write lines
of its own. The caller never puts a secret into a text: sessions log ``***`` in its place.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Literal, NamedTuple

import msgspec

Kind = Literal["SMTPD", "SMTPC", "IMAPD", "POP3D", "HTTPD", "TCPIP", "APPLICATION", "DEBUG", "ERROR"]
CONVERSATIONS = frozenset({"SMTPD", "SMTPC", "IMAPD", "POP3D", "HTTPD"})
"""Kinds whose lines carry session and address as fields of their own."""

NO_FIELDS: Mapping[str, object] = MappingProxyType({})

MAX_TEXT = 4096
"""Characters of one text: a longer one is cut, so that a peer cannot fill the disk by one line."""

_UNSAFE = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]|\r\n?|\n|\t")
_encoder = msgspec.json.Encoder(enc_hook=str)


class Record(NamedTuple):
    """One line: what kind, when, in which session with whom, what was said; ``fields`` go to JSON alone.

    A tuple, because a dozen are made for each message and a frozen dataclass costs three times as much to make.
    """

    kind: Kind
    at: float
    thread: int
    session: int
    address: str
    text: str
    fields: Mapping[str, object] = NO_FIELDS


def _safe(match: re.Match[str]) -> str:
    found = match[0]
    if found in ("\r\n", "\n", "\r"):
        return "[nl]"
    return "\\t" if found == "\t" else f"\\x{ord(found):02x}"


@lru_cache(maxsize=4)
def _second(second: int) -> tuple[str, str]:
    """Local time of a second as hMailServer writes it, and its date."""
    local = time.localtime(second)
    return time.strftime("%Y-%m-%d %H:%M:%S", local), time.strftime("%Y-%m-%d", local)


@lru_cache(maxsize=4)
def _millisecond(at: int) -> str:
    """Local time of a millisecond as hMailServer writes it: lines that follow each other share it."""
    second, milli = divmod(at, 1000)
    return f"{_second(second)[0]}.{milli:03d}"


def day(at: float) -> str:
    """The local date a record belongs to."""
    return _second(int(at))[1]


def as_line(record: Record) -> str:
    """The record in hMailServer's format, without the line end."""
    kind, at, thread, session, address, text, _ = record
    when = _millisecond(round(at * 1000))
    if len(text) > MAX_TEXT:
        text = text[:MAX_TEXT] + "..."
    # Whatever is unsafe is not printable, and most lines are printable as a whole.
    if not text.isprintable():
        text = _UNSAFE.sub(_safe, text)
    if kind in CONVERSATIONS:
        return f'"{kind}"\t{thread}\t{session}\t"{when}"\t"{address}"\t"{text}"'
    return f'"{kind}"\t{thread}\t"{when}"\t"{text}"'


def as_json(record: Record) -> bytes:
    """The record as one JSON object, without the line end."""
    text = record.text[:MAX_TEXT]
    if not text.isascii():
        # A lone surrogate, from a peer's broken UTF-8, is no JSON.
        text = text.encode("utf-8", "backslashreplace").decode()
    values: dict[str, object] = {"kind": record.kind, "at": round(record.at, 3)}
    if record.session:
        values["session"] = record.session
    if record.address:
        values["address"] = record.address
    values["text"] = text
    values.update(record.fields)
    return _encoder.encode(values)
