"""CREATE, DELETE, RENAME, SUBSCRIBE, UNSUBSCRIBE: names of mailboxes (RFC 9051 section 6.3, RFC 6154)."""

from __future__ import annotations

from maild.imap import names
from maild.imap.errors import BadCommand, Refused
from maild.imap.parser import Parser
from maild.imap.session import Command, Request, Session, State
from maild.store.records.mail import Mailbox

_USES = {use.upper().encode(): use for use in ("\\Archive", "\\Drafts", "\\Junk", "\\Sent", "\\Trash")}


def read_name(session: Session, arguments: Parser) -> str:
    """A mailbox name as argument."""
    return names.decode(arguments.astring(), utf8=session.utf8)


async def existing(session: Session, name: str, code: bytes = b"NONEXISTENT") -> Mailbox:
    """The mailbox of that name; refused with this code when there is none."""
    found = await session.services.store.mailboxes.named(session.user.id, name)
    if found is None:
        raise Refused("There is no such mailbox", code)
    return found


async def _create(session: Session, request: Request) -> bytes:
    arguments = request.arguments
    arguments.space()
    name = read_name(session, arguments)
    use = ""
    if arguments.take(b" (USE "):
        uses = arguments.in_parentheses(arguments.word_or_flag)
        arguments.need(b")")
        if len(uses) != 1 or uses[0] not in _USES:
            raise Refused("A mailbox has one use, and one that is known", b"USEATTR")
        use = _USES[uses[0]]
    arguments.end()
    mailboxes = session.services.store.mailboxes
    if use and await mailboxes.with_use(session.user.id, use) is not None:
        raise Refused("Another mailbox has this use", b"USEATTR")
    made = await mailboxes.create(session.user.id, names.check(name), special_use=use)
    return b"[MAILBOXID (%b)] Created" % made.object_id.encode()


async def _delete(session: Session, request: Request) -> bytes:
    request.arguments.space()
    name = read_name(session, request.arguments)
    request.arguments.end()
    if name == "INBOX":
        raise Refused("INBOX stays", b"CANNOT")
    mailbox = await existing(session, name)
    if session.selected is not None and session.selected.mailbox.id == mailbox.id:
        session.selected = None
        session.send(b"* OK [CLOSED] The selected mailbox is deleted\r\n")
    await session.services.store.mailboxes.delete(session.user.id, name)
    return b"Deleted"


async def _rename(session: Session, request: Request) -> bytes:
    request.arguments.space()
    old = read_name(session, request.arguments)
    request.arguments.space()
    new = names.check(read_name(session, request.arguments))
    request.arguments.end()
    await existing(session, old)
    if new.startswith(old + names.DELIMITER):
        raise Refused("A mailbox cannot be moved into itself", b"CANNOT")
    await session.services.store.mailboxes.rename(session.user.id, old, new)
    return b"Renamed"


async def _subscribe(session: Session, request: Request) -> bytes:
    return await _subscription(session, request, on=True)


async def _unsubscribe(session: Session, request: Request) -> bytes:
    return await _subscription(session, request, on=False)


async def _subscription(session: Session, request: Request, *, on: bool) -> bytes:
    request.arguments.space()
    name = read_name(session, request.arguments)
    request.arguments.end()
    if not name:
        raise BadCommand("The mailbox name is empty")
    await session.services.store.mailboxes.subscribe(session.user.id, names.check(name), on=on)
    return b"Subscribed" if on else b"No longer subscribed"


COMMANDS = {
    b"CREATE": Command(_create, State.AUTHENTICATED),
    b"DELETE": Command(_delete, State.AUTHENTICATED),
    b"RENAME": Command(_rename, State.AUTHENTICATED),
    b"SUBSCRIBE": Command(_subscribe, State.AUTHENTICATED),
    b"UNSUBSCRIBE": Command(_unsubscribe, State.AUTHENTICATED),
}
