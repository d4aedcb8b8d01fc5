"""Authentication-Results (RFC 8601): ours written, others' read, forged ones in our name found.

A field that cannot be read but mentions our name counts as forged: readers down the line may be laxer than we are.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from maild.dns.names import to_query
from maild.mail import header

MAX_FIELD = 65_536
"""Octets of a field that are read; long ones have 5,000."""
MAX_RESULTS = 200
"""Results of one field that are read."""
PRIVATE = ("X-Mailhost-Verdict", "X-Mailhost-Reason")
"""Fields of our own that nobody else may bring in."""

VERSION = "1"
"""The only version there is, also when a field names none (RFC 8601 section 2.2)."""
PTYPES = frozenset({"body", "dns", "header", "policy", "smtp"})
"""Property types that IANA has registered; a result that rests on another one decides nothing (section 2.3)."""

_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`{|}~/@:-]+")
_WORD = re.compile(r'"((?:[^"\\]|\\.)*)"|([^\s;=()"]+)', re.DOTALL)
_METHOD = re.compile(r"([A-Za-z0-9-]+)\s*(?:/\s*\d+\s*)?=\s*([A-Za-z]+)")
_PROPERTY = re.compile(r"([A-Za-z][A-Za-z0-9-]*)\s*\.\s*([A-Za-z][A-Za-z0-9_-]*)\s*=\s*")
_REASON = re.compile(r"reason\s*=\s*")
_ESCAPE = re.compile(r"\\(.)")
_UNSAFE = re.compile(r"[^\x20-\x7e]+|[()\\]+")


class ResultsError(ValueError):
    """The field cannot be read."""


@dataclass(frozen=True, slots=True)
class MethodResult:
    """One method's result; ``properties`` are keyed ``ptype.property``."""

    method: str
    result: str
    properties: Mapping[str, str] = field(default_factory=dict)
    reason: str = ""
    comment: str = ""

    @property
    def is_known(self) -> bool:
        """Whether it rests on registered property types alone."""
        return {name.partition(".")[0] for name in self.properties} <= PTYPES


@dataclass(frozen=True, slots=True)
class AuthenticationResults:
    """A field: who says so, and what."""

    server: str
    results: tuple[MethodResult, ...] = ()
    version: str = VERSION

    def of(self, method: str) -> list[MethodResult]:
        """The results of one method that may decide something."""
        return [one for one in self.results if one.method == method and one.is_known]


def write(server: str, found: Iterable[MethodResult]) -> bytes:
    """The finished field, each result on a line of its own."""
    lines = [_result(one) for one in found] or ["none"]
    return f"Authentication-Results: {server};\r\n\t{(';' + chr(13) + chr(10) + chr(9)).join(lines)}\r\n".encode()


def _result(one: MethodResult) -> str:
    words = [f"{one.method}={one.result}"]
    if one.comment:
        words.append(f"({_UNSAFE.sub(' ', one.comment).strip()})")
    if one.reason:
        words.append(f"reason={_value(one.reason)}")
    words += [f"{name}={_value(value)}" for name, value in one.properties.items() if value]
    lines, line = [], ""
    for word in words:
        if line and len(line) + len(word) > header.MAX_LINE - 4:
            lines.append(line)
            line = ""
        line = f"{line} {word}" if line else word
    return "\r\n\t ".join([*lines, line])


def _value(text: str) -> str:
    clean = re.sub(r"[^\x20-\x7e]+", "?", text)
    if _TOKEN.fullmatch(clean):
        return clean
    return '"' + clean.replace("\\", "\\\\").replace('"', '\\"') + '"'


def parse(value: bytes) -> AuthenticationResults:
    """The content of a field value."""
    if len(value) > MAX_FIELD:
        raise ResultsError("the field is too long")
    text = _without_comments(header.unfold(value).decode("utf-8", "replace"))
    first, *rest = _split(text)
    server = _WORD.match(first.strip())
    if not server:
        raise ResultsError("the field names no server")
    if len(rest) > MAX_RESULTS:
        raise ResultsError("the field has too many results")
    found = [_method(part.strip()) for part in rest if part.strip() and part.strip().lower() != "none"]
    version = first.strip()[server.end() :].strip() or VERSION
    return AuthenticationResults(_plain(server), tuple(found), version)


def _method(text: str) -> MethodResult:
    match = _METHOD.match(text)
    if not match:
        raise ResultsError(f"{text[:40]!r} is no result")
    position, reason, properties = match.end(), "", {}
    while position < len(text):
        if text[position].isspace():
            position += 1
            continue
        named, why = _PROPERTY.match(text, position), _REASON.match(text, position)
        start = named or why
        word = _WORD.match(text, start.end()) if start else None
        if start is None or word is None:
            raise ResultsError(f"{text[position : position + 40]!r} is no property")
        if named:
            properties[f"{named[1].lower()}.{named[2].lower()}"] = _plain(word)
        else:
            reason = _plain(word)
        position = word.end()
    return MethodResult(match[1].lower(), match[2].lower(), properties, reason)


def _plain(word: re.Match[str]) -> str:
    return _ESCAPE.sub(r"\1", word[1]) if word[1] is not None else word[2]


def _without_comments(text: str) -> str:
    """The text with comments, which nest, replaced by a space; quoted strings stay."""
    out: list[str] = []
    depth, quoted, position = 0, False, 0
    for match in re.finditer(r'\\.|["()]', text, re.DOTALL):
        if match[0] == '"' and depth == 0:
            quoted = not quoted
        elif match[0] == "(" and not quoted:
            if depth == 0:
                out.append(text[position : match.start()] + " ")
            depth += 1
        elif match[0] == ")" and not quoted and depth:
            depth -= 1
            position = match.end()
    if depth:
        raise ResultsError("a comment does not end")
    out.append(text[position:])
    return "".join(out)


def _split(text: str) -> list[str]:
    """The parts between semicolons outside quoted strings."""
    parts, position, quoted = [], 0, False
    for match in re.finditer(r'\\.|[";]', text, re.DOTALL):
        if match[0] == '"':
            quoted = not quoted
        elif match[0] == ";" and not quoted:
            parts.append(text[position : match.start()])
            position = match.end()
    return [*parts, text[position:]]


def is_forged(value: bytes, server: str) -> bool:
    """Whether a field that came from outside speaks in our name, or in a version nobody here reads (section 5)."""
    try:
        read = parse(value)
    except ResultsError:
        return server.lower().encode() in value.lower()
    name = read.server
    return read.version != VERSION or (to_query(name) or name.lower()) == (to_query(server) or server.lower())


def without_forged(data: bytes, server: str) -> bytes:
    """The message without results in our name and without our private fields; every other byte as before."""
    clean = header.without(data, ["Authentication-Results"], lambda one: is_forged(one.body, server))
    return header.without(clean, PRIVATE)
