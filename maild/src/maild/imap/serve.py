"""Runs IMAP sessions: greets, reads commands, runs each by the command table, and turns what went wrong into answers.

Whatever fails in a command becomes its tagged answer here, in one place; whatever else fails ends this one session.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from maild.imap import framing
from maild.imap.capabilities import greeting
from maild.imap.errors import BadCommand, Goodbye, Refused
from maild.imap.parser import Parser
from maild.imap.reader import Reader, log_line
from maild.imap.session import Request, Services, Session
from maild.net import BareLineEnd, LineTooLong, Stream, StreamStopped, StreamTimeout
from maild.settings import Listener
from maild.store import errors as store_errors

MAX_BAD_COMMANDS = 10
"""Commands in a row that are no IMAP before the session ends: a browser or a scanner, not a mail client."""


def handler(services: Services, listener: Listener) -> Callable[[Stream], Awaitable[None]]:
    """What a ``Stream`` runs for each connection of a listener."""

    async def run(stream: Stream) -> None:
        session = Session(stream, services, listener)
        session.send(greeting(session))
        try:
            await _serve(session)
        except StreamTimeout:
            session.send(b"* BYE Nothing was heard for too long\r\n")
        except StreamStopped:
            session.send(b"* BYE The server is going down\r\n")
        except Goodbye as goodbye:
            if str(goodbye):
                session.send(b"* BYE %b\r\n" % str(goodbye).encode())
        session.flush()

    return run


async def _serve(session: Session) -> None:
    limits = session.services.limits
    while session.bad_commands < MAX_BAD_COMMANDS:
        await _one(session, limits.imap_login_seconds if session.account is None else limits.imap_idle_seconds)
    raise Goodbye("That is not IMAP")


async def _one(session: Session, seconds: float) -> None:
    """Reads and answers one command."""
    reader = Reader(session, seconds)
    try:
        try:
            await reader.read()
            request = _request(reader)
            answer = await _run(session, request)
            session.bad_commands = 0
        except (LineTooLong, BareLineEnd):
            raise Goodbye("A line is too long or does not end with CRLF") from None
        except (BadCommand, Refused, store_errors.StoreError) as error:
            if isinstance(error, BadCommand):
                session.bad_commands += 1
            answer = _failed(session, error)
        if answer:
            session.send(b"%b %b\r\n" % (reader.tag, answer))
        log_line(session, session.stream.connection.log.sent, b"%b %b" % (reader.tag, answer))
    finally:
        for literal in reader.literals:
            if literal.body is not None:
                await literal.body.abandon()


async def _run(session: Session, request: Request) -> bytes:
    command = session.services.commands.get(request.name)
    if command is None:
        raise BadCommand(f"There is no command {request.name.decode('ascii', 'replace')[:40]}")
    if session.state < command.state:
        raise BadCommand("Please log in first" if session.account is None else "No mailbox is selected")
    if command.only_strangers and session.account is not None:
        raise BadCommand("You are logged in already")
    text = await command.run(session, request)
    if not text:
        return b""
    await session.sync(expunge=request.by_uid or not command.uses_numbers)
    return b"OK " + text


def _request(reader: Reader) -> Request:
    arguments = Parser(reader.texts, reader.literals)
    reader.tag = b"*"
    tag = arguments.tag()
    reader.tag = tag
    arguments.space()
    name = arguments.word()
    by_uid = name == b"UID"
    if by_uid:
        arguments.space()
        name = b"UID " + arguments.word()
    return Request(tag, name, arguments, tuple(reader.literals), by_uid)


def _failed(session: Session, error: BadCommand | Refused | store_errors.StoreError) -> bytes:
    if isinstance(error, store_errors.StoreError):
        connection = session.stream.connection
        cause = f"{type(error).__name__}: {error.cause}"
        connection.log.debug(cause, session=connection.id, address=connection.peer.text)
        code = next(code for kind, code in _STORE_CODES if isinstance(error, kind))
        return b"NO [%b] %b" % (code, error.public.encode())
    word = b"BAD" if isinstance(error, BadCommand) else b"NO"
    code = b"[%b] " % error.code if error.code else b""
    return b"%b %b%b" % (word, code, str(error).encode("utf-8", "replace"))


_STORE_CODES: tuple[tuple[type[store_errors.StoreError], bytes], ...] = (
    (store_errors.StoreUnavailable, b"UNAVAILABLE"),
    (store_errors.OverQuota, b"OVERQUOTA"),
    (store_errors.MailboxGone, b"NONEXISTENT"),
    (store_errors.NotFound, b"NONEXISTENT"),
    (store_errors.AlreadyExists, b"ALREADYEXISTS"),
    (store_errors.InUse, b"CANNOT"),
    (store_errors.KeywordLimit, b"LIMIT"),
    (store_errors.Corrupt, b"CORRUPTION"),
    (store_errors.StoreError, b"CANNOT"),
)


def session(services: Callable[[], Services], listener: Listener) -> Stream:
    """A session for a new connection, with the services of this moment."""
    return Stream(handler(services(), listener), framing.MAX_LINE)
