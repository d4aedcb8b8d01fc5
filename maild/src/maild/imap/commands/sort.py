"""SORT and THREAD, by number and by UID (RFC 5256, RFC 5267)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from maild.imap import criteria, summaries, threads
from maild.imap.commands.search import answer_extended, has_modseq, numbers, progress, read_returned
from maild.imap.errors import BadCommand
from maild.imap.parser import Parser
from maild.imap.searching import READ_BLOCK, Search
from maild.imap.selected import Positions
from maild.imap.session import Command, Request, Session, State
from maild.mail.summary import Summary
from maild.store.records.mail import Message

MAX_KEYS = 20
"""Keys of one SORT."""

Value = int | str


@dataclass(frozen=True, slots=True)
class _Key:
    name: bytes
    reverse: bool


def _sent(row: Message, summary: Summary) -> int:
    """The Date, else the internal date (RFC 5256 section 2.2)."""
    return row.internal_at if summary.sent_at is None else summary.sent_at


_VALUES: Mapping[bytes, Callable[[Message, Summary], Value]] = {
    b"ARRIVAL": lambda row, _: row.internal_at,
    b"CC": lambda _, summary: summary.sort_cc.casefold(),
    b"DATE": _sent,
    b"FROM": lambda _, summary: summary.sort_from.casefold(),
    b"SIZE": lambda row, _: row.size,
    b"SUBJECT": lambda _, summary: summary.base_subject.casefold(),
    b"TO": lambda _, summary: summary.sort_to.casefold(),
}


async def _sort(session: Session, request: Request) -> bytes:
    arguments = request.arguments
    arguments.space()
    returned = read_returned(arguments)
    keys = _keys(arguments)
    arguments.space()
    label = arguments.astring().decode("ascii", "replace")
    arguments.space()
    key = criteria.parse(arguments, label)
    search = Search(session, key)
    found = await search.run(progress(session, request))
    ordered = await _ordered(session, found, keys)
    modseq = max((await search.modseqs(found)).values(), default=0) if has_modseq(key) and found else 0
    if returned.extended:
        answer_extended(session, request, returned, ordered, modseq, ordered=True)
    else:
        shown = b"".join(b" %d" % number for number in numbers(session, ordered, by_uid=request.by_uid))
        session.send(b"* SORT%b%b\r\n" % (shown, b" (MODSEQ %d)" % modseq if modseq else b""))
    return b"That is all"


def _keys(arguments: Parser) -> list[_Key]:
    keys: list[_Key] = []
    reverse = False
    for word in arguments.in_parentheses(arguments.word):
        if word == b"REVERSE":
            reverse = True
        elif word in _VALUES:
            keys.append(_Key(word, reverse))
            reverse = False
        else:
            raise BadCommand("There is no such SORT key")
    if reverse or not keys or len(keys) > MAX_KEYS:
        raise BadCommand("SORT takes one to 20 keys")
    return keys


async def _ordered(session: Session, found: Positions, keys: list[_Key]) -> Positions:
    values: dict[int, list[Value]] = {}
    for start in range(0, len(found), READ_BLOCK):
        for at, row, summary in await _read(session, found[start : start + READ_BLOCK]):
            values[at] = [_VALUES[key.name](row, summary) for key in keys]
    ordered = [at for at in found if at in values]
    # From the last key to the first: each sort keeps the order of equals, and the position is the last word.
    for index in range(len(keys) - 1, -1, -1):
        ordered.sort(key=lambda at: values[at][index], reverse=keys[index].reverse)
    return ordered


async def _read(session: Session, batch: Positions) -> list[tuple[int, Message, Summary]]:
    selected, store = session.open, session.services.store
    at_uid = {selected.uids[at]: at for at in batch}
    rows = await store.messages.get(selected.mailbox.id, list(at_uid))
    known = await summaries.of(store, rows)
    return [(at_uid[row.uid], row, known[row.blob_id]) for row in rows]


async def _thread(session: Session, request: Request) -> bytes:
    arguments = request.arguments
    arguments.space()
    algorithm = arguments.word()
    arguments.space()
    label = arguments.astring().decode("ascii", "replace")
    arguments.space()
    key = criteria.parse(arguments, label)
    if algorithm != b"REFERENCES":
        raise BadCommand("Only REFERENCES is offered")
    found = await Search(session, key).run(progress(session, request))
    items: list[threads.Item] = []
    for start in range(0, len(found), READ_BLOCK):
        for at, row, summary in await _read(session, found[start : start + READ_BLOCK]):
            (number,) = numbers(session, [at], by_uid=request.by_uid)
            items.append(
                threads.Item(
                    number,
                    summary.id,
                    summary.references,
                    _sent(row, summary),
                    summary.base_subject.casefold(),
                    summary.is_reply,
                )
            )
    session.send(b"* THREAD %b\r\n" % threads.write(await asyncio.to_thread(threads.by_references, items)))
    return b"That is all"


COMMANDS = {
    b"SORT": Command(_sort, State.SELECTED, uses_numbers=True),
    b"UID SORT": Command(_sort, State.SELECTED),
    b"THREAD": Command(_thread, State.SELECTED, uses_numbers=True),
    b"UID THREAD": Command(_thread, State.SELECTED),
}
