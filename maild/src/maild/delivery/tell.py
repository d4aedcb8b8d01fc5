"""Tells senders what became of their mail: writes the notice in their language and routes it to them.

A notice about a notice is never made: items from the null sender are silent.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

from maild.delivery import notices
from maild.delivery.dispatch import own_message
from maild.delivery.notices import Told, Translate
from maild.delivery.router import Router
from maild.mail import return_path
from maild.mail.address import lenient
from maild.mail.dsn import MAX_RETURNED
from maild.store import Directory, Incoming, Messages, Queue, QueueItem


class Teller:
    """Makes the notices of settled items. ``translator`` gives a translation by language."""

    def __init__(
        self,
        router: Router,
        directory: Directory,
        messages: Messages,
        queue: Queue,
        *,
        hostname: str,
        language: str,
        lifetime: int,
        translator: Callable[[str], Translate],
    ) -> None:
        self._router = router
        self._directory = directory
        self._messages = messages
        self._queue = queue
        self._hostname = hostname
        self._language = language
        self._lifetime = lifetime
        self._translator = translator

    def configure(self, router: Router, *, hostname: str, language: str, lifetime: int) -> None:
        """Takes changed settings."""
        self._router = router
        self._hostname, self._language, self._lifetime = hostname, language, lifetime

    async def notices(self, item: QueueItem, told: Sequence[Told], now: int) -> tuple[Incoming, ...]:
        """The notice to the sender, if one is due and the sender may be written to."""
        if not told or not item.sender or await self._queue.suppressed(item.sender) is not None:
            return ()
        language = await self._language_of(item.sender)
        writer = notices.Writer(
            hostname=self._hostname,
            translate=self._translator(language),
            language=language,
            now=now,
            random=os.urandom(8),
        )
        read = min(item.size, MAX_RETURNED + 1 + return_path.MAX_FIELD)
        original = return_path.without(await self._messages.read(item.blob_id, 0, read))
        body = notices.notice(item, told, original, item.expires_at, writer)
        if body is None:
            return ()
        message = await own_message(
            self._router, body, [item.sender], sender=None, origin="bounce", expires_at=now + self._lifetime
        )
        return () if message is None else (message,)

    async def _language_of(self, sender: str) -> str:
        address = lenient(sender)
        if address is None:
            return self._language
        found = await self._directory.resolve(address.local, address.domain)
        own = found.account.language if found.account else ""
        return own or self._language
