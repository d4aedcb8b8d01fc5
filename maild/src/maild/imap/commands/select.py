"""SELECT, EXAMINE, CLOSE, UNSELECT, with CONDSTORE and QRESYNC (RFC 9051 section 6.3.2, RFC 7162)."""

from __future__ import annotations

import asyncio
from array import array
from dataclasses import dataclass

from maild.imap import names, sequences
from maild.imap.commands.naming import existing, read_name
from maild.imap.errors import BadCommand
from maild.imap.parser import Parser
from maild.imap.selected import Selected
from maild.imap.sequences import SequenceSet
from maild.imap.session import Command, Request, Session, State
from maild.store.records.mail import SEEN, Changes, Mailbox

BLOCK = 50_000
"""Flags looked at before other sessions get their turn: about 2 ms."""
_SYSTEM = "\\Answered \\Flagged \\Deleted \\Seen \\Draft"


@dataclass(frozen=True, slots=True)
class _Known:
    """What a QRESYNC client remembers of the mailbox."""

    uidvalidity: int
    modseq: int
    uids: SequenceSet | None


async def _select(session: Session, request: Request) -> bytes:
    return await _open(session, request, read_only=False)


async def _examine(session: Session, request: Request) -> bytes:
    return await _open(session, request, read_only=True)


async def _open(session: Session, request: Request, *, read_only: bool) -> bytes:
    arguments = request.arguments
    arguments.space()
    name = read_name(session, arguments)
    known = _parameters(session, arguments)
    arguments.end()
    if session.selected is not None:
        session.selected = None
        session.saved = ()
        session.send(b"* OK [CLOSED] The mailbox before is closed\r\n")
    mailbox = await existing(session, name)
    messages = session.services.store.messages
    view = await messages.view(mailbox.id)
    selected = Selected.of(mailbox, view, read_only=read_only)
    await session.read_keywords()
    await _describe(session, selected)
    if known is not None and known.uidvalidity == mailbox.uidvalidity and known.modseq < selected.modseq:
        _resynchronise(session, selected, known, await messages.changes(mailbox.id, known.modseq))
    session.selected = selected
    return b"[READ-ONLY] Opened to read" if read_only else b"[READ-WRITE] Opened"


def _parameters(session: Session, arguments: Parser) -> _Known | None:
    """The select parameters; QRESYNC has to be enabled before (RFC 7162 section 3.2.5)."""
    known: _Known | None = None
    if not arguments.take(b" ("):
        return None
    while not arguments.take(b")"):
        arguments.take(b" ")
        if arguments.take(b"CONDSTORE"):
            session.enabled.add(b"CONDSTORE")
        elif arguments.take(b"QRESYNC ("):
            if b"QRESYNC" not in session.enabled:
                raise BadCommand("QRESYNC has to be enabled first")
            known = _known(arguments)
        else:
            raise BadCommand("There is no such SELECT parameter")
    return known


def _known(arguments: Parser) -> _Known:
    uidvalidity = arguments.number()
    arguments.space()
    modseq = arguments.number()
    uids: SequenceSet | None = None
    if arguments.take(b" "):
        if not arguments.looking_at(b"("):
            uids = arguments.sequence_set()
        if uids is None or arguments.take(b" "):
            # Message numbers with their UIDs: a hint that is not needed, for expunged UIDs are kept.
            arguments.need(b"(")
            arguments.sequence_set()
            arguments.space()
            arguments.sequence_set()
            arguments.need(b")")
    arguments.need(b")")
    return _Known(uidvalidity, modseq, uids)


async def _describe(session: Session, selected: Selected) -> None:
    mailbox = selected.mailbox
    own = " ".join(name for name in session.keywords.bits if not name.startswith("\\"))
    flags = f"{_SYSTEM} {own}".strip().encode("ascii", "replace")
    permanent = b"" if selected.read_only else flags + b" \\*"
    session.send(
        b"* %d EXISTS\r\n" % selected.count,
        b"* FLAGS (%b)\r\n" % flags,
        b"* OK [PERMANENTFLAGS (%b)] Flags that are kept\r\n" % permanent,
        b"* OK [UIDVALIDITY %d] UIDs are valid\r\n" % mailbox.uidvalidity,
        # The view may be newer than the row: UIDNEXT is above every UID that it shows.
        b"* OK [UIDNEXT %d] The next UID\r\n" % max(mailbox.uidnext, selected.uids[-1] + 1 if selected.uids else 1),
        b"* OK [HIGHESTMODSEQ %d] The highest MODSEQ\r\n" % max(selected.modseq, 1),
        b"* OK [MAILBOXID (%b)] The id of the mailbox\r\n" % mailbox.object_id.encode(),
    )
    if b"IMAP4REV2" in session.enabled:
        session.send(b'* LIST () "/" %b\r\n' % names.encode(mailbox.name, utf8=True))
        return
    # \Recent is not kept.
    session.send(b"* 0 RECENT\r\n")
    first = await _first_unseen(mailbox, selected.flags)
    if first:
        session.send(b"* OK [UNSEEN %d] The first one not seen\r\n" % first)


async def _first_unseen(mailbox: Mailbox, flags: array[int]) -> int:
    if not mailbox.unseen:
        return 0
    for start in range(0, len(flags), BLOCK):
        for at, value in enumerate(flags[start : start + BLOCK], start + 1):
            if not value & SEEN:
                return at
        await asyncio.sleep(0)
    return 0


def _resynchronise(session: Session, selected: Selected, known: _Known, changes: Changes) -> None:
    """What has vanished and changed since the client was here last (RFC 7162 section 3.2.5.1)."""
    vanished = [uid for uid in sorted(changes.vanished) if known.uids is None or uid in known.uids]
    if vanished:
        session.send(b"* VANISHED (EARLIER) %b\r\n" % sequences.write(vanished))
    for message in changes.messages:
        at = selected.position(message.uid)
        if at is not None and (known.uids is None or message.uid in known.uids):
            session.send(
                b"* %d FETCH (UID %d FLAGS (%b) MODSEQ (%d))\r\n"
                % (at + 1, message.uid, session.flag_names(message.flags), message.modseq)
            )


async def _close(session: Session, request: Request) -> bytes:
    request.arguments.end()
    selected = session.open
    if not selected.read_only:
        await session.services.store.messages.expunge(selected.mailbox.id)
    session.selected = None
    session.saved = ()
    return b"Closed"


async def _unselect(session: Session, request: Request) -> bytes:
    request.arguments.end()
    session.selected = None
    session.saved = ()
    return b"Closed"


COMMANDS = {
    b"SELECT": Command(_select, State.AUTHENTICATED),
    b"EXAMINE": Command(_examine, State.AUTHENTICATED),
    b"CLOSE": Command(_close, State.SELECTED),
    b"UNSELECT": Command(_unselect, State.SELECTED),
}
