"""A message as the checks see it: header fields with their exact bytes, then a body that flows by in chunks.

Nothing of the body is kept. A header over the limit ends the header there: what follows counts as body and can only
make a signature fail.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

from maild.mail import header, mailboxes
from maild.mail.domain import DomainError, to_ascii

MAX_HEADER = 1_048_576
"""Octets of a header block that are read, the largest piece of work the loop does at once."""
SLICE = 262_144
"""Octets of a body handled between two turns of the loop, under two milliseconds of work."""
MAX_FROM = 65_536
"""Octets of a From field that are read; honest ones name one author."""
# The same fields as maild.mail.header reads; here only their bytes are wanted.
_FIELD = re.compile(rb"(?m)^([!-9;-~]+)[ \t]*:([^\n]*(?:\n[ \t][^\n]*)*)\n?")
_END_REACH = 3
"""Octets of the previous chunk that may begin the empty line."""


class RawField(NamedTuple):
    """One field: name in lower case, value and the whole as they were sent, line ending included."""

    key: bytes
    value: bytes
    raw: bytes


@dataclass(frozen=True, slots=True)
class Headers:
    """The fields in order."""

    fields: tuple[RawField, ...]

    @classmethod
    def of(cls, block: bytes) -> Headers:
        """The fields of a header block."""
        end = header.body_start(block)
        return cls(tuple([RawField(m[1].lower(), m[2], m[0]) for m in _FIELD.finditer(block, 0, end)]))

    def all(self, name: bytes) -> list[RawField]:
        """The fields of this lower-case name, first one first."""
        return [one for one in self.fields if one.key == name]

    def stacks(self) -> dict[bytes, list[RawField]]:
        """Fields by name, the last one on top, as signatures take them (RFC 6376 section 5.4.2)."""
        found: dict[bytes, list[RawField]] = defaultdict(list)
        for one in self.fields:
            found[one.key].append(one)
        return found


@dataclass(frozen=True, slots=True)
class Author:
    """The From field: its only domain in A-labels, or why there is none to check (RFC 9989 section 5.3.1)."""

    domain: str = ""
    problem: str = ""


def author(headers: Headers) -> Author:
    """The author domain. Several From fields or several domains are refused rather than guessed at."""
    found = headers.all(b"from")
    if len(found) != 1:
        return Author(problem="no From field" if not found else f"{len(found)} From fields")
    if len(found[0].value) > MAX_FROM:
        return Author(problem="the From field is too long")
    domains = set()
    for mailbox in mailboxes.flat(mailboxes.parse(header.unfold(found[0].value))):
        try:
            domains.add(to_ascii(mailbox.domain.decode("utf-8")))
        except (DomainError, UnicodeDecodeError):
            return Author(problem="the From field holds no valid domain")
    if len(domains) != 1:
        return Author(problem="no address in From" if not domains else "addresses of several domains in From")
    return Author(domain=domains.pop())


@dataclass(slots=True)
class Splitter:
    """Takes a message in chunks, gives the body's; ``headers`` is there once the empty line has come by."""

    headers: Headers | None = None
    block: bytes = b""
    size: int = 0
    _parts: list[bytes] = field(default_factory=list)
    _tail: bytes = b""
    _held: int = 0

    def feed(self, chunk: bytes) -> bytes:
        """The part of this chunk that is body, empty while the header lasts."""
        self.size += len(chunk)
        if self.headers is not None:
            return chunk
        window = (self._tail or b"\n") + chunk  # the start counts as a line's end: a message may have no header
        self._tail = window[-_END_REACH:]
        self._parts.append(chunk)
        self._held += len(chunk)
        if b"\n\r\n" not in window and b"\n\n" not in window and self._held < MAX_HEADER:
            return b""
        return self._end()

    def finish(self) -> Headers:
        """The headers of a message that has ended, with or without a body."""
        if self.headers is None:
            self._end()
        assert self.headers is not None  # noqa: S101 - set by _end
        return self.headers

    def _end(self) -> bytes:
        data = b"".join(self._parts)
        cut = min(header.body_start(data), MAX_HEADER)
        self.block, self.headers = data[:cut], Headers.of(data[:cut])
        self._parts = []
        return data[cut:]


def slices(data: bytes | Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes in pieces of at most ``SLICE``."""
    for chunk in (data,) if isinstance(data, bytes) else data:
        if len(chunk) <= SLICE:
            yield chunk
        else:
            for start in range(0, len(chunk), SLICE):
                yield chunk[start : start + SLICE]
