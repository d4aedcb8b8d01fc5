"""The commands of POP3 (RFC 1939, RFC 2449, RFC 2595, RFC 5034, RFC 6856) and their table."""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Mapping

from maild.policy import Answer, Outcome, SCRAMError, sasl
from maild.pop3.maildrop import Maildrop, stuffed, top
from maild.pop3.session import Command, Failed, Goodbye, Session
from maild.store.errors import StoreError
from maild.store.records.mail import Message

MAX_NUMBER = 1 << 31


async def _capa(session: Session, argument: bytes) -> None:
    _no(argument)
    names = ["TOP", "UIDL", "RESP-CODES", "AUTH-RESP-CODE", "PIPELINING", "EXPIRE NEVER", "UTF8 USER"]
    if session.drop is None and session.secure:
        names += ["USER", f"SASL {' '.join(session.services.login.mechanisms)}"]
    if session.drop is None and not session.secure:
        names.append("STLS")
    session.lines("Capability list follows", [*names, "IMPLEMENTATION maild"])


async def _stls(session: Session, argument: bytes) -> None:
    _no(argument)
    if session.stream.connection.tls is not None:
        raise Failed("TLS is on already")
    if session.listener.tls not in {"starttls", "starttls-required"}:
        raise Failed("TLS is not offered here")
    session.answer("Begin TLS")
    session.user = None
    await session.stream.start_tls()


async def _utf8(session: Session, argument: bytes) -> None:
    """Messages and answers are UTF-8 wherever they are not ASCII; nothing changes by being asked."""
    _no(argument)
    session.answer("UTF-8 it is")


async def _user(session: Session, argument: bytes) -> None:
    _must_be_secure(session)
    if not argument:
        raise Failed("USER takes a name")
    session.user = argument
    session.answer("And the password?")


async def _pass(session: Session, argument: bytes) -> None:
    _must_be_secure(session)
    if session.user is None:
        raise Failed("USER comes first")
    user, session.user = session.user, None
    try:
        await _log_in(session, sasl.text(user), sasl.text(argument))
    except sasl.SASLError:
        raise Failed("Wrong user name or password", "AUTH") from None


async def _auth(session: Session, argument: bytes) -> None:
    name, _, initial = argument.partition(b" ")
    mechanism = name.decode("ascii", "replace").upper()
    if mechanism not in session.services.login.mechanisms:
        raise Failed("This mechanism is not offered")
    _must_be_secure(session)
    message = _decoded(initial) if initial else await _asked(session, b"")
    await (_plain(session, message) if mechanism == "PLAIN" else _scram(session, message))


async def _plain(session: Session, message: bytes) -> None:
    try:
        claim = sasl.plain(message)
    except sasl.SASLError as error:
        raise Failed(str(error)) from None
    await _log_in(session, claim.user, claim.password)


async def _scram(session: Session, message: bytes) -> None:
    connection = session.stream.connection

    async def ask(challenge: bytes) -> bytes:
        return await _asked(session, challenge)

    try:
        answer = await session.services.login.exchange(message, ask, connection.peer, "pop3", connection.id)
    except SCRAMError as error:
        raise Failed(f"SCRAM: {error}") from None
    await _answered(session, answer)


async def _asked(session: Session, challenge: bytes) -> bytes:
    session.stream.later(b"+ %b\r\n" % base64.b64encode(challenge))
    line = await session.stream.line(session.services.limits.pop3_idle_seconds)
    if line == b"*":
        raise Failed("Cancelled")
    return _decoded(line)


def _decoded(text: bytes) -> bytes:
    try:
        return sasl.decoded(text)
    except sasl.SASLError as error:
        raise Failed(str(error)) from None


def _must_be_secure(session: Session) -> None:
    if not session.secure:
        raise Failed("Please use STLS first", "SYS/PERM")


async def _log_in(session: Session, user: str, password: str) -> None:
    connection = session.stream.connection
    await _answered(session, await session.services.login.check(user, password, connection.peer, "pop3", connection.id))


async def _answered(session: Session, answer: Answer) -> None:
    if answer.outcome is Outcome.LATER:
        raise Failed("Logging in is not possible at the moment, please try again", "SYS/TEMP")
    if answer.outcome is Outcome.BANNED:
        raise Goodbye("[AUTH] Too many failed logins")
    if answer.account is None:
        raise Failed("Wrong user name or password", "AUTH")
    drop = await Maildrop.open(session.services.store, answer.account.inbox_id)
    if drop is None:
        raise Failed("There is no inbox", "SYS/PERM")
    session.drop = drop
    session.answer(f"Welcome, there are {len(drop.messages)} messages")


async def _stat(session: Session, argument: bytes) -> None:
    _no(argument)
    left = session.mail.left()
    session.answer(f"{len(left)} {sum(message.size for _, message in left)}")


async def _list(session: Session, argument: bytes) -> None:
    if argument:
        number, message = _message(session, argument)
        session.answer(f"{number} {message.size}")
        return
    left = session.mail.left()
    session.lines(f"{len(left)} messages", [f"{number} {message.size}" for number, message in left])


async def _uidl(session: Session, argument: bytes) -> None:
    drop = session.mail
    if argument:
        number, message = _message(session, argument)
        session.answer(f"{number} {drop.unique_id(message)}")
        return
    session.lines("Unique ids follow", [f"{number} {drop.unique_id(message)}" for number, message in drop.left()])


async def _retr(session: Session, argument: bytes) -> None:
    number, message = _message(session, argument)
    await _send(session, message, session.services.store.messages.chunks(message.blob_id))
    session.mail.retrieved.add(number)


async def _top(session: Session, argument: bytes) -> None:
    first, _, second = argument.partition(b" ")
    _, message = _message(session, first)
    lines = _number(second.strip())
    await _send(session, message, top(session.services.store.messages.chunks(message.blob_id), lines))


async def _send(session: Session, message: Message, pieces: AsyncIterator[bytes]) -> None:
    """A body with its dots; when it cannot be read to its end the connection ends, for nothing else would be true."""
    sent = False
    try:
        async for piece in stuffed(pieces):
            if not sent:
                session.answer(f"{message.size} octets")
                sent = True
            session.stream.write(piece)
            await session.stream.drain()
    except StoreError:
        if sent:
            session.stream.connection.abort()
        raise


async def _dele(session: Session, argument: bytes) -> None:
    number, _ = _message(session, argument)
    session.mail.deleted.add(number)
    session.answer("It goes at QUIT")


async def _rset(session: Session, argument: bytes) -> None:
    _no(argument)
    session.mail.deleted.clear()
    session.answer("Nothing is deleted")


async def _noop(session: Session, argument: bytes) -> None:
    _no(argument)
    session.answer("Done")


async def _quit(session: Session, argument: bytes) -> None:
    _no(argument)
    if session.drop is not None:
        try:
            await session.drop.commit(session.services.store)
        except StoreError as error:
            # RFC 1939 section 6: the session ends all the same.
            raise Goodbye(f"[SYS/TEMP] Some messages were not removed: {error.public}") from None
    session.answer("Until next time")
    raise Goodbye


def _no(argument: bytes) -> None:
    if argument:
        raise Failed("This command takes no argument")


def _number(text: bytes) -> int:
    if not text.isdigit() or len(text) > 10 or int(text) > MAX_NUMBER:
        raise Failed("A number was expected")
    return int(text)


def _message(session: Session, argument: bytes) -> tuple[int, Message]:
    number = _number(argument)
    message = session.mail.get(number)
    if message is None:
        raise Failed("There is no such message")
    return number, message


COMMANDS: Mapping[bytes, Command] = {
    b"CAPA": Command(_capa, None),
    b"STLS": Command(_stls, transaction=False),
    b"UTF8": Command(_utf8, None),
    b"USER": Command(_user, transaction=False),
    b"PASS": Command(_pass, transaction=False),
    b"AUTH": Command(_auth, transaction=False),
    b"STAT": Command(_stat, transaction=True),
    b"LIST": Command(_list, transaction=True),
    b"UIDL": Command(_uidl, transaction=True),
    b"RETR": Command(_retr, transaction=True),
    b"TOP": Command(_top, transaction=True),
    b"DELE": Command(_dele, transaction=True),
    b"RSET": Command(_rset, transaction=True),
    b"NOOP": Command(_noop, transaction=True),
    b"QUIT": Command(_quit, None),
}
