"""One SMTP conversation: the commands in their order, what each is answered, and what the client may do by then.

It reads and answers through a ``Stream`` and decides nothing of its own: ranges, logins, routing and storing are the
context's. STARTTLS forgets everything that was said before it (RFC 3207 section 4.2). Secrets are never logged, nor are
lines that are no command: they may be a password in the wrong place.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Awaitable, Callable, Mapping

from maild.net import BareLineEnd, LineTooLong, Stream, StreamStopped, StreamTimeout
from maild.policy import Answer, Outcome, own_addresses
from maild.settings import Listener
from maild.smtp import auth, envelope, grammar
from maild.smtp.body import Body
from maild.smtp.context import Context
from maild.smtp.grammar import Command, Refused
from maild.smtp.intake import Intake
from maild.smtp.reception import TOO_LARGE, UNAVAILABLE, receive, spool
from maild.smtp.spool import Spool
from maild.smtp.transaction import Client, Transaction, User
from maild.store import StoreError

BEFORE_TLS = frozenset({"EHLO", "HELO", "NOOP", "QUIT", "STARTTLS", "RSET", "HELP"})
"""What a listener that requires STARTTLS answers before it."""


async def serve(context: Context, listener: Listener, stream: Stream) -> None:
    """Talks with one client until either side ends it."""
    await Dialogue(context, listener, stream).run()


def session(context: Callable[[], Context], listener: Listener) -> Stream:
    """A session for a new connection, with the context of that moment."""
    return Stream(functools.partial(serve, context(), listener), grammar.MAX_COMMAND)


class Dialogue:
    """The conversation on one connection; ``run`` is its coroutine."""

    def __init__(self, context: Context, listener: Listener, stream: Stream) -> None:
        self._context = context
        self._listener = listener
        self._stream = stream
        self._connection = stream.connection
        self._intake = Intake(stream, context.limits.message_bytes, self._patience)
        self._helo: str | None = None
        self._extended = False
        self._user: User | None = None
        self._client: Client | None = None
        self._transaction: Transaction | None = None
        self._errors = 0
        self._put_off = 0
        self._messages = 0
        self._open = True
        log, number, address = context.log, self._connection.id, self._connection.peer.text
        self._log_received = functools.partial(log.received, "SMTPD", number, address)
        self._log_sent = functools.partial(log.sent, "SMTPD", number, address)
        self._clock = asyncio.get_running_loop().time
        self._ends_at = self._clock() + context.limits.smtp_total_seconds

    async def run(self) -> None:
        """Talks until either side ends it."""
        self._reply(f"220 {self._context.hostname} ESMTP")
        try:
            while self._open:
                await self._one()
        except StreamTimeout:
            self._reply("421 4.4.2 Timeout, closing the connection")
        except StreamStopped:
            self._reply("421 4.3.2 The server is stopping, please try again later")
        finally:
            await self._intake.release()

    async def _one(self) -> None:
        try:
            line = self._stream.line_at_hand(grammar.MAX_COMMAND)
            if line is None:
                line = await self._stream.line(self._patience(), grammar.MAX_COMMAND)
            command = self._read(line)
            await _COMMANDS[command.verb](self, command)
        except LineTooLong:
            self._end("500 5.5.2 The line is too long")
        except BareLineEnd:
            self._end("521 5.5.2 Lines end with CRLF; a bare CR or LF is not taken")
        except Refused as refused:
            self._refuse(refused.reply)
        except StoreError as error:
            self._note(error)
            self._reply(UNAVAILABLE)

    def _patience(self) -> float:
        """Seconds the client may be silent; what is left of the whole session when that is less."""
        return max(0.0, min(self._context.limits.smtp_idle_seconds, self._ends_at - self._clock()))

    def _read(self, line: bytes) -> Command:
        """The command, logged, and refused when it may not come now at all."""
        try:
            command = grammar.command(line)
        except Refused:
            self._log_received(f"*** ({len(line)} octets that are no command)")
            raise
        if command.verb not in _COMMANDS:
            self._log_received(f"*** ({len(line)} octets that are no command)")
            raise Refused("500 5.5.1 Unknown command")
        shown = command.argument
        if command.verb == "AUTH":
            mechanism = shown.partition(" ")[0].upper()
            shown = f"{mechanism} ***" if mechanism in auth.mechanisms(self._context.login) else "***"
        self._log_received(f"{command.verb} {shown}" if shown else command.verb)
        if self._must_encrypt and command.verb not in BEFORE_TLS:
            raise Refused("530 5.7.0 Must issue a STARTTLS command first")
        if command.argument and command.verb in grammar.NO_ARGUMENT:
            raise Refused(grammar.NO_ARGUMENT[command.verb])
        return command

    @property
    def _must_encrypt(self) -> bool:
        return self._listener.tls == "starttls-required" and self._connection.tls is None

    # Greeting, TLS, login

    async def _hello(self, command: Command) -> None:
        self._helo = grammar.helo_name(command.argument)
        self._extended = command.verb == "EHLO"
        self._client = None
        await self._reset()
        if self._extended:
            words = (self._context.hostname, *self._extensions())
            self._reply("\r\n".join([*[f"250-{word}" for word in words], "250 HELP"]))
        else:
            self._reply(f"250 {self._context.hostname}")

    def _extensions(self) -> list[str]:
        limits = self._context.limits
        words = ["PIPELINING", f"SIZE {limits.message_bytes}", "8BITMIME", "SMTPUTF8", "ENHANCEDSTATUSCODES"]
        words += ["CHUNKING", "DSN", f"LIMITS MAILMAX={limits.messages_per_session} RCPTMAX={limits.recipients}"]
        if self._connection.can_start_tls and self._listener.tls in {"starttls", "starttls-required"}:
            words.append("STARTTLS")
        if self._listener.auth != "off" and self._connection.tls is not None and self._user is None:
            words.append(f"AUTH {' '.join(auth.mechanisms(self._context.login))}")
        return words

    async def _starttls(self, _: Command) -> None:
        if self._connection.tls is not None:
            raise Refused("503 5.5.1 TLS is active already")
        if self._listener.tls not in {"starttls", "starttls-required"}:
            raise Refused("502 5.5.1 STARTTLS is not offered here")
        await self._reset()
        self._helo, self._extended, self._user, self._client = None, False, None, None
        self._reply("220 2.0.0 Ready to start TLS")
        await self._stream.start_tls()

    async def _auth(self, command: Command) -> None:
        self._refuse_auth()
        peer, number = self._connection.peer, self._connection.id
        try:
            answer = await auth.outcome(self._context.login, command.argument, self._ask, peer, number)
        except LineTooLong:
            self._end("500 5.5.6 The line is too long")
        else:
            await self._logged_in(answer)

    def _refuse_auth(self) -> None:
        if self._listener.auth == "off":
            raise Refused("502 5.5.1 AUTH is not offered here")
        if self._connection.tls is None:
            raise Refused("538 5.7.11 Encryption is required for authentication")
        if not self._extended:
            raise Refused("503 5.5.1 EHLO first")
        if self._user is not None:
            raise Refused("503 5.5.1 Already authenticated")
        if self._transaction is not None:
            raise Refused("503 5.5.1 A transaction is open; RSET ends it")

    async def _ask(self, question: str) -> bytes:
        # What SCRAM sends would let a reader of the log try passwords.
        self._reply(question, shown=question if question in auth.ASKS else "334 ***")
        answer = await self._stream.line(self._patience(), grammar.MAX_AUTH)
        self._log_received("***")
        return answer

    async def _logged_in(self, answer: Answer) -> None:
        if answer.account is not None:
            own = await own_addresses(self._context.store.directory, answer.account)
            self._user, self._client = User(answer.account, own), None
            self._reply("235 2.7.0 Authentication succeeded")
        elif answer.outcome is Outcome.LATER:
            self._reply("454 4.7.0 Temporary authentication failure, please try again later")
        elif answer.outcome is Outcome.BANNED:
            self._end("535 5.7.8 Authentication failed. Too many invalid logon attempts.")
        else:
            raise Refused("535 5.7.8 Authentication failed")

    # Transactions

    async def _mail(self, command: Command) -> None:
        if self._helo is None:
            raise Refused("503 5.5.1 EHLO or HELO first")
        if self._transaction is not None:
            raise Refused("503 5.5.1 A transaction is open; RSET ends it")
        if self._listener.auth == "required" and self._user is None:
            raise Refused("530 5.7.0 Authentication required")
        if self._messages >= self._context.limits.messages_per_session:
            raise Refused("452 4.5.3 Too many messages in this session")
        self._context.arriving()
        self._client = self._as_client()
        self._transaction = await envelope.begin(self._context, self._client, command.argument)
        self._reply("250 2.1.0 Ok")

    async def _rcpt(self, command: Command) -> None:
        if self._transaction is None or self._client is None:
            raise Refused("503 5.5.1 MAIL first")
        if self._intake.chunked is not None:
            raise Refused("503 5.5.1 BDAT has begun")
        await envelope.add_recipient(self._context, self._client, self._transaction, command.argument)
        self._reply("250 2.1.5 Ok")

    async def _data(self, _: Command) -> None:
        transaction = self._with_recipients()
        if self._intake.chunked is not None:
            raise Refused("503 5.5.1 BDAT has begun")
        self._reply("354 End data with <CR><LF>.<CR><LF>")
        spooled = self._spool(transaction)
        await self._finish(transaction, await self._intake.data(spooled), spooled)

    async def _bdat(self, command: Command) -> None:
        size, last = grammar.bdat(command.argument)
        try:
            transaction = self._with_recipients()
        except Refused:
            await self._intake.pass_over(size)
            raise
        spooled = self._intake.spool or self._spool(transaction)
        body = await self._intake.chunk(size, spooled, last=last)
        if last:
            await self._finish(transaction, body, spooled)
        else:
            self._reply(f"250 2.0.0 {size} octets received")

    def _spool(self, transaction: Transaction) -> Spool:
        return spool(self._context, self._client or self._as_client(), transaction)

    def _with_recipients(self) -> Transaction:
        if self._transaction is None:
            raise Refused("503 5.5.1 MAIL first")
        if not self._transaction.recipients:
            raise Refused("554 5.5.1 No valid recipients")
        return self._transaction

    async def _finish(self, transaction: Transaction, body: Body, spooled: Spool) -> None:
        self._messages += 1
        self._context.arriving()
        try:
            if body.too_large:
                raise Refused(TOO_LARGE.format(limit=body.limit))
            reply = await receive(self._context, self._client or self._as_client(), transaction, body, spooled)
        finally:
            await self._reset()
        if reply.startswith("5"):
            raise Refused(reply)
        self._reply(reply)

    def _as_client(self) -> Client:
        """The other side as it is now, the same value until something of it changes."""
        connection = self._connection
        range_ = self._context.gate.range_of(connection.peer.address)
        if self._client is not None and self._client.range_ is range_:
            return self._client
        return Client(
            peer=connection.peer,
            session=connection.id,
            helo=self._helo or "",
            extended=self._extended,
            tls=connection.tls,
            user=self._user,
            range_=range_,
            reached=connection.local.address,
        )

    # The rest

    async def _rset(self, _: Command) -> None:
        await self._reset()
        self._reply("250 2.0.0 Ok")

    async def _noop(self, _: Command) -> None:
        self._reply("250 2.0.0 Ok")

    async def _help(self, _: Command) -> None:
        self._reply("214 2.0.0 RFC 5321 and the extensions that EHLO names")

    async def _vrfy(self, command: Command) -> None:
        if not command.argument:
            raise Refused("501 5.5.4 VRFY wants an address")
        self._reply("252 2.0.0 Send some mail, it will be tried")

    async def _expn(self, _: Command) -> None:
        raise Refused("502 5.5.1 EXPN is not offered")

    async def _quit(self, _: Command) -> None:
        self._end("221 2.0.0 Goodbye")

    async def _reset(self) -> None:
        self._transaction = None
        await self._intake.release()

    def _refuse(self, reply: str) -> None:
        """Counts an error; too many of them end the session, because only a guesser makes so many.

        To be put off is no error of the client's, or a message to more recipients than are taken at once, or to many
        who are greylisted, could never come (RFC 5321 section 4.5.3.1.10). As many as the recipients of a message are
        free.
        """
        self._reply(reply)
        if reply.startswith("4") and self._put_off < self._context.limits.recipients:
            self._put_off += 1
            return
        self._errors += 1
        if self._errors >= self._context.limits.errors_per_session:
            self._end("421 4.7.0 Too many errors, closing the connection")

    def _end(self, reply: str) -> None:
        self._reply(reply)
        self._open = False

    def _reply(self, text: str, shown: str | None = None) -> None:
        """Answers; the lines of ``text`` are separated by CRLF, the log gets ``shown`` instead where it is given."""
        self._stream.later(f"{text}\r\n".encode())
        self._log_sent(shown or text)

    def _note(self, error: StoreError) -> None:
        write = self._context.log.debug
        write(f"SMTPD - the store says: {error}", session=self._connection.id, address=self._connection.peer.text)


# The table belongs to the class; it stands here because its functions must exist first.
_COMMANDS: Mapping[str, Callable[[Dialogue, Command], Awaitable[None]]] = {
    "HELO": Dialogue._hello,  # noqa: SLF001
    "EHLO": Dialogue._hello,  # noqa: SLF001
    "STARTTLS": Dialogue._starttls,  # noqa: SLF001
    "AUTH": Dialogue._auth,  # noqa: SLF001
    "MAIL": Dialogue._mail,  # noqa: SLF001
    "RCPT": Dialogue._rcpt,  # noqa: SLF001
    "DATA": Dialogue._data,  # noqa: SLF001
    "BDAT": Dialogue._bdat,  # noqa: SLF001
    "RSET": Dialogue._rset,  # noqa: SLF001
    "NOOP": Dialogue._noop,  # noqa: SLF001
    "HELP": Dialogue._help,  # noqa: SLF001
    "VRFY": Dialogue._vrfy,  # noqa: SLF001
    "EXPN": Dialogue._expn,  # noqa: SLF001
    "QUIT": Dialogue._quit,  # noqa: SLF001
}
