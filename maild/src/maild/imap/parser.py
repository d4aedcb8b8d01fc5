"""Reads the arguments of one command: text and literals in, the values of RFC 9051's grammar out, or ``BadCommand``.

Sans-I/O: the session has already collected the literals. A literal stands between two pieces of text, so no octet of
it can be taken for syntax.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TypeVar

from maild.imap.errors import BadCommand
from maild.imap.sequences import SequenceSet
from maild.store.records.arrival import Staged

MAX_DEPTH = 50
"""Parentheses, NOT and OR inside each other; no client comes near, and the parser recurses."""

_ATOM = re.compile(rb'[^\x00-\x20\x7f(){%*"\\\]]+')
_TAG = re.compile(rb'[^\x00-\x20\x7f-\xff(){%*"\\+]{1,100}')
_ASTRING = re.compile(rb'[^\x00-\x20\x7f(){%*"\\]+')
_LIST_CHARACTERS = re.compile(rb'[^\x00-\x20\x7f(){"\\]+')
_QUOTED = re.compile(rb'"((?:[^"\\\r\n\x00]|\\["\\])*)"')
_REST = re.compile(rb"[^\r\n]+")
_ESCAPE = re.compile(rb'\\(["\\])')
_NUMBER = re.compile(rb"[0-9]{1,20}")
_FLAG = re.compile(rb'\\?[^\x00-\x20\x7f-\xff(){%*"\\\]]+')
_SET = re.compile(rb"\$|[0-9*][0-9*:,]*")
_PARTIAL = re.compile(rb"(-?[0-9]{1,10}):(-?[0-9]{1,10})")
_DATE = re.compile(rb'("?)([0-9]{1,2})-([A-Za-z]{3})-([0-9]{4})\1')
_MONTHS = (b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec")
MAX_NUMBER = (1 << 63) - 1

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Literal:
    """Octets sent as a literal; ``body`` is in the store already when it was a message."""

    data: bytes
    body: Staged | None = None
    binary: bool = False


class Parser:
    """A position in one command."""

    __slots__ = ("_literals", "_position", "_segment", "_texts")

    def __init__(self, texts: Sequence[bytes], literals: Sequence[Literal] = ()) -> None:
        self._texts = texts
        self._literals = literals
        self._segment = 0
        self._position = 0

    @property
    def at_end(self) -> bool:
        """Whether nothing is left."""
        return self._position >= len(self._texts[self._segment]) and not self._at_literal

    @property
    def _at_literal(self) -> bool:
        return self._position >= len(self._texts[self._segment]) and self._segment < len(self._literals)

    def fail(self, what: str) -> BadCommand:
        """The error for something that was expected here."""
        return BadCommand(f"{what} was expected at octet {self._position + 1}")

    def end(self) -> None:
        """Nothing may follow."""
        if not self.at_end:
            raise self.fail("The end of the command")

    def space(self) -> None:
        """One space must follow."""
        if not self.take(b" "):
            raise self.fail("A space")

    def looking_at(self, text: bytes) -> bool:
        """Whether this text follows, in any case of letters."""
        stop = self._position + len(text)
        return self._texts[self._segment][self._position : stop].upper() == text

    @property
    def looking_at_digit(self) -> bool:
        """Whether a digit follows."""
        return self._texts[self._segment][self._position : self._position + 1].isdigit()

    def take(self, text: bytes) -> bool:
        """Takes this text (upper case) if it follows."""
        if not self.looking_at(text):
            return False
        self._position += len(text)
        return True

    def need(self, text: bytes) -> None:
        """Takes this text, which must follow."""
        if not self.take(text):
            raise self.fail(text.decode())

    def match(self, pattern: re.Pattern[bytes], what: str) -> re.Match[bytes]:
        """Takes what a pattern matches here."""
        found = pattern.match(self._texts[self._segment], self._position)
        if found is None:
            raise self.fail(what)
        self._position = found.end()
        return found

    def tag(self) -> bytes:
        """The tag of a command."""
        return self.match(_TAG, "A tag")[0]

    def atom(self) -> bytes:
        """An atom."""
        return self.match(_ATOM, "An atom")[0]

    def word(self) -> bytes:
        """An atom that is a keyword, in upper case."""
        return self.atom().upper()

    def word_or_flag(self) -> bytes:
        """A keyword that may begin with a backslash, in upper case."""
        return self.match(_FLAG, "A word")[0].upper()

    def number(self) -> int:
        """A number of up to 63 bits."""
        value = int(self.match(_NUMBER, "A number")[0])
        if value > MAX_NUMBER:
            raise BadCommand("The number is too large")
        return value

    def string(self) -> bytes:
        """A quoted string or a literal."""
        if self._at_literal:
            return self.literal().data
        return _ESCAPE.sub(rb"\1", self.match(_QUOTED, "A string")[1])

    def astring(self) -> bytes:
        """An atom or a string."""
        if self._at_literal or self.looking_at(b'"'):
            return self.string()
        return self.match(_ASTRING, "A word or a string")[0]

    def rest(self) -> bytes:
        """Everything up to the end of the command."""
        return self.match(_REST, "More")[0]

    def nstring(self) -> bytes | None:
        """A string or NIL."""
        return None if self.take(b"NIL") else self.string()

    def list_mailbox(self) -> bytes:
        """A mailbox pattern of LIST."""
        if self._at_literal or self.looking_at(b'"'):
            return self.string()
        return self.match(_LIST_CHARACTERS, "A mailbox pattern")[0]

    def literal(self) -> Literal:
        """A literal, which must be next."""
        if not self._at_literal:
            raise self.fail("A literal")
        found = self._literals[self._segment]
        self._segment += 1
        self._position = 0
        return found

    def flag(self) -> str:
        """A flag or keyword; the system flags of RFC 9051, and no other, begin with a backslash."""
        text = self.match(_FLAG, "A flag")[0].decode("ascii")
        if not text.startswith("\\"):
            return text
        for known in ("\\Seen", "\\Answered", "\\Flagged", "\\Deleted", "\\Draft"):
            if text.lower() == known.lower():
                return known
        raise BadCommand(f"There is no flag {text}")

    def sequence_set(self) -> SequenceSet:
        """A set of message numbers or UIDs, or $."""
        return SequenceSet.parse(self.match(_SET, "A sequence set")[0])

    def partial_range(self) -> tuple[int, int]:
        """A range of results (RFC 9394), both ends counted from the first or both from the last."""
        found = self.match(_PARTIAL, "A range")
        first, last = int(found[1]), int(found[2])
        if not first or not last or (first < 0) != (last < 0):
            raise BadCommand("A range has two ends of one direction")
        return first, last

    def date(self) -> date:
        """A date as in SEARCH."""
        found = self.match(_DATE, "A date")
        month = found[3].lower()
        try:
            return date(int(found[4]), _MONTHS.index(month) + 1, int(found[2]))
        except ValueError:
            raise BadCommand("There is no such date") from None

    def in_parentheses(self, read: Callable[[], T]) -> list[T]:
        """A list of one or more, separated by spaces."""
        self.need(b"(")
        found = [read()]
        while self.take(b" "):
            found.append(read())
        self.need(b")")
        return found
