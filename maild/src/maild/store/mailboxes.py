"""Mailboxes of the store: ``maild.store.records.mail.Mailboxes`` over an engine."""

from __future__ import annotations

from collections.abc import Sequence

from maild.store.engine.base import Engine, Transaction
from maild.store.errors import AlreadyExists, NotFound
from maild.store.records.mail import Keywords, Mailbox, Watch
from maild.store.removal import SLICE_MESSAGES, clear_mailbox
from maild.store.sql import mailboxes, messages
from maild.store.sql.mailboxes import canonical_name
from maild.store.watch import DELETED_MARK, Watches


class SQLMailboxes:
    """Names, counters and subscriptions in the database."""

    def __init__(self, engine: Engine, watches: Watches) -> None:
        self._engine = engine
        self._watches = watches

    async def of(self, account_id: int) -> list[Mailbox]:
        """All of an account, by name."""
        return await self._engine.read(lambda tx: mailboxes.of(tx, account_id))

    async def named(self, account_id: int, name: str) -> Mailbox | None:
        """By name."""
        wanted = canonical_name(name)
        return await self._engine.read(lambda tx: mailboxes.named(tx, account_id, wanted))

    async def get(self, mailbox_id: int) -> Mailbox | None:
        """By id."""
        return await self._engine.read(lambda tx: mailboxes.get(tx, mailbox_id))

    async def with_use(self, account_id: int, special_use: str) -> Mailbox | None:
        """The mailbox with this special use."""
        return await self._engine.read(lambda tx: mailboxes.with_use(tx, account_id, special_use))

    async def create(self, account_id: int, name: str, *, special_use: str = "") -> Mailbox:
        """Makes a mailbox and the parents it lacks."""
        wanted = canonical_name(name)
        return await self._engine.write(lambda tx: mailboxes.create(tx, account_id, wanted, special_use))

    async def rename(self, account_id: int, old: str, new: str) -> None:
        """With its children; INBOX stays and its messages move."""
        source, target = canonical_name(old), canonical_name(new)
        if source != "INBOX":
            await self._engine.write(lambda tx: mailboxes.rename(tx, account_id, source, target))
            return
        inbox = await self.named(account_id, source)
        if inbox is None:
            raise NotFound("mailbox INBOX")
        if target == "INBOX" or await self.named(account_id, target) is not None:
            raise AlreadyExists(f"mailbox {target}")
        made = await self.create(account_id, target)
        while await self._engine.write(lambda tx: _move_some(tx, inbox.id, made.id)):
            pass

    async def delete(self, account_id: int, name: str) -> None:
        """With its messages, slice by slice; children stay."""
        wanted = canonical_name(name)
        mailbox_id = await self._engine.read(lambda tx: mailboxes.begin_delete(tx, account_id, wanted))
        while True:
            await clear_mailbox(self._engine, mailbox_id)
            if await self._engine.write(lambda tx: mailboxes.finish_delete(tx, mailbox_id)):
                break
        self._watches.note([(mailbox_id, DELETED_MARK)])

    async def subscribe(self, account_id: int, name: str, *, on: bool = True) -> None:
        """Subscribes or unsubscribes."""
        wanted = canonical_name(name)
        await self._engine.write(lambda tx: mailboxes.subscribe(tx, account_id, wanted, on=on))

    async def subscriptions(self, account_id: int) -> list[str]:
        """Names, sorted."""
        return await self._engine.read(lambda tx: mailboxes.subscriptions(tx, account_id))

    async def set_use(self, mailbox_id: int, special_use: str) -> None:
        """Changes the special use."""
        await self._engine.write(lambda tx: mailboxes.set_use(tx, mailbox_id, special_use))

    async def keywords(self, account_id: int) -> Keywords:
        """The keywords the account uses."""
        return await self._engine.read(lambda tx: mailboxes.keywords(tx, account_id))

    async def marks(self, mailbox_ids: Sequence[int]) -> dict[int, int]:
        """HIGHESTMODSEQ by id."""
        return await self._engine.read(lambda tx: mailboxes.marks(tx, mailbox_ids))

    def watch(self) -> Watch:
        """A new, empty watch."""
        return self._watches.open()


def _move_some(tx: Transaction, source_id: int, target_id: int) -> int:
    rows = messages.range_(tx, source_id, 0, 1 << 40, SLICE_MESSAGES)
    if rows:
        messages.move(tx, source_id, [row.uid for row in rows], target_id)
    return len(rows)
