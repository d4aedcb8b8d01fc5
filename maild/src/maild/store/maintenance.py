"""What runs beside the traffic: checks, sweeping, retention; each in slices, so that nobody waits for it."""

from __future__ import annotations

import time
from collections.abc import Callable

from maild.store.committer import Committer
from maild.store.engine.base import Engine, T, Transaction, Work
from maild.store.interface import Finding, Health
from maild.store.removal import SLICE_MESSAGES
from maild.store.sql import access, bodies, check, mailboxes, messages, queue, sent, state, suppression, transfer
from maild.store.staging import Staging
from maild.store.watch import Watches

BODY_GRACE_SECONDS = 3600
"""A body outlives its last message by so long: sessions that still show the message can read it."""

STAGED_SECONDS = 6 * 3600
"""A staged body nobody has written to for so long belongs to a session that died."""

HISTORY_SECONDS = 40 * 24 * 3600
"""Login history and greylisting triplets are kept for so long."""

Look = Callable[[Transaction, bytes, int], tuple[list[bytes], list[Finding]]]
"""Looks at so many bodies behind an id; returns them and what is wrong with them."""

SLICE_ROWS = 100
CHECK_ROWS = 500

CHECK_SECONDS = 120.0
"""Longest time for the rows of the whole queue, or the counts of one mailbox: only the command waits for it."""


class SQLMaintenance:
    """Checks and clean-up of the database."""

    def __init__(
        self, engine: Engine, committer: Committer, staging: Staging, watches: Watches, schema: Callable[[], str]
    ) -> None:
        self._engine = engine
        self._committer = committer
        self._staging = staging
        self._watches = watches
        self._schema = schema

    async def check(self, *, bodies: bool = False) -> list[Finding]:
        """Contradictions between rows."""
        findings = await self._engine.read(check.references, seconds=CHECK_SECONDS)
        for mailbox_id in await self._engine.read(check.mailbox_ids):
            findings += await self._in_mailbox(mailbox_id)
            uid = 0
            while uid := await self._messages(mailbox_id, uid, findings):
                pass
        after = b""
        while page := await self._page(check.sizes, after, findings):
            after = page[-1]
            for blob_id in page if bodies else ():
                findings += await self._in_body(blob_id)
        after = b""
        while page := await self._page(check.strays, after, findings):
            after = page[-1]
        return findings

    async def sweep(self) -> int:
        """Removes what nothing refers to any more."""
        now = await self._engine.read(lambda tx: tx.now())
        removed = await self._staging.remove_left()
        while not await self._engine.read(transfer.is_held):
            noted, gone = await self._write(lambda tx: bodies.collect(tx, now - BODY_GRACE_SECONDS * 10**6, SLICE_ROWS))
            removed += gone
            if not noted:
                break
        stale = await self._engine.read(lambda tx: bodies.stale(tx, now - STAGED_SECONDS * 10**6, SLICE_ROWS))
        removed += await self._write(lambda tx: bodies.abandon(tx, stale))
        while await self._write(bodies.purge):
            pass
        history = now - HISTORY_SECONDS * 10**6
        removed += await self._write(lambda tx: access.forget(tx, history))
        removed += await self._write(lambda tx: state.forget(tx, history, now))
        removed += await self._write(lambda tx: suppression.forget(tx, now))
        removed += await self._write(sent.forget)
        return removed + await self._write(queue.forget_idle)

    async def retain(self, special_use: str, older_than: int) -> int:
        """Removes messages saved before that time from all mailboxes of this use."""
        removed = 0
        for mailbox_id in await self._engine.read(lambda tx: mailboxes.ids_with_use(tx, special_use)):
            while count := await self._remove_some(mailbox_id, older_than):
                removed += count
        return removed

    async def health(self) -> Health:
        """The figures of now."""
        before = time.time_ns() // 1000
        clock = await self._engine.read(lambda tx: tx.now())
        after = time.time_ns() // 1000
        return Health(
            engine=self._engine.name,
            schema=self._schema(),
            clock_offset_us=clock - (before + after) // 2,
            commits=self._committer.commits,
            committed_messages=self._committer.messages,
            waiting_messages=self._committer.waiting,
            unfinished_bytes=self._staging.budget.held,
            unknown_outcomes=self._committer.unknown,
        )

    async def _remove_some(self, mailbox_id: int, older_than: int) -> int:
        uids = await self._engine.read(lambda tx: messages.older(tx, mailbox_id, older_than, SLICE_MESSAGES))
        if not uids:
            return 0

        def work(tx: Transaction) -> tuple[int, dict[int, int]]:
            removed = messages.remove(tx, mailbox_id, uids, only_deleted=False)
            return len(removed), mailboxes.marks(tx, [mailbox_id])

        count, marks = await self._write(work)
        if count:
            self._watches.note(marks.items())
        return count

    async def _in_mailbox(self, mailbox_id: int) -> list[Finding]:
        return await self._engine.write(lambda tx: check.mailbox(tx, mailbox_id), seconds=CHECK_SECONDS)

    async def _messages(self, mailbox_id: int, after: int, findings: list[Finding]) -> int:
        last, wrong = await self._engine.read(lambda tx: check.messages(tx, mailbox_id, after, CHECK_ROWS))
        findings += wrong
        return last

    async def _page(self, look: Look, after: bytes, findings: list[Finding]) -> list[bytes]:
        """Looks at some bodies behind an id; returns them."""
        seen, wrong = await self._engine.read(lambda tx: look(tx, after, CHECK_ROWS))
        findings += wrong
        return seen

    async def _in_body(self, blob_id: bytes) -> list[Finding]:
        return await self._engine.read(lambda tx: check.body(tx, blob_id))

    async def _write(self, work: Work[T]) -> T:
        return await self._engine.write(work)
