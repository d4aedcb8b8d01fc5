"""STARTTLS, LOGIN, AUTHENTICATE: how a stranger becomes a user. Passwords and proofs only travel under TLS."""

from __future__ import annotations

import base64

from maild.imap.capabilities import capabilities
from maild.imap.errors import BadCommand, Goodbye, Refused
from maild.imap.session import Command, Request, Session, State
from maild.net import LineTooLong
from maild.policy import Answer, Outcome, SCRAMError, sasl

MAX_INITIAL = 4096
"""Octets of a SASL response in base64."""


async def _starttls(session: Session, request: Request) -> bytes:
    request.arguments.end()
    if session.stream.connection.tls is not None:
        raise BadCommand("TLS is on already")
    if session.listener.tls not in {"starttls", "starttls-required"}:
        raise BadCommand("TLS is not offered here")
    session.send(b"%b OK Begin TLS\r\n" % request.tag)
    # What the client sent ahead in clear is thrown away with the rest of the plain session (RFC 9051 section 11.2).
    await session.stream.start_tls()
    session.enabled.clear()
    return b""


async def _login(session: Session, request: Request) -> bytes:
    arguments = request.arguments
    arguments.space()
    user = arguments.astring()
    arguments.space()
    password = arguments.astring()
    arguments.end()
    _must_be_secure(session)
    try:
        return await _check(session, sasl.text(user), sasl.text(password))
    except sasl.SASLError:
        raise Refused("Wrong user name or password", b"AUTHENTICATIONFAILED") from None


async def _authenticate(session: Session, request: Request) -> bytes:
    arguments = request.arguments
    arguments.space()
    mechanism = arguments.word().decode("ascii", "replace").upper()
    initial: bytes | None = None
    if arguments.take(b" "):
        # "=" is the empty response (RFC 4959 section 3).
        initial = b"" if arguments.take(b"=") and arguments.at_end else arguments.rest()
    arguments.end()
    if mechanism not in session.services.login.mechanisms:
        raise Refused("This mechanism is not offered", b"CANNOT")
    _must_be_secure(session)
    message = await _asked(session, b"") if initial is None else _decoded(initial)
    return await (_plain(session, message) if mechanism == "PLAIN" else _scram(session, message))


async def _plain(session: Session, message: bytes) -> bytes:
    try:
        claim = sasl.plain(message)
    except sasl.ForeignIdentityError as error:
        raise Refused(str(error), b"AUTHORIZATIONFAILED") from None
    except sasl.SASLError as error:
        raise BadCommand(str(error)) from None
    return await _check(session, claim.user, claim.password)


async def _scram(session: Session, message: bytes) -> bytes:
    connection = session.stream.connection

    async def ask(challenge: bytes) -> bytes:
        return await _asked(session, challenge)

    try:
        answer = await session.services.login.exchange(message, ask, connection.peer, "imap", connection.id)
    except SCRAMError as error:
        raise BadCommand(f"SCRAM: {error}") from None
    return _answered(session, answer)


async def _asked(session: Session, challenge: bytes) -> bytes:
    session.send(b"+ %b\r\n" % base64.b64encode(challenge))
    return _decoded(await _response(session))


def _decoded(text: bytes) -> bytes:
    try:
        return sasl.decoded(text)
    except sasl.SASLError as error:
        raise BadCommand(str(error)) from None


async def _response(session: Session) -> bytes:
    try:
        line = await session.stream.line(session.services.limits.imap_login_seconds, MAX_INITIAL)
    except LineTooLong:
        raise Goodbye("The response is too long") from None
    if line == b"*":
        raise BadCommand("Cancelled")
    return line


def _must_be_secure(session: Session) -> None:
    if not session.secure:
        raise Refused("Please use TLS first", b"PRIVACYREQUIRED")


async def _check(session: Session, user: str, password: str) -> bytes:
    connection = session.stream.connection
    return _answered(
        session, await session.services.login.check(user, password, connection.peer, "imap", connection.id)
    )


def _answered(session: Session, answer: Answer) -> bytes:
    if answer.outcome is Outcome.LATER:
        raise Refused("Logging in is not possible at the moment, please try again", b"UNAVAILABLE")
    if answer.outcome is Outcome.BANNED:
        raise Goodbye("Too many failed logins")
    if answer.account is None:
        raise Refused("Wrong user name or password", b"AUTHENTICATIONFAILED")
    session.account = answer.account
    return b"[CAPABILITY %b] Welcome" % capabilities(session)


COMMANDS = {
    b"STARTTLS": Command(_starttls, State.STRANGER, only_strangers=True),
    b"LOGIN": Command(_login, State.STRANGER, only_strangers=True),
    b"AUTHENTICATE": Command(_authenticate, State.STRANGER, only_strangers=True),
}
