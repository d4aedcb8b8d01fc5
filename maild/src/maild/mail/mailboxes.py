"""Address lists of header fields (RFC 5322 section 3.4), read leniently at byte level and written correctly.

A parse never fails and keeps what is there, so an ENVELOPE shows it; ``Mailbox.address`` is strict, so a decision is
never made on something that only looks like an address. Time and memory are linear in the field.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from maild.mail import words
from maild.mail.address import Address, AddressError

MAX_ENTRIES = 10_000
"""Entries of one field that are read; no real message comes near, and what is read is kept with the message."""

_TOKEN = re.compile(rb'"((?:[^"\\]|\\.)*)"?|(\[[^\]\[]*\]?)|([<>@,;:(])|([^\s"<>@,;:()\[\]]+)|(\s+)|(.)', re.DOTALL)
_COMMENT = re.compile(rb"\\.|[()]", re.DOTALL)
_ESCAPE = re.compile(rb"\\(.)", re.DOTALL)
_AT = None
"""An @ among the words of a mailbox; one that was quoted is a word like any other."""

_Words = list[tuple[bytes | None, bool]]


@dataclass(frozen=True, slots=True)
class Mailbox:
    """One mailbox as written: name (encoded words as they are), route, local part without quotes, domain."""

    name: bytes
    local: bytes
    domain: bytes
    route: bytes = b""

    @property
    def text(self) -> str:
        """The display name as people read it."""
        return words.decode(self.name)

    @property
    def address(self) -> Address | None:
        """The address, None when it is none by RFC 5321 and RFC 6531."""
        try:
            return Address.of(self.local.decode("utf-8"), self.domain.decode("utf-8"))
        except (AddressError, UnicodeDecodeError):
            return None


@dataclass(frozen=True, slots=True)
class Group:
    """A named group and its members; ``undisclosed-recipients:;`` is one without any."""

    name: bytes
    members: tuple[Mailbox, ...]


Entry = Mailbox | Group


def parse(value: bytes) -> tuple[Entry, ...]:
    """The entries of an unfolded address list."""
    return _Reader(value).read()


def flat(entries: Iterable[Entry]) -> Iterator[Mailbox]:
    """The mailboxes, those inside groups included."""
    for entry in entries:
        if isinstance(entry, Group):
            yield from entry.members
        else:
            yield entry


def write(name: str, address: Address, *, raw: bool = False) -> str:
    """A mailbox as header text: the name quoted or encoded as it needs; ``raw`` leaves UTF-8 in it (RFC 6532)."""
    if not name:
        return f"<{address}>"
    if name.isascii() or raw:
        quoted = re.sub(r'(["\\])', r"\\\1", re.sub(r"[\x00-\x1f\x7f]+", " ", name))
        return f'"{quoted}" <{address}>'
    return f"{words.encode(name)} <{address}>"


@dataclass(slots=True)
class _Reader:
    """One pass over the tokens of a list; holds the words of the mailbox that is being read."""

    value: bytes
    entries: list[Entry] = field(default_factory=list)
    parts: _Words = field(default_factory=list)
    comment: bytes = b""
    angle: bool = False
    closed: bool = False
    name: bytes = b""
    route: bytes = b""
    group: bytes | None = None
    members: list[Mailbox] = field(default_factory=list)

    def read(self) -> tuple[Entry, ...]:
        position, space = 0, False
        while position < len(self.value) and len(self.entries) + len(self.members) < MAX_ENTRIES:
            match = _TOKEN.match(self.value, position)
            if match is None:
                break
            position = match.end()
            quoted, literal, special, atom, white, _ = match.groups()
            if special == b"(":
                position = self._skip_comment(position)
            elif special is not None:
                self._special(special)
            elif white is None:
                word = _ESCAPE.sub(rb"\1", quoted) if quoted is not None else literal or atom or match[0]
                if not self.closed:
                    self.parts.append((word, space))
            space = white is not None
        self._end_mailbox()
        self._end_group()
        return tuple(self.entries)

    def _skip_comment(self, position: int) -> int:
        depth, start = 1, position
        while depth:
            match = _COMMENT.search(self.value, position)
            if match is None:
                self.comment = self.value[start:].strip()
                return len(self.value)
            position = match.end()
            depth += {b"(": 1, b")": -1}.get(match[0], 0)
        self.comment = _ESCAPE.sub(rb"\1", self.value[start : position - 1]).strip()
        return position

    def _special(self, special: bytes) -> None:
        if special == b"<":
            self._open()
        elif special == b">":
            self.closed = self.closed or self.angle
        elif special == b";":
            self._end_mailbox()
            self._end_group()
        elif special == b"," and not self._in_route():
            self._end_mailbox()
        elif special == b":":
            self._colon()
        elif not self.closed:
            self.parts.append((_AT if special == b"@" else special, False))

    def _open(self) -> None:
        if self.angle:
            self._end_mailbox()
        self.name, self.angle, self.parts = _phrase(self.parts), True, []

    def _in_route(self) -> bool:
        return self.angle and not self.closed and bool(self.parts) and self.parts[0][0] is _AT

    def _colon(self) -> None:
        if self._in_route():
            self.route, self.parts = _joined(self.parts), []
        elif not self.angle and self.group is None and all(word is not _AT for word, _ in self.parts):
            self.group, self.parts = _phrase(self.parts), []
        elif not self.closed:
            self.parts.append((b":", False))

    def _end_mailbox(self) -> None:
        # The last @ divides.
        cut = max((index for index, (word, _) in enumerate(self.parts) if word is _AT), default=len(self.parts))
        local, domain = _joined(self.parts[:cut]), _joined(self.parts[cut + 1 :])
        if self.parts or self.angle:
            mailbox = Mailbox(self.name or self.comment, local, domain, self.route)
            if self.group is None:
                self.entries.append(mailbox)
            else:
                self.members.append(mailbox)
        self.parts = []
        self.name = self.route = self.comment = b""
        self.angle = self.closed = False

    def _end_group(self) -> None:
        if self.group is not None:
            self.entries.append(Group(self.group, tuple(self.members)))
            self.group, self.members = None, []


def _phrase(parts: _Words) -> bytes:
    """The words as a name, a space where there was white space."""
    return b"".join(
        b" " * (space and index > 0) + (b"@" if word is _AT else word) for index, (word, space) in enumerate(parts)
    )


def _joined(parts: _Words) -> bytes:
    """The words as one, without the white space that may stand around a dot (RFC 5322 section 4.4)."""
    pieces: list[bytes] = []
    for part, space in parts:
        word = b"@" if part is _AT else part
        if space and pieces and not word.startswith(b".") and not pieces[-1].endswith(b"."):
            pieces.append(b" ")
        pieces.append(word)
    return b"".join(pieces)


def addresses(fields: Sequence[bytes]) -> list[Address | None]:
    """Every mailbox of these field values as strict address, None for each that is none."""
    return [mailbox.address for value in fields for mailbox in flat(parse(value))]
