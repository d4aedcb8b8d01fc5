"""STATUS, and the same items for LIST-STATUS (RFC 9051 section 6.3.11, RFC 7162, RFC 8438, RFC 8474, RFC 9208)."""

from __future__ import annotations

from maild.imap import names
from maild.imap.commands.naming import existing, read_name
from maild.imap.errors import BadCommand
from maild.imap.parser import Parser
from maild.imap.session import Command, Request, Session, State
from maild.store.records.mail import DELETED, Mailbox

_ITEMS = frozenset(
    {
        b"MESSAGES", b"RECENT", b"UIDNEXT", b"UIDVALIDITY", b"UNSEEN", b"DELETED", b"SIZE", b"HIGHESTMODSEQ",
        b"MAILBOXID", b"APPENDLIMIT", b"DELETED-STORAGE",
    }
)  # fmt: skip
BLOCK = 1000
"""Rows read at once."""


def read_items(session: Session, arguments: Parser) -> list[bytes]:
    """The items in parentheses. Asking for HIGHESTMODSEQ enables CONDSTORE (RFC 7162 section 3.1)."""
    items = arguments.in_parentheses(arguments.word)
    for item in items:
        if item not in _ITEMS:
            raise BadCommand(f"There is no STATUS item {item.decode('ascii', 'replace')}")
    if b"HIGHESTMODSEQ" in items:
        session.enabled.add(b"CONDSTORE")
    return items


async def line(session: Session, mailbox: Mailbox, items: list[bytes]) -> bytes:
    """The STATUS line of a mailbox."""
    values = {
        b"MESSAGES": b"%d" % mailbox.messages,
        # \Recent is not kept.
        b"RECENT": b"0",
        b"UIDNEXT": b"%d" % mailbox.uidnext,
        b"UIDVALIDITY": b"%d" % mailbox.uidvalidity,
        b"UNSEEN": b"%d" % mailbox.unseen,
        b"DELETED": b"%d" % mailbox.deleted,
        b"SIZE": b"%d" % mailbox.size,
        b"HIGHESTMODSEQ": b"%d" % mailbox.highestmodseq,
        b"MAILBOXID": b"(%b)" % mailbox.object_id.encode(),
        b"APPENDLIMIT": b"%d" % session.services.limits.message_bytes,
    }
    if b"DELETED-STORAGE" in items:
        values[b"DELETED-STORAGE"] = b"%d" % await _deleted_octets(session, mailbox)
    shown = b" ".join(b"%b %b" % (item, values[item]) for item in items)
    return b"* STATUS %b (%b)\r\n" % (names.encode(mailbox.name, utf8=session.utf8), shown)


async def _deleted_octets(session: Session, mailbox: Mailbox) -> int:
    if not mailbox.deleted:
        return 0
    messages = session.services.store.messages
    view = await messages.view(mailbox.id)
    uids = [uid for uid, flags in zip(view.uids, view.flags, strict=True) if flags & DELETED]
    total = 0
    for start in range(0, len(uids), BLOCK):
        total += sum(message.size for message in await messages.get(mailbox.id, uids[start : start + BLOCK]))
    return total


async def _status(session: Session, request: Request) -> bytes:
    arguments = request.arguments
    arguments.space()
    name = read_name(session, arguments)
    arguments.space()
    items = read_items(session, arguments)
    arguments.end()
    session.send(await line(session, await existing(session, name), items))
    return b"That is all"


COMMANDS = {b"STATUS": Command(_status, State.AUTHENTICATED)}
