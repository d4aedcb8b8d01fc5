"""STORE and UID STORE, with UNCHANGEDSINCE (RFC 9051 section 6.4.6, RFC 7162 section 3.1.3)."""

from __future__ import annotations

from maild.imap.errors import BadCommand, Refused
from maild.imap.parser import Parser
from maild.imap.selected import Positions, Selected
from maild.imap.sequences import write
from maild.imap.session import Command, Request, Session, State
from maild.store.records.mail import FlagAction

_ACTIONS = {b"": FlagAction.REPLACE, b"+": FlagAction.ADD, b"-": FlagAction.REMOVE}


async def _store(session: Session, request: Request) -> bytes:
    arguments = request.arguments
    arguments.space()
    numbers = arguments.sequence_set()
    arguments.space()
    unchanged_since: int | None = None
    if arguments.take(b"(UNCHANGEDSINCE "):
        unchanged_since = arguments.number()
        arguments.need(b")")
        arguments.space()
        session.enabled.add(b"CONDSTORE")
    action = next(action for sign, action in reversed(_ACTIONS.items()) if arguments.take(sign))
    arguments.need(b"FLAGS")
    silent = arguments.take(b".SILENT")
    arguments.space()
    flags = read_flags(arguments)
    arguments.end()
    selected = session.open
    if selected.read_only:
        raise Refused("The mailbox is opened to read", b"READ-ONLY")
    chosen = session.chosen(numbers, uids=request.by_uid)
    stored = await session.services.store.messages.store_flags(
        selected.mailbox.id,
        [selected.uids[at] for at in chosen],
        action,
        flags,
        unchanged_since=unchanged_since,
    )
    if session.keywords.unknown(flags):
        await session.read_keywords()
    changed = {uid: (value, modseq) for uid, value, modseq in stored.changed}
    _answer(session, selected, chosen, changed, frozenset(stored.modified), silent=silent, by_uid=request.by_uid)
    if stored.modified:
        return b"[MODIFIED %b] Some were changed meanwhile" % _numbers(selected, stored.modified, by_uid=request.by_uid)
    return b"Stored"


def read_flags(arguments: Parser) -> list[str]:
    """Flags in parentheses, or one or more without."""
    if arguments.take(b"()"):
        return []
    if arguments.looking_at(b"("):
        return arguments.in_parentheses(arguments.flag)
    found = [arguments.flag()]
    while arguments.take(b" "):
        found.append(arguments.flag())
    return found


def _answer(
    session: Session,
    selected: Selected,
    chosen: Positions,
    changed: dict[int, tuple[int, int]],
    modified: frozenset[int],
    *,
    silent: bool,
    by_uid: bool,
) -> None:
    with_modseq = b"CONDSTORE" in session.enabled
    for at in chosen:
        uid = selected.uids[at]
        if uid in modified or uid in selected.gone:
            continue
        value, modseq = changed.get(uid, (selected.flags[at], 0))
        if uid in changed:
            selected.tell(uid, value, modseq)
        items = [b"UID %d" % uid] if by_uid or session.enabled else []
        if not silent:
            items.append(b"FLAGS (%b)" % session.flag_names(value))
        if with_modseq and modseq:
            items.append(b"MODSEQ (%d)" % modseq)
        if not silent or (with_modseq and modseq):
            session.send(b"* %d FETCH (%b)\r\n" % (at + 1, b" ".join(items)))


def _numbers(selected: Selected, uids: tuple[int, ...], *, by_uid: bool) -> bytes:
    if by_uid:
        return write(sorted(uids))
    positions = (selected.position(uid) for uid in sorted(uids))
    shown = write(at + 1 for at in positions if at is not None)
    if not shown:
        raise BadCommand("The messages are gone")
    return shown


COMMANDS = {
    b"STORE": Command(_store, State.SELECTED, uses_numbers=True),
    b"UID STORE": Command(_store, State.SELECTED),
}
