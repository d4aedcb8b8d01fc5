"""MYRIGHTS, GETACL, LISTRIGHTS (RFC 4314): a mailbox is its owner's, with every right and nobody else in its list.

SETACL and DELETEACL are refused: sharing mailboxes is the administrator's.
"""

from __future__ import annotations

from maild.imap import names
from maild.imap.commands.naming import existing, read_name
from maild.imap.errors import Refused
from maild.imap.session import Command, Request, Session, State
from maild.mail.syntax import quote
from maild.store.records.mail import Mailbox

OWNER = b"lrswipkxtea"
"""Every right of RFC 4314 section 2.1."""


def line(session: Session, mailbox: Mailbox) -> bytes:
    """The MYRIGHTS line of a mailbox."""
    return b"* MYRIGHTS %b %b\r\n" % (names.encode(mailbox.name, utf8=session.utf8), OWNER)


async def _myrights(session: Session, request: Request) -> bytes:
    request.arguments.space()
    name = read_name(session, request.arguments)
    request.arguments.end()
    session.send(line(session, await existing(session, name)))
    return b"That is all"


async def _getacl(session: Session, request: Request) -> bytes:
    request.arguments.space()
    name = read_name(session, request.arguments)
    request.arguments.end()
    mailbox = await existing(session, name)
    shown = names.encode(mailbox.name, utf8=session.utf8)
    session.send(b"* ACL %b %b %b\r\n" % (shown, quote(session.user.address.encode()), OWNER))
    return b"That is all"


async def _listrights(session: Session, request: Request) -> bytes:
    request.arguments.space()
    name = read_name(session, request.arguments)
    request.arguments.space()
    identifier = request.arguments.astring()
    request.arguments.end()
    mailbox = await existing(session, name)
    shown = names.encode(mailbox.name, utf8=session.utf8)
    # The owner always has all rights; nobody else can be given any.
    rights = OWNER if identifier.lower() == session.user.address.lower().encode() else b'""'
    session.send(b"* LISTRIGHTS %b %b %b\r\n" % (shown, quote(identifier), rights))
    return b"That is all"


async def _setacl(session: Session, request: Request) -> bytes:
    request.arguments.space()
    await existing(session, read_name(session, request.arguments))
    raise Refused("Sharing mailboxes is the administrator's", b"NOPERM")


COMMANDS = {
    b"MYRIGHTS": Command(_myrights, State.AUTHENTICATED),
    b"GETACL": Command(_getacl, State.AUTHENTICATED),
    b"LISTRIGHTS": Command(_listrights, State.AUTHENTICATED),
    b"SETACL": Command(_setacl, State.AUTHENTICATED),
    b"DELETEACL": Command(_setacl, State.AUTHENTICATED),
}
