"""APPEND, MULTIAPPEND and REPLACE (RFC 9051 section 6.3.12, RFC 3502, RFC 4315, RFC 7889, RFC 8508).

The messages are in the store already, as bodies that nothing refers to; here they become mail in one mailbox, all of
one command or none.
"""

from __future__ import annotations

from dataclasses import dataclass

from maild.imap.commands.flags import read_flags
from maild.imap.commands.naming import existing, read_name
from maild.imap.errors import BadCommand, Refused
from maild.imap.parser import Parser
from maild.imap.sequences import write
from maild.imap.session import Command, Request, Session, State
from maild.mail import dates
from maild.store.errors import MailboxGone, StoreError
from maild.store.records.arrival import Delivery, Incoming, Placed, Staged
from maild.store.records.mail import Mailbox

MAX_MESSAGES = 1000
"""Messages of one MULTIAPPEND."""


@dataclass(frozen=True, slots=True)
class _Message:
    flags: tuple[str, ...]
    internal_at: int | None
    body: Staged


async def _append(session: Session, request: Request) -> bytes:
    arguments = request.arguments
    arguments.space()
    name = read_name(session, arguments)
    messages: list[_Message] = []
    while not arguments.at_end:
        arguments.space()
        messages.append(_message(arguments))
        if len(messages) > MAX_MESSAGES:
            raise Refused("There are too many messages in one command", b"LIMIT")
    if not messages:
        raise arguments.fail("A message")
    placed = await _place(session, await existing(session, name, b"TRYCREATE"), messages)
    return _appenduid(placed) + b" Appended"


async def _replace(session: Session, request: Request) -> bytes:
    """The new message first, then the old one goes: whatever happens between, nothing is lost."""
    arguments = request.arguments
    arguments.space()
    numbers = arguments.sequence_set()
    arguments.space()
    name = read_name(session, arguments)
    arguments.space()
    message = _message(arguments)
    arguments.end()
    selected = session.open
    if selected.read_only:
        raise Refused("The mailbox is opened to read", b"READ-ONLY")
    chosen = session.chosen(numbers, uids=request.by_uid)
    if len(chosen) != 1:
        raise BadCommand("REPLACE names one message that is there")
    old = selected.uids[chosen[0]]
    placed = await _place(session, await existing(session, name, b"TRYCREATE"), [message])
    session.send(b"* OK %b Stored\r\n" % _appenduid(placed))
    await session.services.store.messages.remove(selected.mailbox.id, [old])
    return b"Replaced"


def _message(arguments: Parser) -> _Message:
    flags: list[str] = []
    internal_at: int | None = None
    if arguments.looking_at(b"("):
        flags = read_flags(arguments) if not arguments.take(b"()") else []
        arguments.space()
    if arguments.looking_at(b'"'):
        when = dates.parse_internal(arguments.string().decode("ascii", "replace"))
        if when is None:
            raise BadCommand("The date is not one of RFC 9051")
        internal_at = dates.micros(when)
        arguments.space()
    # UTF8 (...) around the literal: RFC 9755 section 4; the octets are stored as they are either way.
    wrapped = arguments.take(b"UTF8 (")
    literal = arguments.literal()
    if wrapped:
        arguments.need(b")")
    if literal.body is None or not literal.body.size:
        raise BadCommand("A message is a literal that is not empty")
    return _Message(tuple(flags), internal_at, literal.body)


async def _place(session: Session, mailbox: Mailbox, messages: list[_Message]) -> list[Placed]:
    """Stores all; when one cannot be stored, those before it go again (RFC 3502 section 6.3.11)."""
    placed: list[Placed] = []
    store = session.services.store
    try:
        for message in messages:
            incoming = Incoming(
                id=message.body.id,
                body=message.body,
                deliveries=(Delivery(mailbox_id=mailbox.id, flags=message.flags),),
                internal_at=message.internal_at,
            )
            placed += (await store.append(incoming)).placed
    except StoreError as error:
        if placed:
            await store.messages.remove(mailbox.id, [one.uid for one in placed])
        if isinstance(error, MailboxGone):
            raise Refused("There is no such mailbox", b"TRYCREATE") from None
        raise
    return placed


def _appenduid(placed: list[Placed]) -> bytes:
    return b"[APPENDUID %d %b]" % (placed[0].uidvalidity, write(one.uid for one in placed))


COMMANDS = {
    b"APPEND": Command(_append, State.AUTHENTICATED),
    b"REPLACE": Command(_replace, State.SELECTED),
    b"UID REPLACE": Command(_replace, State.SELECTED),
}
