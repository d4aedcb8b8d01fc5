"""Commands of every state: CAPABILITY, NOOP, LOGOUT, ID, ENABLE."""

from __future__ import annotations

from maild.imap.capabilities import capabilities
from maild.imap.errors import BadCommand, Goodbye
from maild.imap.session import Command, Request, Session, State

_CAN_BE_ENABLED = frozenset({b"CONDSTORE", b"QRESYNC", b"UTF8=ACCEPT", b"IMAP4REV2"})
MAX_ID_PAIRS = 30
"""Pairs of an ID command (RFC 2971 section 3.3)."""


async def _capability(session: Session, request: Request) -> bytes:
    request.arguments.end()
    session.send(b"* CAPABILITY %b\r\n" % capabilities(session))
    return b"That is all"


async def _noop(session: Session, request: Request) -> bytes:  # noqa: ARG001 - news follow every command
    request.arguments.end()
    return b"Done"


async def _logout(session: Session, request: Request) -> bytes:
    request.arguments.end()
    session.send(b"* BYE Until next time\r\n%b OK Logged out\r\n" % request.tag)
    raise Goodbye("")


async def _id(session: Session, request: Request) -> bytes:
    arguments = request.arguments
    arguments.space()
    if not arguments.take(b"NIL"):
        arguments.need(b"(")
        pairs: list[tuple[bytes, bytes | None]] = []
        while not arguments.take(b")"):
            if pairs:
                arguments.space()
            name = arguments.string()
            arguments.space()
            pairs.append((name, arguments.nstring()))
            if len(pairs) > MAX_ID_PAIRS:
                raise BadCommand("ID takes at most 30 fields")
        connection = session.stream.connection
        said = "client: " + ", ".join(f"{_text(name)}={_text(value or b'')}" for name, value in pairs)[:500]
        connection.log.debug(said, session=connection.id, address=connection.peer.text)
    arguments.end()
    session.send(b'* ID ("name" "maild")\r\n')
    return b"Pleased to meet you"


async def _enable(session: Session, request: Request) -> bytes:
    arguments = request.arguments
    enabled = []
    while arguments.take(b" "):
        name = arguments.word()
        if name in _CAN_BE_ENABLED and name not in session.enabled:
            enabled.append(name)
            session.enabled.add(name)
        if name == b"QRESYNC":
            # RFC 7162 section 3.2.3.
            session.enabled.add(b"CONDSTORE")
    arguments.end()
    session.send(b"* ENABLED%b\r\n" % b"".join(b" " + _spelled(name) for name in enabled))
    return b"Enabled"


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")


def _spelled(name: bytes) -> bytes:
    return b"IMAP4rev2" if name == b"IMAP4REV2" else name


COMMANDS = {
    b"CAPABILITY": Command(_capability, State.STRANGER),
    b"NOOP": Command(_noop, State.STRANGER),
    b"CHECK": Command(_noop, State.SELECTED),
    b"LOGOUT": Command(_logout, State.STRANGER),
    b"ID": Command(_id, State.STRANGER),
    b"ENABLE": Command(_enable, State.AUTHENTICATED),
}
