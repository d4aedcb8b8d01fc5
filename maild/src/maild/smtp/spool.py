"""One message on its way in: small ones stay in memory, larger ones go into the store while their data still comes.

Only the header of a large message, a chunk of its body and its beginning (for reports) are held; the body passes the
checks on its way. All bytes held are in the store's budget; when that is spent the client is kept waiting, and when
nothing becomes free in time the message is given up and the rest of it only counted.
"""

from __future__ import annotations

from maild.mail.dsn import MAX_RETURNED
from maild.smtp.body import Body
from maild.smtp.context import Check
from maild.smtp.message import Message
from maild.store import Staged, Store, StoreError

STAGE_BYTES = 1 << 20
"""Messages above this go to the store in chunks before the commit, so that no transaction is long."""
PRESSED_BYTES = 128 << 10
"""Messages above this do so already when room is short."""


class Spool:
    """What is held of one message; ``release`` gives it all back, whatever happened."""

    def __init__(self, store: Store, header_bytes: int, check: Check | None = None) -> None:
        self.check = check
        self.failure: StoreError | None = None
        """Why the message was given up."""
        self._store = store
        self._budget = store.budget
        self._header_bytes = header_bytes
        self._held = 0
        self._message: Message | None = None
        self._staged: Staged | None = None

    async def take(self, body: Body) -> None:
        """Makes room for what has just come of a body, or passes it on; a body that cannot be kept is given up."""
        if body.given_up or body.too_large:
            await self.release()
            return
        try:
            if self._staged is None and not await self._hold(body):
                self._staged = await self._begin(body)
            if self._staged is not None:
                await self._pass(self._staged, body)
        except StoreError as error:
            self.failure = error
            body.give_up()
            await self.release()

    async def message(self, body: Body) -> Message:
        """All of it, once it has come; its check has then seen the whole."""
        message = self._message
        if message is None or self._staged is None:
            message = Message.of(body.pieces, self._header_bytes)
            for piece in (message.head, *message.body):
                await self._show(piece)
            return message
        return Message(message.head, message.body, self._staged)

    async def release(self) -> None:
        """Gives all bytes back and removes what no message has come of."""
        held, self._held = self._held, 0
        self._budget.give(held)
        staged, self._staged = self._staged, None
        if staged is not None:
            await staged.abandon()

    async def _hold(self, body: Body) -> bool:
        """Whether the message stays in memory."""
        fresh = body.size - self._held
        if not self._budget.take_now(fresh):
            if body.size > PRESSED_BYTES:
                return False
            await self._budget.take(fresh)
        self._held += fresh
        return body.size <= STAGE_BYTES

    async def _begin(self, body: Body) -> Staged:
        message = Message.of(body.take(), self._header_bytes)
        rest = b"".join(message.body)
        self._message = Message(message.head, (rest[: MAX_RETURNED + 1],))
        staged = self._staged = self._store.stage()
        await self._show(message.head)
        await self._show(rest)
        # What was counted stays so: the header's share here, the body's with the staged body.
        counted = max(0, self._held - len(message.head))
        self._held -= counted
        await staged.write(rest[:counted], counted)
        await staged.write(rest[counted:])
        return staged

    async def _pass(self, staged: Staged, body: Body) -> None:
        for piece in body.take():
            await self._show(piece)
            await staged.write(piece)

    async def _show(self, piece: bytes) -> None:
        if self.check is not None:
            await self.check.feed(piece)
