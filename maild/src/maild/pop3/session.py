"""One POP3 session: authorization, transaction, update (RFC 1939), each command a line and an answer.

Whatever fails becomes ``-ERR`` with a response code here; a fault of ours ends this session alone, through the log.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field

from maild.net import BareLineEnd, LineTooLong, Stream, StreamStopped, StreamTimeout
from maild.policy.login import Login
from maild.pop3.maildrop import Maildrop
from maild.settings import Limits, Listener
from maild.store.errors import StoreError, StoreUnavailable
from maild.store.interface import Store

MAX_LINE = 4096
"""Octets of a command: a SASL response is the longest one."""
MAX_BAD_COMMANDS = 10
"""Commands in a row that fail before the session ends."""


class Failed(Exception):  # noqa: N818
    """Answered by -ERR with this text; ``code`` is a response code of RFC 2449 or RFC 3206."""

    def __init__(self, text: str, code: str = "") -> None:
        super().__init__(f"[{code}] {text}" if code else text)


class Goodbye(Exception):  # noqa: N818
    """The session ends; a text is a last -ERR."""


@dataclass(frozen=True, slots=True)
class Services:
    """What a session works with; one for the daemon."""

    store: Store
    login: Login
    hostname: str
    limits: Limits
    commands: Mapping[bytes, Command]


@dataclass(frozen=True, slots=True)
class Command:
    """A row of the command table. ``transaction``: whether it needs a login (True), needs none yet (False), or both."""

    run: Callable[[Session, bytes], Awaitable[None]]
    transaction: bool | None


@dataclass(slots=True)
class Session:
    """The state of one connection."""

    stream: Stream
    services: Services
    listener: Listener
    user: bytes | None = None
    drop: Maildrop | None = None
    failures: int = field(default=0)

    @property
    def secure(self) -> bool:
        """Whether TLS is on, or the operator has decided to do without on this listener."""
        return self.stream.connection.tls is not None or self.listener.tls == "none"

    @property
    def mail(self) -> Maildrop:
        """The maildrop."""
        if self.drop is None:
            raise Failed("Please log in first")
        return self.drop

    def answer(self, text: str) -> None:
        """Sends +OK."""
        self._line("+OK " + text)

    def fail(self, text: str) -> None:
        """Sends -ERR."""
        self._line("-ERR " + text)

    def lines(self, text: str, lines: list[str]) -> None:
        """Sends +OK and a list."""
        self._line("+OK " + text)
        self.stream.later("".join(f"{line}\r\n" for line in [*lines, "."]).encode())

    def _line(self, text: str) -> None:
        connection = self.stream.connection
        self.stream.later(text.encode("utf-8", "replace") + b"\r\n")
        connection.log.sent("POP3D", connection.id, connection.peer.text, text)


def session(services: Callable[[], Services], listener: Listener) -> Stream:
    """A session for a new connection, with the services of this moment."""
    known = services()

    async def run(stream: Stream) -> None:
        await _serve(Session(stream, known, listener))

    return Stream(run, MAX_LINE)


async def _serve(session: Session) -> None:
    session.answer(f"{session.services.hostname} POP3 is ready")
    try:
        while session.failures < MAX_BAD_COMMANDS:
            await _one(session)
        session.fail("That is not POP3")
    except StreamTimeout:
        # RFC 1939 section 3: without an update.
        session.fail("[SYS/TEMP] Nothing was heard for too long")
    except StreamStopped:
        session.fail("[SYS/TEMP] The server is going down")
    except (LineTooLong, BareLineEnd):
        session.fail("A line is too long or does not end with CRLF")
    except Goodbye as goodbye:
        if str(goodbye):
            session.fail(str(goodbye))
    session.stream.flush()


async def _one(session: Session) -> None:
    line = await session.stream.line(session.services.limits.pop3_idle_seconds)
    verb, _, argument = line.partition(b" ")
    name = verb.upper()
    connection = session.stream.connection
    shown = name + b" ***" if name in {b"PASS", b"AUTH"} else line
    connection.log.received("POP3D", connection.id, connection.peer.text, shown[:500].decode("utf-8", "replace"))
    try:
        await _command(session, name)(session, argument if name == b"PASS" else argument.strip())
        session.failures = 0
    except Failed as error:
        session.failures += 1
        session.fail(str(error))
    except StoreUnavailable as error:
        session.fail(f"[SYS/TEMP] {error.public}")
    except StoreError as error:
        session.fail(f"[SYS/PERM] {error.public}")


def _command(session: Session, name: bytes) -> Callable[[Session, bytes], Awaitable[None]]:
    command = session.services.commands.get(name)
    if command is None:
        raise Failed("There is no such command")
    if command.transaction is not None and command.transaction is (session.drop is None):
        raise Failed("Please log in first" if session.drop is None else "You are logged in already")
    return command.run
