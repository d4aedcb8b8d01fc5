"""What a SEARCH asks for, as a tree (RFC 9051 section 6.4.4, RFC 5032, RFC 7162, RFC 8474, RFC 8514).

Text is decoded from the CHARSET of the command while it is read, so a search in EUC-KR finds what one in UTF-8 does.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Literal

from maild.imap.errors import BadCommand, Refused
from maild.imap.parser import MAX_DEPTH, Parser
from maild.imap.sequences import SequenceSet
from maild.mail import charset

MAX_KEYS = 1000
"""Keys of one search; each may cost a pass over the mailbox."""


@dataclass(frozen=True, slots=True)
class All:
    """Every message."""


@dataclass(frozen=True, slots=True)
class Flag:
    """A flag is set, or is not."""

    name: str
    wanted: bool


@dataclass(frozen=True, slots=True)
class Numbers:
    """Message numbers or UIDs."""

    numbers: SequenceSet
    uids: bool


@dataclass(frozen=True, slots=True)
class Day:
    """A date: ``internal``, ``sent`` or ``saved``, compared by day."""

    kind: Literal["internal", "sent", "saved"]
    relation: Literal["before", "on", "since"]
    day: date


@dataclass(frozen=True, slots=True)
class Age:
    """Received within the last seconds, or before (RFC 5032)."""

    relation: Literal["younger", "older"]
    seconds: int


@dataclass(frozen=True, slots=True)
class Size:
    """More or fewer octets than this."""

    relation: Literal["larger", "smaller"]
    octets: int


@dataclass(frozen=True, slots=True)
class Header:
    """A header field holds a text; an empty one asks whether the field is there."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Content:
    """The body, or the whole message, holds a text."""

    text: str
    header_too: bool


@dataclass(frozen=True, slots=True)
class ModSeq:
    """Changed at this MODSEQ or later."""

    modseq: int


@dataclass(frozen=True, slots=True)
class EmailId:
    """The message with this EMAILID."""

    id: str


@dataclass(frozen=True, slots=True)
class Nothing:
    """No message."""


@dataclass(frozen=True, slots=True)
class Not:
    """What a key does not find."""

    key: Key


@dataclass(frozen=True, slots=True)
class Or:
    """What either key finds."""

    one: Key
    other: Key


@dataclass(frozen=True, slots=True)
class And:
    """What all keys find."""

    keys: tuple[Key, ...]


Key = All | Flag | Numbers | Day | Age | Size | Header | Content | ModSeq | EmailId | Nothing | Not | Or | And

_FLAGS = {
    b"ANSWERED": ("\\Answered", True), b"DELETED": ("\\Deleted", True), b"DRAFT": ("\\Draft", True),
    b"FLAGGED": ("\\Flagged", True), b"SEEN": ("\\Seen", True), b"UNANSWERED": ("\\Answered", False),
    b"UNDELETED": ("\\Deleted", False), b"UNDRAFT": ("\\Draft", False), b"UNFLAGGED": ("\\Flagged", False),
    b"UNSEEN": ("\\Seen", False),
}  # fmt: skip
_DAYS: dict[bytes, tuple[Literal["internal", "sent", "saved"], Literal["before", "on", "since"]]] = {
    b"BEFORE": ("internal", "before"), b"ON": ("internal", "on"), b"SINCE": ("internal", "since"),
    b"SENTBEFORE": ("sent", "before"), b"SENTON": ("sent", "on"), b"SENTSINCE": ("sent", "since"),
    b"SAVEDBEFORE": ("saved", "before"), b"SAVEDON": ("saved", "on"), b"SAVEDSINCE": ("saved", "since"),
}  # fmt: skip
_CONSTANT: dict[bytes, Key] = {
    b"ALL": All(),
    # \Recent is not kept: no message is recent, every message is old.
    b"OLD": All(),
    b"RECENT": Nothing(),
    b"NEW": Nothing(),
    b"SAVEDATESUPPORTED": All(),
}
_HEADERS = frozenset({b"BCC", b"CC", b"FROM", b"SUBJECT", b"TO"})


def parse(parser: Parser, label: str) -> Key:
    """Reads keys up to the end of the command, texts in the charset of that label."""
    if not charset.known(label):
        raise Refused(f"The charset {label} is not known", b"BADCHARSET (UTF-8 US-ASCII EUC-KR CP949 ISO-2022-KR)")
    reader = _Reader(parser, label)
    keys = [reader.key(0)]
    while parser.take(b" "):
        keys.append(reader.key(0))
    parser.end()
    return keys[0] if len(keys) == 1 else And(tuple(keys))


class _Reader:
    def __init__(self, parser: Parser, label: str) -> None:
        self._parser = parser
        self._label = label
        self._count = 0

    def key(self, depth: int) -> Key:
        """One key, with what belongs to it."""
        self._count += 1
        if depth > MAX_DEPTH or self._count > MAX_KEYS:
            raise BadCommand("The search is too deep or too long")
        parser = self._parser
        if parser.looking_at(b"("):
            return And(tuple(parser.in_parentheses(lambda: self.key(depth + 1))))
        if parser.looking_at_digit or parser.looking_at(b"*") or parser.looking_at(b"$"):
            return Numbers(parser.sequence_set(), uids=False)
        word = parser.word()
        if word in _CONSTANT:
            return _CONSTANT[word]
        if word in _FLAGS:
            return Flag(*_FLAGS[word])
        return self._with_argument(word, depth)

    def _with_argument(self, word: bytes, depth: int) -> Key:
        parser = self._parser
        simple: dict[bytes, Callable[[], Key]] = {
            b"UID": lambda: Numbers(parser.sequence_set(), uids=True),
            b"KEYWORD": lambda: Flag(parser.flag(), wanted=True),
            b"UNKEYWORD": lambda: Flag(parser.flag(), wanted=False),
            b"LARGER": lambda: Size("larger", parser.number()),
            b"SMALLER": lambda: Size("smaller", parser.number()),
            b"YOUNGER": lambda: Age("younger", parser.number()),
            b"OLDER": lambda: Age("older", parser.number()),
            b"BODY": lambda: Content(self._text(), header_too=False),
            b"TEXT": lambda: Content(self._text(), header_too=True),
            b"EMAILID": lambda: EmailId(parser.atom().decode("ascii", "replace")),
            b"HEADER": self._header,
            b"MODSEQ": self._modseq,
            b"NOT": lambda: Not(self.key(depth + 1)),
            b"OR": lambda: self._or(depth),
        }
        if word in _HEADERS:
            parser.space()
            return Header(word.decode().lower(), self._text())
        if word in _DAYS:
            parser.space()
            kind, relation = _DAYS[word]
            return Day(kind, relation, parser.date())
        if word == b"THREADID":
            # Threads have no ids here: none is found (RFC 8474 section 5.3).
            parser.space()
            parser.atom()
            return Nothing()
        if word not in simple:
            raise BadCommand(f"There is no search key {word.decode('ascii', 'replace')}")
        parser.space()
        return simple[word]()

    def _or(self, depth: int) -> Key:
        one = self.key(depth + 1)
        self._parser.space()
        return Or(one, self.key(depth + 1))

    def _header(self) -> Key:
        name = self._parser.astring().decode("ascii", "replace").lower()
        self._parser.space()
        return Header(name, self._text())

    def _modseq(self) -> Key:
        """With the entry name and type that RFC 7162 section 3.1.5 allows; flags have no MODSEQ of their own."""
        if self._parser.looking_at(b'"'):
            self._parser.string()
            self._parser.space()
            self._parser.word()
            self._parser.space()
        return ModSeq(self._parser.number())

    def _text(self) -> str:
        raw = self._parser.astring()
        try:
            return raw.decode(charset.codec(self._label) or "utf-8")
        except UnicodeDecodeError:
            raise BadCommand(f"A text is not in {self._label}") from None
