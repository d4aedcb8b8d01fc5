"""How much a user may send: messages an hour and recipients a day, counted in the store, so they hold over all daemons.

A stolen password then costs some hundred messages, not a million. Many submissions at once cost few commits.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from maild.policy.batches import Batches
from maild.store import Access, Charge, Sent


@dataclass(frozen=True, slots=True)
class Bound:
    """A bound that a user has reached; as text it is English, for replies and the log."""

    most: int
    of: Literal["messages an hour", "recipients a day"]

    def __str__(self) -> str:
        return f"{self.most} {self.of}"


class Rates:
    """The bounds of the settings; ``sent`` looks, ``charge`` counts. Both raise ``StoreError``."""

    def __init__(self, access: Access, messages_per_hour: int, recipients_per_day: int) -> None:
        self._access = access
        self._messages_per_hour, self._recipients_per_day = messages_per_hour, recipients_per_day
        self._charges: Batches[Charge, Sent | None] = Batches(access.charge)

    def configure(self, messages_per_hour: int, recipients_per_day: int) -> None:
        """Takes changed settings."""
        self._messages_per_hour, self._recipients_per_day = messages_per_hour, recipients_per_day

    async def sent(self, account_id: int) -> Sent:
        """What the user sent lately; nothing is asked where there is no bound."""
        return await self._access.sent(account_id) if self._bounded else Sent(messages=0, recipients=0)

    def exceeded(self, sent: Sent, account_id: int, recipients: int) -> Bound | None:
        """Which bound a message to that many recipients would break after these, or None."""
        wanted = self._charge(account_id, recipients)
        return self._bound(sent) if wanted.exceeds(sent) else None

    async def charge(self, account_id: int, recipients: int) -> Bound | None:
        """Counts a message that is about to be accepted; the bound it would break, or None."""
        if not self._bounded:
            return None
        sent = await self._charges.run(self._charge(account_id, recipients))
        return None if sent is None else self._bound(sent)

    @property
    def _bounded(self) -> bool:
        return bool(self._messages_per_hour or self._recipients_per_day)

    def _charge(self, account_id: int, recipients: int) -> Charge:
        return Charge(
            account_id=account_id,
            recipients=recipients,
            messages_per_hour=self._messages_per_hour,
            recipients_per_day=self._recipients_per_day,
        )

    def _bound(self, sent: Sent) -> Bound:
        if self._messages_per_hour and sent.messages >= self._messages_per_hour:
            return Bound(self._messages_per_hour, "messages an hour")
        return Bound(self._recipients_per_day, "recipients a day")
