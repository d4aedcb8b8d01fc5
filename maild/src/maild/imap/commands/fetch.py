"""FETCH and UID FETCH: chooses messages, marks them seen, and writes their items in batches (RFC 9051 section 6.4.5).

UID and FLAGS come from what the session knows; everything else is read from the store a batch at a time, and each batch
waits for the client, so memory stays bounded however much is asked for.
"""

from __future__ import annotations

from dataclasses import dataclass

from maild.imap import attributes
from maild.imap.attributes import Attribute
from maild.imap.commands.items import Items
from maild.imap.errors import BadCommand, Refused
from maild.imap.parser import Parser
from maild.imap.selected import Positions, Selected
from maild.imap.sequences import SequenceSet, write
from maild.imap.session import Command, Request, Session, State
from maild.store.records.mail import SEEN, FlagAction

BATCH = 100
"""Messages whose rows and structures are read at once."""
KNOWN_BATCH = 2000
"""Messages written at once when nothing has to be read."""
_KNOWN = frozenset({b"UID", b"FLAGS"})


@dataclass(frozen=True, slots=True)
class _Modifiers:
    """What may follow the items (RFC 7162 section 3.1.4.1, RFC 9394)."""

    changed_since: int | None = None
    vanished: bool = False
    partial: tuple[int, int] | None = None


async def _fetch(session: Session, request: Request) -> bytes:
    arguments = request.arguments
    arguments.space()
    numbers = arguments.sequence_set()
    arguments.space()
    wanted = attributes.parse(arguments)
    modifiers = _modifiers(session, arguments, by_uid=request.by_uid)
    arguments.end()
    selected = session.open
    if request.by_uid and all(each.name != b"UID" for each in wanted):
        wanted.insert(0, Attribute(b"UID"))
    if b"MODSEQ" in {each.name for each in wanted} or modifiers.changed_since is not None:
        session.enabled.add(b"CONDSTORE")
    chosen = session.chosen(numbers, uids=request.by_uid)
    if modifiers.changed_since is not None:
        if all(each.name != b"MODSEQ" for each in wanted):
            wanted.append(Attribute(b"MODSEQ"))
        chosen = await _changed(session, selected, chosen, modifiers, numbers)
    if modifiers.partial is not None:
        chosen = _partial(chosen, modifiers.partial)
    missing = await _write(session, selected, chosen, wanted)
    if missing:
        raise Refused("Some of the messages are gone", b"EXPUNGEISSUED")
    return b"That is all"


def _modifiers(session: Session, arguments: Parser, *, by_uid: bool) -> _Modifiers:
    changed_since: int | None = None
    vanished = False
    partial: tuple[int, int] | None = None
    if arguments.take(b" ("):
        while not arguments.take(b")"):
            arguments.take(b" ")
            if arguments.take(b"CHANGEDSINCE "):
                changed_since = arguments.number()
            elif arguments.take(b"VANISHED"):
                vanished = True
            elif by_uid and arguments.take(b"PARTIAL "):
                partial = arguments.partial_range()
            else:
                raise BadCommand("There is no such FETCH modifier")
    if vanished and (changed_since is None or not by_uid or b"QRESYNC" not in session.enabled):
        raise BadCommand("VANISHED needs UID FETCH, CHANGEDSINCE and QRESYNC")
    return _Modifiers(changed_since, vanished, partial)


async def _changed(
    session: Session, selected: Selected, chosen: Positions, modifiers: _Modifiers, numbers: SequenceSet
) -> Positions:
    """Those that have changed since; with VANISHED also told: those that are gone."""
    since = modifiers.changed_since or 0
    changes = await session.services.store.messages.changes(selected.mailbox.id, since)
    if modifiers.vanished:
        gone = [uid for uid in sorted(changes.vanished) if uid in numbers]
        if gone:
            session.send(b"* VANISHED (EARLIER) %b\r\n" % write(gone))
    changed = {message.uid for message in changes.messages}
    return [at for at in chosen if selected.uids[at] in changed]


def _partial(chosen: Positions, partial: tuple[int, int]) -> Positions:
    """The first to the last of the result, counted from its end when negative (RFC 9394 section 3.1)."""
    first, last = sorted(partial, key=abs)
    if first > 0:
        return chosen[first - 1 : last]
    return chosen[max(len(chosen) + last, 0) : len(chosen) + first + 1]


async def _write(session: Session, selected: Selected, chosen: Positions, wanted: list[Attribute]) -> bool:
    """Writes the answers; whether some message was gone."""
    names = {each.name for each in wanted}
    marks_seen = any(each.seen for each in wanted) and not selected.read_only
    if names <= _KNOWN:
        await _write_known(session, selected, chosen, wanted)
        return False
    missing = False
    for start in range(0, len(chosen), BATCH):
        batch = chosen[start : start + BATCH]
        marked = await _mark_seen(session, selected, batch) if marks_seen else frozenset()
        missing = await Items(session, selected, wanted, marked).write(batch) or missing
        await session.drain()
    return missing


async def _write_known(session: Session, selected: Selected, chosen: Positions, wanted: list[Attribute]) -> None:
    texts: dict[int, bytes] = {}
    order = [each.name for each in wanted]
    for start in range(0, len(chosen), KNOWN_BATCH):
        lines: list[bytes] = []
        for at in chosen[start : start + KNOWN_BATCH]:
            flags = selected.flags[at]
            if flags not in texts:
                await session.know_keywords(flags)
                texts[flags] = session.flag_names(flags)
            items = [
                b"UID %d" % selected.uids[at] if name == b"UID" else b"FLAGS (%b)" % texts[flags] for name in order
            ]
            lines.append(b"* %d FETCH (%b)\r\n" % (at + 1, b" ".join(items)))
        session.send(b"".join(lines))
        await session.drain()


async def _mark_seen(session: Session, selected: Selected, batch: Positions) -> frozenset[int]:
    r"""Sets \Seen where it is not; returns the UIDs whose flags have changed by it."""
    unseen = [selected.uids[at] for at in batch if not selected.flags[at] & SEEN]
    if not unseen:
        return frozenset()
    stored = await session.services.store.messages.store_flags(selected.mailbox.id, unseen, FlagAction.ADD, ("\\Seen",))
    for uid, flags, modseq in stored.changed:
        selected.tell(uid, flags, modseq)
    return frozenset(uid for uid, _, _ in stored.changed)


COMMANDS = {
    b"FETCH": Command(_fetch, State.SELECTED, uses_numbers=True),
    b"UID FETCH": Command(_fetch, State.SELECTED),
}
