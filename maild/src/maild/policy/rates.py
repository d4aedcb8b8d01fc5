"""How much a user may send: messages an hour and recipients a day, counted in the store, so they hold over all daemons.

A stolen password then costs some hundred messages, not a million. What comes while a count is written is counted
together in the next write, so many submissions at once cost few commits.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from maild.store import Access, Charge, Sent


@dataclass(slots=True)
class Rates:
    """The bounds of the settings; ``exceeded`` looks, ``charge`` counts. Both raise ``StoreError``."""

    access: Access
    messages_per_hour: int
    recipients_per_day: int
    _waiting: list[Charge] = field(default_factory=list)
    _write: asyncio.Task[list[Sent | None]] | None = None
    """Counts all that waits, as soon as the write before it is done."""
    _writing: asyncio.Lock = field(default_factory=asyncio.Lock)

    def configure(self, messages_per_hour: int, recipients_per_day: int) -> None:
        """Takes changed settings."""
        self.messages_per_hour, self.recipients_per_day = messages_per_hour, recipients_per_day

    async def sent(self, account_id: int) -> Sent:
        """What the user sent lately; nothing is asked where there is no bound."""
        bounded = self.messages_per_hour or self.recipients_per_day
        return await self.access.sent(account_id) if bounded else Sent(messages=0, recipients=0)

    def exceeded(self, sent: Sent, account_id: int, recipients: int) -> str | None:
        """Which bound a message to that many recipients would break after these, or None."""
        wanted = self._charge(account_id, recipients)
        return self._bound(sent) if wanted.exceeds(sent) else None

    async def charge(self, account_id: int, recipients: int) -> str | None:
        """Counts a message that is about to be accepted; the bound it would break, or None."""
        if not self.messages_per_hour and not self.recipients_per_day:
            return None
        place = len(self._waiting)
        self._waiting.append(self._charge(account_id, recipients))
        if self._write is None:
            self._write = asyncio.create_task(self._count())
        # A session that ends while it waits must not end the write of the others.
        sent = (await asyncio.shield(self._write))[place]
        return None if sent is None else self._bound(sent)

    async def _count(self) -> list[Sent | None]:
        async with self._writing:
            charges, self._waiting, self._write = self._waiting, [], None
            return await self.access.charge(charges)

    def _charge(self, account_id: int, recipients: int) -> Charge:
        return Charge(
            account_id=account_id,
            recipients=recipients,
            messages_per_hour=self.messages_per_hour,
            recipients_per_day=self.recipients_per_day,
        )

    def _bound(self, sent: Sent) -> str:
        if self.messages_per_hour and sent.messages >= self.messages_per_hour:
            return f"{self.messages_per_hour} messages an hour"
        return f"{self.recipients_per_day} recipients a day"
