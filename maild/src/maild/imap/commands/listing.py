"""LIST, LSUB, NAMESPACE: which mailboxes there are (RFC 9051 section 6.3.9, RFC 5258, RFC 5819, RFC 8440).

A mailbox that was deleted while it had children, and one that is only subscribed, is shown as ``\\NonExistent``.
"""

from __future__ import annotations

import itertools
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from maild.imap import names
from maild.imap.commands import rights, status
from maild.imap.errors import BadCommand
from maild.imap.parser import Parser
from maild.imap.session import Command, Request, Session, State
from maild.store.records.mail import Mailbox

MAX_PATTERNS = 100
"""Patterns of one LIST."""
_SELECTION = frozenset({b"SUBSCRIBED", b"REMOTE", b"RECURSIVEMATCH", b"SPECIAL-USE"})
_RETURN = frozenset({b"SUBSCRIBED", b"CHILDREN", b"SPECIAL-USE", b"MYRIGHTS"})


@dataclass(frozen=True, slots=True)
class _Asked:
    """A LIST command: where, what, which, and what with it."""

    reference: str
    patterns: tuple[str, ...]
    selection: frozenset[bytes] = frozenset()
    returned: frozenset[bytes] = frozenset()
    items: tuple[bytes, ...] = ()


@dataclass(frozen=True, slots=True)
class _Tree:
    """Everything that has a name in an account."""

    mailboxes: Mapping[str, Mailbox]
    subscribed: frozenset[str]
    names: Sequence[str]
    """Mailboxes, subscriptions, and the levels above them, sorted."""

    def children(self, name: str) -> list[str]:
        """Everything below a name."""
        prefix = name + names.DELIMITER
        start = bisect_left(self.names, prefix)
        return list(itertools.takewhile(lambda other: other.startswith(prefix), self.names[start:]))

    def has_mailbox_below(self, name: str) -> bool:
        """Whether a mailbox, and not only a subscription, is below a name."""
        return any(child in self.mailboxes for child in self.children(name))


async def _tree(session: Session) -> _Tree:
    store, account = session.services.store, session.user
    mailboxes = {mailbox.name: mailbox for mailbox in await store.mailboxes.of(account.id)}
    subscribed = frozenset(await store.mailboxes.subscriptions(account.id))
    found = set(mailboxes) | subscribed
    for name in list(found):
        levels = name.split(names.DELIMITER)
        found.update(names.DELIMITER.join(levels[:depth]) for depth in range(1, len(levels)))
    return _Tree(mailboxes, subscribed, sorted(found))


async def _list(session: Session, request: Request) -> bytes:
    arguments = request.arguments
    arguments.space()
    asked = _read(session, arguments)
    arguments.end()
    if asked.patterns == ("",):
        session.send(b'* LIST (\\Noselect) "/" ""\r\n')
        return b"That is all"
    tree = await _tree(session)
    matches = [names.matcher(asked.reference + pattern) for pattern in asked.patterns]
    for name in tree.names:
        if any(match(name) for match in matches):
            session.send(_line(session, tree, name, asked))
            mailbox = tree.mailboxes.get(name) if _is_selected(tree, name, asked) else None
            if mailbox is not None and b"MYRIGHTS" in asked.returned:
                session.send(rights.line(session, mailbox))
            if mailbox is not None and asked.items:
                session.send(await status.line(session, mailbox, list(asked.items)))
    return b"That is all"


def _read(session: Session, arguments: Parser) -> _Asked:
    selection: frozenset[bytes] = frozenset()
    if arguments.looking_at(b"("):
        selection = _options(arguments, _SELECTION)
        arguments.space()
    reference = names.decode(arguments.astring(), utf8=session.utf8)
    arguments.space()
    raw = arguments.in_parentheses(arguments.list_mailbox) if arguments.looking_at(b"(") else [arguments.list_mailbox()]
    if len(raw) > MAX_PATTERNS:
        raise BadCommand("There are too many patterns")
    patterns = tuple(names.decode(pattern, utf8=session.utf8) for pattern in raw)
    returned: list[bytes] = []
    items: list[bytes] = []
    if arguments.take(b" RETURN ("):
        while not arguments.take(b")"):
            if returned:
                arguments.space()
            returned.append(arguments.word())
            if returned[-1] == b"STATUS":
                arguments.space()
                items = status.read_items(session, arguments)
            elif returned[-1] not in _RETURN:
                raise BadCommand("There is no such RETURN option")
    return _Asked(reference, patterns, selection, frozenset(returned), tuple(items))


def _options(arguments: Parser, known: frozenset[bytes]) -> frozenset[bytes]:
    if arguments.take(b"()"):
        return frozenset()
    found = frozenset(arguments.in_parentheses(arguments.word))
    if not found <= known:
        raise BadCommand("There is no such LIST option")
    if b"RECURSIVEMATCH" in found and not found & {b"SUBSCRIBED", b"SPECIAL-USE"}:
        # RFC 5258 section 3.1: it modifies other options.
        raise BadCommand("RECURSIVEMATCH stands beside another option")
    return found


def _is_selected(tree: _Tree, name: str, asked: _Asked) -> bool:
    """Whether a name passes the selection options, its children aside."""
    mailbox = tree.mailboxes.get(name)
    if b"SUBSCRIBED" in asked.selection and name not in tree.subscribed:
        return False
    if b"SPECIAL-USE" in asked.selection and (mailbox is None or not mailbox.special_use):
        return False
    return b"SUBSCRIBED" in asked.selection or mailbox is not None or tree.has_mailbox_below(name)


def _line(session: Session, tree: _Tree, name: str, asked: _Asked) -> bytes:
    mailbox = tree.mailboxes.get(name)
    children = tree.children(name)
    below = b""
    if b"RECURSIVEMATCH" in asked.selection and any(_is_selected(tree, child, asked) for child in children):
        kind = b"SUBSCRIBED" if b"SUBSCRIBED" in asked.selection else b"SPECIAL-USE"
        below = b' ("CHILDINFO" ("%b"))' % kind
    if not below and not _is_selected(tree, name, asked):
        return b""
    attributes = [b"\\HasChildren" if tree.has_mailbox_below(name) else b"\\HasNoChildren"]
    if mailbox is None:
        # Clients older than RFC 5258 know the second word.
        attributes[:0] = [b"\\NonExistent", b"\\Noselect"]
    if {b"SUBSCRIBED"} & (asked.selection | asked.returned) and name in tree.subscribed:
        attributes.append(b"\\Subscribed")
    if mailbox is not None and mailbox.special_use:
        attributes.append(mailbox.special_use.encode())
    shown = names.encode(name, utf8=session.utf8)
    return b'* LIST (%b) "/" %b%b\r\n' % (b" ".join(attributes), shown, below)


async def _lsub(session: Session, request: Request) -> bytes:
    arguments = request.arguments
    arguments.space()
    reference = names.decode(arguments.astring(), utf8=session.utf8)
    arguments.space()
    pattern = names.decode(arguments.list_mailbox(), utf8=session.utf8)
    arguments.end()
    tree = await _tree(session)
    match = names.matcher(reference + pattern)
    for name in tree.names:
        if not match(name):
            continue
        shown = names.encode(name, utf8=session.utf8)
        if name in tree.subscribed:
            session.send(b'* LSUB () "/" %b\r\n' % shown)
        elif pattern.endswith("%") and any(child in tree.subscribed for child in tree.children(name)):
            # RFC 3501 section 6.3.9: a level above subscribed ones.
            session.send(b'* LSUB (\\Noselect) "/" %b\r\n' % shown)
    return b"That is all"


async def _namespace(session: Session, request: Request) -> bytes:
    request.arguments.end()
    session.send(b'* NAMESPACE (("" "/")) NIL NIL\r\n')
    return b"That is all"


COMMANDS = {
    b"LIST": Command(_list, State.AUTHENTICATED),
    b"LSUB": Command(_lsub, State.AUTHENTICATED),
    b"NAMESPACE": Command(_namespace, State.AUTHENTICATED),
}
