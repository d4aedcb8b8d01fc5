"""COPY, MOVE, EXPUNGE: messages to other mailboxes and away (RFC 9051 section 6.4, RFC 4315, RFC 6851)."""

from __future__ import annotations

from maild.imap.commands.naming import existing, read_name
from maild.imap.errors import Refused
from maild.imap.selected import Selected
from maild.imap.sequences import write
from maild.imap.session import Command, Request, Session, State
from maild.store.errors import MailboxGone
from maild.store.records.mail import Copied, Mailbox


async def _copy(session: Session, request: Request) -> bytes:
    selected, uids, target = await _arguments(session, request)
    if not uids:
        return b"There was nothing to copy"
    try:
        copied = await session.services.store.messages.copy(selected.mailbox.id, uids, target.id)
    except MailboxGone:
        raise Refused("There is no such mailbox", b"TRYCREATE") from None
    if not copied.source:
        raise Refused("The messages are gone", b"EXPUNGEISSUED")
    return b"[%b] Copied" % _copyuid(copied)


async def _move(session: Session, request: Request) -> bytes:
    selected, uids, target = await _arguments(session, request)
    _must_write(selected)
    if not uids:
        return b"There was nothing to move"
    if target.id == selected.mailbox.id:
        raise Refused("The messages are in that mailbox", b"CANNOT")
    try:
        moved = await session.services.store.messages.move(selected.mailbox.id, uids, target.id)
    except MailboxGone:
        raise Refused("There is no such mailbox", b"TRYCREATE") from None
    if moved.source:
        session.send(b"* OK [%b] Moved\r\n" % _copyuid(moved))
    return await _after_expunge(session, selected, b"Moved")


async def _arguments(session: Session, request: Request) -> tuple[Selected, list[int], Mailbox]:
    arguments = request.arguments
    arguments.space()
    numbers = arguments.sequence_set()
    arguments.space()
    name = read_name(session, arguments)
    arguments.end()
    selected = session.open
    uids = [selected.uids[at] for at in session.chosen(numbers, uids=request.by_uid)]
    return selected, uids, await existing(session, name, b"TRYCREATE")


def _copyuid(copied: Copied) -> bytes:
    return b"COPYUID %d %b %b" % (copied.uidvalidity, write(copied.source), write(copied.destination))


def _must_write(selected: Selected) -> None:
    if selected.read_only:
        raise Refused("The mailbox is opened to read", b"READ-ONLY")


async def _expunge(session: Session, request: Request) -> bytes:
    request.arguments.end()
    selected = session.open
    _must_write(selected)
    await session.services.store.messages.expunge(selected.mailbox.id)
    return await _after_expunge(session, selected, b"Expunged")


async def _uid_expunge(session: Session, request: Request) -> bytes:
    arguments = request.arguments
    arguments.space()
    numbers = arguments.sequence_set()
    arguments.end()
    selected = session.open
    _must_write(selected)
    uids = [selected.uids[at] for at in session.chosen(numbers, uids=True)]
    if uids:
        await session.services.store.messages.expunge(selected.mailbox.id, uids)
    return await _after_expunge(session, selected, b"Expunged")


async def _after_expunge(session: Session, selected: Selected, text: bytes) -> bytes:
    """Tells what is gone before the answer, which carries the MODSEQ of it (RFC 7162 section 3.2.8)."""
    await session.sync(expunge=True)
    if b"CONDSTORE" in session.enabled:
        return b"[HIGHESTMODSEQ %d] %b" % (selected.modseq, text)
    return text


COMMANDS = {
    b"COPY": Command(_copy, State.SELECTED),
    b"UID COPY": Command(_copy, State.SELECTED),
    b"MOVE": Command(_move, State.SELECTED),
    b"UID MOVE": Command(_move, State.SELECTED),
    b"EXPUNGE": Command(_expunge, State.SELECTED),
    b"UID EXPUNGE": Command(_uid_expunge, State.SELECTED),
}
