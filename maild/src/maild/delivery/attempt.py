"""One attempt: opens sessions with a destination's hosts until one takes the messages, and collects the replies.

A host that cannot be used leads to the next, and so does one that puts recipients off or drops the message; one that
ends a session after some messages is asked for another; TLS that fails where it was only opportunistic leads to the
same host in clear. What the replies mean for the queue is ``settle``'s.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace

from maild.delivery.next_hop import (
    Addressee,
    Capabilities,
    Connect,
    Endpoint,
    HopError,
    Reply,
    Security,
    Session,
    TLSRule,
    Transaction,
)
from maild.store import QueueItem, RecipientRow, RecipientState

Body = Callable[[QueueItem, Capabilities], Awaitable[bytes]]
"""Gives the bytes to send for an item to a peer of these abilities: converted, signed."""
UNREACHABLE = Reply(451, "4.4.1", "no host of this destination can be reached")
MAX_SESSIONS = 2
"""Hosts one message is offered to in an attempt, those that open no session not counted (Postfix's bound as well)."""


class DroppedError(HopError):
    """Hosts opened a session and ended it when they were offered this message: it may be the reason, not they."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What the next hop said of one recipient; ``remote`` is the host that said it."""

    row: RecipientRow
    reply: Reply
    remote: str = ""
    relayed: bool = False
    """Accepted by a peer without DSN: a success report is ours to send (RFC 3461 section 5.3.2)."""

    @property
    def put_off(self) -> bool:
        """4xx: another host, or another time, may take it."""
        return not self.reply.ok and not self.reply.permanent


class Courier:
    """Carries items to one destination over as few sessions as possible. Not to be used by two tasks at once."""

    def __init__(self, endpoints: Sequence[Endpoint], connect: Connect, body: Body) -> None:
        self._waiting = list(endpoints)
        self._connect = connect
        self._body = body
        self._session: Session | None = None
        self._sent = 0
        self._last: HopError | None = None

    async def carry(self, item: QueueItem) -> list[Said]:
        """Offers one item; raises ``DroppedError`` when it got no answer, ``HopError`` when no host opened one."""
        rows = [row for row in item.recipients if row.state is RecipientState.WAITING]
        said: dict[int, Said] = {}
        failure: HopError | None = None
        dropped: list[Endpoint] = []
        first: Endpoint | None = None
        left = rows
        while left:
            try:
                session = await self._ready()
            except HopError as error:
                failure = failure or error
                break
            try:
                answers = await self._offer(session, item, left)
            except HopError as error:
                await self._leave(gone=True)
                self._note(error)
                if self._sent:  # servers bound the messages of a session; a new one begins with none
                    self._waiting.insert(0, session.endpoint)
                    continue
                failure = DroppedError(error.reply, host=error.host)
                dropped.append(session.endpoint)
            else:
                said |= {each.row.id: each for each in answers}
                answered = {each.row.id for each in answers}
                left = [row for row in left if row.id not in answered]
                if left:
                    continue
                left = [row for row in rows if said[row.id].put_off]
                if not left or first is not None or dropped or not self._waiting:
                    break
                first = session.endpoint
                await self._leave(gone=False)
            if len(dropped) + (first is not None) == MAX_SESSIONS:
                break
        await self._return_to(first, dropped)
        if failure is not None and not said:
            raise failure
        # Those that were served must not get the message again because the others have to wait.
        return [said.get(row.id) or _unanswered(row, failure) for row in rows]

    async def close(self) -> None:
        """Ends the session."""
        await self._leave(gone=False)

    async def _ready(self) -> Session:
        """An open session that may take another message."""
        session = self._session
        if session is not None and self._sent < session.capabilities.messages:
            return session
        if session is not None:
            self._waiting.insert(0, session.endpoint)
            await self._leave(gone=False)
        while self._waiting:
            endpoint = self._waiting.pop(0)
            try:
                self._session = await self._connect(endpoint)
            except HopError as error:
                self._note(error)
                if error.tls and endpoint.rule.security is Security.OPPORTUNISTIC:
                    self._waiting.insert(0, replace(endpoint, rule=TLSRule(security=Security.NONE)))
            else:
                self._sent = 0
                return self._session
        raise self._last or HopError(UNREACHABLE)

    async def _offer(self, session: Session, item: QueueItem, rows: Sequence[RecipientRow]) -> list[Said]:
        """One transaction for as many of the rows as fit into it."""
        # An address that needs SMTPUTF8 must not cost the others their mail where the peer does not take it.
        alike = rows if session.capabilities.smtputf8 else _alike(item, rows)
        batch = alike[: session.capabilities.recipients]
        replies = await session.send(self._transaction(item, batch))
        self._sent += 1
        relayed = not session.capabilities.dsn
        host = session.endpoint.host
        return [
            Said(row=row, reply=reply, remote=host, relayed=relayed) for row, reply in zip(batch, replies, strict=True)
        ]

    async def _return_to(self, first: Endpoint | None, dropped: Sequence[Endpoint]) -> None:
        """The next message begins with the host that put this one off; those that dropped it come last."""
        self._waiting += dropped
        if first is None:
            return
        if self._session is not None:
            self._waiting.insert(0, self._session.endpoint)
            await self._leave(gone=False)
        self._waiting.insert(0, first)

    def _note(self, error: HopError) -> None:
        """Keeps why no host could be used; that one of them may come back outweighs what another refused for good."""
        if self._last is None or self._last.reply.permanent or not error.reply.permanent:
            self._last = error

    async def _leave(self, *, gone: bool) -> None:
        session, self._session = self._session, None
        if session is not None and not gone:
            await session.close()

    def _transaction(self, item: QueueItem, rows: Sequence[RecipientRow]) -> Transaction:
        async def body(capabilities: Capabilities) -> bytes:
            return await self._body(item, capabilities)

        return Transaction(
            sender=item.sender,
            recipients=tuple(Addressee(address=row.address, notify=row.notify, original=row.original) for row in rows),
            body=body,
            smtputf8=needs_smtputf8(item, rows),
            came_with_smtputf8=item.smtputf8,
            envelope_id=item.envelope_id,
            dsn_return=item.dsn_return,
        )


def _unanswered(row: RecipientRow, failure: HopError | None) -> Said:
    error = failure or HopError(UNREACHABLE)
    return Said(row=row, reply=error.reply, remote=error.host)


def _alike(item: QueueItem, rows: Sequence[RecipientRow]) -> list[RecipientRow]:
    """The rows that need SMTPUTF8 if the first one does, or those that do not."""
    wide = needs_smtputf8(item, rows[:1])
    return [row for row in rows if needs_smtputf8(item, [row]) is wide]


def needs_smtputf8(item: QueueItem, rows: Sequence[RecipientRow]) -> bool:
    """Whether the envelope is an internationalised one."""
    return not item.sender.isascii() or any(not row.address.isascii() for row in rows)
