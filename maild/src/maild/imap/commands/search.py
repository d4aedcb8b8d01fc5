"""SEARCH and UID SEARCH with RETURN, SAVE and PARTIAL (RFC 9051 section 6.4.4, RFC 5182, RFC 7162, RFC 9394)."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from maild.imap import criteria
from maild.imap.errors import BadCommand
from maild.imap.parser import Parser
from maild.imap.searching import Search
from maild.imap.selected import Positions
from maild.imap.sequences import write
from maild.imap.session import Command, Request, Session, State

PROGRESS_SECONDS = 5.0
"""Time between two notes on how far a long search is (RFC 9585)."""


@dataclass(frozen=True, slots=True)
class Returned:
    """What is to be returned; nothing named is the old untagged SEARCH."""

    options: frozenset[bytes] = frozenset()
    partial: tuple[int, int] | None = None

    @property
    def extended(self) -> bool:
        """Whether the answer is an ESEARCH."""
        return bool(self.options)


def read_returned(arguments: Parser) -> Returned:
    """The RETURN part, with the space behind it."""
    if not arguments.take(b"RETURN ("):
        return Returned()
    options: set[bytes] = set()
    partial: tuple[int, int] | None = None
    while not arguments.take(b")"):
        arguments.take(b" ")
        word = arguments.word()
        if word == b"PARTIAL":
            arguments.space()
            partial = arguments.partial_range()
        elif word not in {b"MIN", b"MAX", b"ALL", b"COUNT", b"SAVE"}:
            raise BadCommand("There is no such RETURN option")
        options.add(word)
    arguments.space()
    if {b"ALL", b"PARTIAL"} <= options:
        raise BadCommand("ALL and PARTIAL exclude each other")
    return Returned(frozenset(options or {b"ALL"}), partial)


def read_charset(arguments: Parser) -> str:
    """The charset that texts are in; without one, UTF-8, which contains US-ASCII."""
    if not arguments.take(b"CHARSET "):
        return "UTF-8"
    label = arguments.astring().decode("ascii", "replace")
    arguments.space()
    return label


async def _search(session: Session, request: Request) -> bytes:
    arguments = request.arguments
    arguments.space()
    returned = read_returned(arguments)
    if not returned.extended and b"IMAP4REV2" in session.enabled:
        # RFC 9051 section 6.4.4: there the old answer is no more.
        returned = Returned(frozenset({b"ALL"}))
    key = criteria.parse(arguments, read_charset(arguments))
    wants_modseq = has_modseq(key)
    if wants_modseq:
        session.enabled.add(b"CONDSTORE")
    search = Search(session, key)
    found = await search.run(progress(session, request))
    modseq = max((await search.modseqs(found)).values(), default=0) if wants_modseq and found else 0
    if returned.extended:
        answer_extended(session, request, returned, found, modseq)
    else:
        shown = b"".join(b" %d" % number for number in numbers(session, found, by_uid=request.by_uid))
        session.send(b"* SEARCH%b%b\r\n" % (shown, b" (MODSEQ %d)" % modseq if modseq else b""))
    return b"That is all"


def progress(session: Session, request: Request) -> Callable[[int, int], None]:
    """Tells the client of a long search how far it is."""
    last = time.monotonic()

    def tell(done: int, of: int) -> None:
        nonlocal last
        now = time.monotonic()
        if now - last >= PROGRESS_SECONDS:
            last = now
            session.send(b'* OK [INPROGRESS ("%b" %d %d)] Still searching\r\n' % (request.tag, done, of))
            session.flush()

    return tell


def has_modseq(key: criteria.Key) -> bool:
    """Whether MODSEQ is among the keys: then the answer carries one (RFC 7162 section 3.1.5)."""
    match key:
        case criteria.ModSeq():
            return True
        case criteria.And(keys):
            return any(map(has_modseq, keys))
        case criteria.Or(one, other):
            return has_modseq(one) or has_modseq(other)
        case criteria.Not(inner):
            return has_modseq(inner)
        case _:
            return False


def numbers(session: Session, found: Positions, *, by_uid: bool) -> list[int]:
    """Positions as the client counts."""
    uids = session.open.uids
    return [uids[at] if by_uid else at + 1 for at in found]


def answer_extended(
    session: Session, request: Request, returned: Returned, found: Positions, modseq: int, ordered: bool = False
) -> None:
    """The ESEARCH line; for SORT, MIN and MAX are the first and the last in order (RFC 5267)."""
    options = returned.options
    if b"SAVE" in options:
        session.saved = tuple(session.open.uids[at] for at in sorted(_to_save(options, found, returned.partial)))
    if options == {b"SAVE"}:
        return
    shown = numbers(session, found, by_uid=request.by_uid)
    items = [b'* ESEARCH (TAG "%b")' % request.tag]
    if request.by_uid:
        items.append(b"UID")
    if b"MIN" in options and shown:
        items.append(b"MIN %d" % (shown[0] if ordered else min(shown)))
    if b"MAX" in options and shown:
        items.append(b"MAX %d" % (shown[-1] if ordered else max(shown)))
    if b"ALL" in options and shown:
        items.append(b"ALL %b" % write(shown))
    if b"COUNT" in options:
        items.append(b"COUNT %d" % len(shown))
    if returned.partial is not None:
        first, last = returned.partial
        items.append(b"PARTIAL (%d:%d %b)" % (first, last, write(_window(shown, returned.partial)) or b"NIL"))
    if modseq:
        items.append(b"MODSEQ %d" % modseq)
    session.send(b" ".join(items) + b"\r\n")


def _window(shown: list[int], partial: tuple[int, int]) -> list[int]:
    first, last = sorted(partial, key=abs)
    if first > 0:
        return shown[first - 1 : last]
    return shown[max(len(shown) + last, 0) : max(len(shown) + first + 1, 0)]


def _to_save(options: frozenset[bytes], found: Positions, partial: tuple[int, int] | None) -> Positions:
    """What ``$`` becomes (RFC 5182 section 2.1): with MIN or MAX alone, only these."""
    if partial is not None:
        return _window(found, partial)
    if options & {b"ALL", b"COUNT"} or not options & {b"MIN", b"MAX"} or not found:
        return found
    kept = {found[0]} if b"MIN" in options else set()
    return sorted(kept | ({found[-1]} if b"MAX" in options else set()))


COMMANDS = {
    b"SEARCH": Command(_search, State.SELECTED, uses_numbers=True),
    b"UID SEARCH": Command(_search, State.SELECTED),
}
