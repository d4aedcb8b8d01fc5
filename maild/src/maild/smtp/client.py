"""The client's side of SMTP: one session with one host, as the queue's ``Connect`` and ``Session`` want it.

Commands go out together where PIPELINING is offered (RFC 2920), bodies in slices with dots doubled and line ends made
strict, so that nothing we send ends early elsewhere. What a reply means for the queue is not decided here.
"""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Callable, Iterator, Sequence
from itertools import count

from maild.delivery.next_hop import Capabilities, Endpoint, HopError, Login, Reply, Security, Session, Transaction
from maild.log import Log
from maild.mail import xtext
from maild.mail.structure import has_utf8_header
from maild.net.outbound import Outbound, OutboundError, TLSFailed
from maild.smtp.client_data import pieces
from maild.smtp.client_reply import capabilities_of, failure, read_reply
from maild.smtp.client_tls import Trust

CONNECT_SECONDS = 30.0
"""To reach a host; longer waits only hold a worker while the next exchanger could answer."""
GREETING_SECONDS = 300.0
"""RFC 5321 section 4.5.3.2.1."""
COMMAND_SECONDS = 300.0
"""RFC 5321 sections 4.5.3.2.2 and 4.5.3.2.3."""
BLOCK_SECONDS = 180.0
"""RFC 5321 section 4.5.3.2.5."""
DONE_SECONDS = 600.0
"""RFC 5321 section 4.5.3.2.6: giving up early makes duplicates."""
QUIT_SECONDS = 5.0
"""Courtesy only."""


class Client:
    """Opens sessions under our name. ``source`` picks the local address to leave from for a peer's address.

    ``numbers`` are those of all sessions of the daemon, so that a number in the log means one session.
    """

    def __init__(
        self,
        hostname: str,
        trust: Trust,
        log: Log,
        *,
        source: Callable[[str], str | None] = lambda _: None,
        numbers: Iterator[int] | None = None,
    ) -> None:
        self._hostname = hostname
        self._trust = trust
        self._log = log
        self._source = source
        self._numbers = numbers or count(1)

    def configure(self, hostname: str, trust: Trust) -> None:
        """Takes changed settings; open sessions go on."""
        self._hostname, self._trust = hostname, trust

    async def __call__(self, endpoint: Endpoint) -> Session:
        """A session ready for transactions; raises ``HopError``."""
        number = next(self._numbers)
        self._log.tcpip(f"Connecting to {endpoint.address}:{endpoint.port}...", session=number, host=endpoint.host)
        try:
            wire = await Outbound.open(
                endpoint.address, endpoint.port, CONNECT_SECONDS, source=self._source(endpoint.address)
            )
        except OutboundError as error:
            raise HopError(failure(421, "4.4.1", str(error)), host=endpoint.host) from error
        session = _Session(wire, endpoint, self._trust, self._log, number, self._hostname)
        try:
            await session.begin()
        except OutboundError as error:
            wire.close()
            raise HopError(failure(421, "4.4.2", str(error)), host=endpoint.host) from error
        except BaseException:
            wire.close()
            raise
        return session


class _Session:
    """One connection, from the greeting to QUIT."""

    def __init__(self, wire: Outbound, endpoint: Endpoint, trust: Trust, log: Log, number: int, hostname: str) -> None:
        self._wire = wire
        self._trust = trust
        self._log = log
        self._number = number
        self._hostname = hostname
        self.endpoint = endpoint
        self.capabilities = Capabilities()

    async def begin(self) -> None:
        """Greeting, EHLO, TLS and login as the endpoint asks for."""
        if self.endpoint.rule.implicit:
            await self._secure()
        self._demand(await self._reply(GREETING_SECONDS), "4.3.2")
        await self._hello()
        security = self.endpoint.rule.security
        if not self.endpoint.rule.implicit and security is not Security.NONE:
            await self._start_tls()
        if self.endpoint.login is not None:
            await self._login(self.endpoint.login)

    async def send(self, transaction: Transaction) -> Sequence[Reply]:
        """Runs one transaction; one reply a recipient."""
        try:
            return await self._transact(transaction)
        except OutboundError as error:
            self._wire.close()
            raise HopError(failure(421, "4.4.2", str(error)), host=self.endpoint.host) from error
        except BaseException:
            self._wire.close()
            raise

    async def close(self) -> None:
        """Says QUIT and does not insist on an answer."""
        try:
            await self._command("QUIT")
            await self._reply(QUIT_SECONDS)
        except (OutboundError, HopError):
            pass
        self._wire.close()

    # Greeting, TLS, login

    async def _hello(self) -> None:
        reply, lines = await self._ask_lines(f"EHLO {self._hostname}")
        if reply.ok:
            self.capabilities = capabilities_of(lines)
            return
        self.capabilities = Capabilities()
        self._demand(await self._ask(f"HELO {self._hostname}"), "4.5.0")

    async def _start_tls(self) -> None:
        rule = self.endpoint.rule
        optional = rule.security is Security.OPPORTUNISTIC
        if not self.capabilities.starttls:
            if optional:
                return
            raise self._tls_error(f"{self.endpoint.host} offers no STARTTLS")
        reply = await self._ask("STARTTLS")
        if not reply.ok:
            if optional:
                return
            raise self._tls_error(f"{self.endpoint.host} refused STARTTLS: {reply}")
        if self._wire.pending:  # RFC 3207 section 5: what came in clear must not count as secured
            raise self._tls_error(f"{self.endpoint.host} sent data between STARTTLS and the handshake")
        await self._secure()
        await self._hello()

    async def _secure(self) -> None:
        rule = self.endpoint.rule
        name = self._trust.server_name(self.endpoint)
        try:
            await self._wire.start_tls(self._trust.context(rule.security), name, CONNECT_SECONDS)
            self._trust.check(self.endpoint, self._wire.chain())
        except (TLSFailed, ValueError) as error:
            self._log.tcpip(
                f"TCPConnection - TLS/SSL handshake failed. Session Id: {self._number}, "
                f"Remote IP: {self.endpoint.address}, Message: {error}",
                session=self._number,
            )
            raise self._tls_error(str(error)) from error
        version, cipher, bits = self._wire.cipher or ("", "", 0)
        self._log.tcpip(
            f"TCPConnection - TLS/SSL handshake completed. Session Id: {self._number}, "
            f"Remote IP: {self.endpoint.address}, Version: {version}, Cipher: {cipher}, Bits: {bits}",
            session=self._number,
            version=version,
            cipher=cipher,
            security=str(rule.security),
        )

    def _tls_error(self, text: str) -> HopError:
        why = f" ({self.endpoint.rule.why})" if self.endpoint.rule.why else ""
        return HopError(failure(454, "4.7.5", text + why), tls=True, host=self.endpoint.host)

    async def _login(self, login: Login) -> None:
        if not self._wire.secure:
            raise HopError(failure(454, "4.7.5", "a password is never sent without TLS"), host=self.endpoint.host)
        plain = base64.b64encode(f"\0{login.user}\0{login.secret}".encode()).decode()
        bearer = base64.b64encode(f"user={login.user}\x01auth=Bearer {login.secret}\x01\x01".encode()).decode()
        if login.mechanism == "XOAUTH2":
            reply = await self._ask(f"AUTH XOAUTH2 {bearer}", shown="AUTH XOAUTH2 ***")
            if reply.code == 334:  # the failure's details; an empty answer ends the exchange
                reply = await self._ask("")
        elif "PLAIN" in self.capabilities.mechanisms or "LOGIN" not in self.capabilities.mechanisms:
            reply = await self._ask(f"AUTH PLAIN {plain}", shown="AUTH PLAIN ***")
        else:
            reply = await self._login_by_steps(login)
        if not reply.ok:
            raise HopError(Reply(454, "4.7.0", f"login refused: {reply}"), host=self.endpoint.host)

    async def _login_by_steps(self, login: Login) -> Reply:
        reply = await self._ask("AUTH LOGIN")
        for text in (login.user, login.secret):
            if reply.code != 334:
                return reply
            reply = await self._ask(base64.b64encode(text.encode()).decode(), shown="***")
        return reply

    # Transactions

    async def _transact(self, transaction: Transaction) -> Sequence[Reply]:
        if transaction.smtputf8 and not self.capabilities.smtputf8:
            refused = Reply(550, "5.6.7", f"{self.endpoint.host} does not take internationalised addresses")
            return [refused] * len(transaction.recipients)
        body = await transaction.body(self.capabilities)
        unsure = transaction.came_with_smtputf8 and not self.capabilities.smtputf8
        if unsure and await asyncio.to_thread(has_utf8_header, body):
            refused = Reply(550, "5.6.7", f"{self.endpoint.host} does not take internationalised header fields")
            return [refused] * len(transaction.recipients)
        if self.capabilities.size and len(body) > self.capabilities.size:
            refused = Reply(552, "5.3.4", f"{self.endpoint.host} takes at most {self.capabilities.size} bytes")
            return [refused] * len(transaction.recipients)
        commands = [self._mail(transaction, body), *self._rcpts(transaction), "DATA"]
        replies = await self._exchange(commands)
        mail, recipients, data = replies[0], replies[1:-1], replies[-1]
        if not mail.ok:
            await self._abandon(data)
            return [mail] * len(transaction.recipients)
        if not any(reply.ok for reply in recipients):
            await self._abandon(data)
            return recipients
        if data.code != 354:
            await self._ask("RSET")
            return [data if reply.ok else reply for reply in recipients]
        for piece in pieces(body):
            await self._wire.write(piece, BLOCK_SECONDS)
        done = await self._reply(DONE_SECONDS)
        return [done if reply.ok else reply for reply in recipients]

    async def _exchange(self, commands: Sequence[str]) -> list[Reply]:
        """All commands at once where the peer takes that; else one by one, stopping where the rest makes no sense."""
        if self.capabilities.pipelining:
            for command in commands:
                self._log.sent("SMTPC", self._number, self.endpoint.address, command)
            await self._wire.write("".join(f"{command}\r\n" for command in commands).encode(), COMMAND_SECONDS)
            return [await self._reply(COMMAND_SECONDS) for _ in commands]
        replies = [await self._ask(commands[0])]
        if not replies[0].ok:
            return [*replies, *[replies[0]] * (len(commands) - 1)]
        replies += [await self._ask(command) for command in commands[1:-1]]
        usable = any(reply.ok for reply in replies[1:])
        return [*replies, await self._ask(commands[-1]) if usable else Reply(503, "5.5.1", "no valid recipients")]

    async def _abandon(self, data: Reply) -> None:
        """Ends a transaction nobody takes; a server that said 354 anyway gets the empty end (RFC 2920 section 3.1)."""
        if data.code == 354:
            await self._wire.write(b".\r\n", BLOCK_SECONDS)
            await self._reply(DONE_SECONDS)
        else:
            await self._ask("RSET")

    def _mail(self, transaction: Transaction, body: bytes) -> str:
        offered = self.capabilities
        words = [f"MAIL FROM:<{transaction.sender}>"]
        if offered.size is not None:
            words.append(f"SIZE={len(body)}")
        if offered.eight_bit and not body.isascii():
            words.append("BODY=8BITMIME")
        if transaction.smtputf8 or (transaction.came_with_smtputf8 and offered.smtputf8):
            words.append("SMTPUTF8")
        if offered.dsn and transaction.dsn_return:
            words.append(f"RET={transaction.dsn_return}")
        if offered.dsn and transaction.envelope_id:
            words.append(f"ENVID={transaction.envelope_id}")
        return " ".join(words)

    def _rcpts(self, transaction: Transaction) -> list[str]:
        commands: list[str] = []
        for recipient in transaction.recipients:
            words = [f"RCPT TO:<{recipient.address}>"]
            if self.capabilities.dsn and recipient.notify:
                words.append(f"NOTIFY={recipient.notify}")
            if self.capabilities.dsn and recipient.original:
                words.append(f"ORCPT={xtext.sendable(recipient.original)}")
            commands.append(" ".join(words))
        return commands

    # Lines

    def _demand(self, reply: Reply, enhanced: str) -> None:
        if not reply.ok:
            raise HopError(
                reply if reply.enhanced else Reply(reply.code, enhanced, reply.text), host=self.endpoint.host
            )

    async def _ask(self, command: str, *, shown: str | None = None) -> Reply:
        return (await self._ask_lines(command, shown=shown))[0]

    async def _ask_lines(self, command: str, *, shown: str | None = None) -> tuple[Reply, list[str]]:
        try:
            await self._command(command, shown=shown)
            return await self._reply_lines(COMMAND_SECONDS)
        except OutboundError as error:
            raise HopError(failure(421, "4.4.2", str(error)), host=self.endpoint.host) from error

    async def _command(self, command: str, *, shown: str | None = None) -> None:
        self._log.sent("SMTPC", self._number, self.endpoint.address, command if shown is None else shown)
        await self._wire.write(f"{command}\r\n".encode(), COMMAND_SECONDS)

    async def _reply(self, seconds: float) -> Reply:
        return (await self._reply_lines(seconds))[0]

    async def _reply_lines(self, seconds: float) -> tuple[Reply, list[str]]:
        reply, lines = await read_reply(self._wire, seconds)
        self._log.received("SMTPC", self._number, self.endpoint.address, "[nl]".join(lines))
        return reply, lines
