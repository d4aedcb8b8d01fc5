"""One attempt: opens sessions with a destination's hosts until one takes the messages, and collects the replies.

A host that cannot be used leads to the next; one that ends a session after some messages is asked for another; TLS that
fails where it was only opportunistic leads to the same host in clear. What the replies mean for the queue is
``settle``'s.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What the next hop said of one recipient; ``remote`` is the host that said it."""

    row: RecipientRow
    reply: Reply
    remote: str = ""
    relayed: bool = False
    """Accepted by a peer without DSN: a success report is ours to send (RFC 3461 section 5.3.2)."""


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
        """Offers one item; raises ``HopError`` when no host of the destination took any of it."""
        rows = [row for row in item.recipients if row.state is RecipientState.WAITING]
        said: list[Said] = []
        while rows:
            try:
                session = await self._ready()
            except HopError as error:
                if not said:
                    raise
                # Those that were served must not get the message again because the others have to wait.
                return [*said, *(Said(row=row, reply=error.reply, remote=error.host) for row in rows)]
            # An address that needs SMTPUTF8 must not cost the others their mail where the peer does not take it.
            alike = rows if session.capabilities.smtputf8 else _alike(item, rows)
            batch = alike[: session.capabilities.recipients]
            try:
                replies = await session.send(self._transaction(item, batch))
            except HopError as error:
                self._last = error
                if self._sent:  # servers bound the messages of a session; a new one begins with none
                    self._waiting.insert(0, session.endpoint)
                await self._leave(gone=True)
                continue
            self._sent += 1
            relayed = not session.capabilities.dsn
            host = session.endpoint.host
            said += [
                Said(row=row, reply=reply, remote=host, relayed=relayed)
                for row, reply in zip(batch, replies, strict=True)
            ]
            rows = [row for row in rows if row not in batch]
        return said

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
                self._last = error
                if error.tls and endpoint.rule.security is Security.OPPORTUNISTIC:
                    self._waiting.insert(0, replace(endpoint, rule=TLSRule(security=Security.NONE)))
            else:
                self._sent = 0
                return self._session
        raise self._last or HopError(Reply(451, "4.4.1", "no host of this destination can be reached"))

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
            envelope_id=item.envelope_id,
            dsn_return=item.dsn_return,
        )


def _alike(item: QueueItem, rows: Sequence[RecipientRow]) -> list[RecipientRow]:
    """The rows that need SMTPUTF8 if the first one does, or those that do not."""
    wide = needs_smtputf8(item, rows[:1])
    return [row for row in rows if needs_smtputf8(item, [row]) is wide]


def needs_smtputf8(item: QueueItem, rows: Sequence[RecipientRow]) -> bool:
    """Whether the transaction is an internationalised one: an address, or a header that came as such."""
    return item.smtputf8 or not item.sender.isascii() or any(not row.address.isascii() for row in rows)
