"""Messages of the store: ``maild.store.records.mail.Messages`` over an engine.

Work on many messages is cut into slices here; each slice is one transaction of ``maild.store.sql.messages``.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import suppress

from maild.store.engine.base import Engine, Transaction
from maild.store.errors import MailboxGone, StoreUnavailable
from maild.store.records.arrival import CHUNK_BYTES
from maild.store.records.mail import (
    DELETED,
    Changes,
    Copied,
    FlagAction,
    FlagsStored,
    Message,
    Structure,
    View,
)
from maild.store.removal import SLICE_MESSAGES
from maild.store.sql import bodies, mailboxes, messages
from maild.store.sql.statement import Row
from maild.store.view import WORTH_CHANGES, WORTH_MESSAGES, ViewArrays, decode, encode
from maild.store.watch import Watches

CHANGED_MESSAGES = 500
"""Messages whose flags change, or that move, in one transaction: about 10 ms of SQLite's one writer."""

READ_SLICE = 20_000
"""Rows of UID and flags read in one transaction."""

MOST_READ_BYTES = 8 << 20
"""Largest stretch that ``read`` returns at once."""


class SQLMessages:
    """Message rows and bodies in the database."""

    def __init__(self, engine: Engine, watches: Watches) -> None:
        self._engine = engine
        self._watches = watches

    async def view(self, mailbox_id: int) -> View:
        """UIDs and flags of the whole mailbox."""
        kept = await self._engine.read(lambda tx: messages.snapshot(tx, mailbox_id))
        arrays = decode(kept[1]) if kept else None
        if kept is None or arrays is None:
            since, arrays = await self._scan(mailbox_id)
            fresh = True
        else:
            since, fresh = kept[0], False
        modseq, changed, vanished = await self._engine.read(lambda tx: messages.flags_since(tx, mailbox_id, since))
        arrays.apply(changed, vanished)
        if len(arrays.uids) >= WORTH_MESSAGES and (fresh or len(changed) + len(vanished) >= WORTH_CHANGES):
            await self._keep(mailbox_id, modseq, encode(arrays))
        return View(mailbox_id=mailbox_id, modseq=modseq, uids=arrays.uids, flags=arrays.flags)

    async def get(self, mailbox_id: int, uids: Sequence[int]) -> list[Message]:
        """Rows by rising UID."""
        return await self._engine.read(lambda tx: messages.get(tx, mailbox_id, uids))

    async def range(self, mailbox_id: int, first: int, last: int, limit: int = 1000) -> list[Message]:
        """Rows between two UIDs."""
        return await self._engine.read(lambda tx: messages.range_(tx, mailbox_id, first, last, limit))

    async def changes(self, mailbox_id: int, since: int) -> Changes:
        """Everything with a MODSEQ above ``since``."""
        return await self._engine.read(lambda tx: messages.changes(tx, mailbox_id, since))

    async def structures(self, blob_ids: Sequence[bytes]) -> dict[bytes, Structure]:
        """What has been encoded for these bodies."""
        return await self._engine.read(lambda tx: bodies.structures(tx, blob_ids))

    async def save_structure(self, blob_id: bytes, structure: Structure) -> None:
        """Replaces what was encoded before."""
        await self._engine.write(lambda tx: bodies.save_structure(tx, blob_id, structure))

    async def save_structures(self, structures: Mapping[bytes, Structure]) -> None:
        """Replaces what was encoded before for several bodies."""

        def save(tx: Transaction) -> None:
            for blob_id in sorted(structures):
                bodies.save_structure(tx, blob_id, structures[blob_id])

        await self._engine.write(save)

    async def read(self, blob_id: bytes, offset: int = 0, length: int | None = None) -> bytes:
        """A stretch of a body."""
        sizes = await self._engine.read(lambda tx: bodies.sizes(tx, blob_id))
        wanted = bodies.stretch(sizes, offset, length)
        if sum(last - first for _, _, first, last in wanted) > MOST_READ_BYTES:
            raise ValueError(f"more than {MOST_READ_BYTES} bytes are read in chunks")
        return await self._engine.read(lambda tx: bodies.read(tx, blob_id, offset, length))

    async def chunks(self, blob_id: bytes, offset: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        """The body in pieces of at most 1 MiB."""
        sizes = await self._engine.read(lambda tx: bodies.sizes(tx, blob_id))
        for number, size, first, last in bodies.stretch(sizes, offset, length):
            piece = await self._chunk(blob_id, number, size)
            for start in range(first, last, CHUNK_BYTES):
                yield piece[start : min(start + CHUNK_BYTES, last)]

    async def store_flags(
        self,
        mailbox_id: int,
        uids: Sequence[int],
        action: FlagAction,
        flags: Sequence[str],
        *,
        unchanged_since: int | None = None,
    ) -> FlagsStored:
        """STORE in slices."""
        changed: list[tuple[int, int, int]] = []
        modified: list[int] = []
        for part in _slices(uids, CHANGED_MESSAGES):
            stored = await self._store_slice(mailbox_id, part, action, flags, unchanged_since)
            changed += stored.changed
            modified += stored.modified
        self._note(mailbox_id, [modseq for _, _, modseq in changed])
        return FlagsStored(changed=tuple(changed), modified=tuple(modified))

    async def expunge(self, mailbox_id: int, uids: Sequence[int] | None = None) -> list[int]:
        r"""Removes messages marked \Deleted."""
        if uids is None:
            box = await self._engine.read(lambda tx: mailboxes.get(tx, mailbox_id))
            if box is None:
                raise MailboxGone(f"mailbox {mailbox_id}")
            if not box.deleted:
                return []
            view = await self.view(mailbox_id)
            uids = [uid for uid, flags in zip(view.uids, view.flags, strict=True) if flags & DELETED]
        return await self._remove(mailbox_id, uids, only_deleted=True)

    async def remove(self, mailbox_id: int, uids: Sequence[int]) -> list[int]:
        """Removes messages whatever their flags."""
        return await self._remove(mailbox_id, uids, only_deleted=False)

    async def copy(self, mailbox_id: int, uids: Sequence[int], target_id: int) -> Copied:
        """COPY, all or nothing."""
        copied = await self._engine.write(lambda tx: messages.copy(tx, mailbox_id, uids, target_id))
        await self._look(target_id)
        return copied

    async def move(self, mailbox_id: int, uids: Sequence[int], target_id: int) -> Copied:
        """MOVE in slices."""
        source: list[int] = []
        destination: list[int] = []
        uidvalidity = 0
        for part in _slices(uids, CHANGED_MESSAGES) if uids else iter([[]]):
            moved = await self._move_slice(mailbox_id, part, target_id)
            source += moved.source
            destination += moved.destination
            uidvalidity = moved.uidvalidity
        await self._look(mailbox_id, target_id)
        return Copied(uidvalidity=uidvalidity, source=tuple(source), destination=tuple(destination))

    async def _scan(self, mailbox_id: int) -> tuple[int, ViewArrays]:
        """All rows slice by slice, and the MODSEQ before the first: what changes meanwhile comes on top."""
        modseq, _, _ = await self._engine.read(lambda tx: messages.flags_since(tx, mailbox_id, 1 << 62))
        arrays = ViewArrays()
        after = 0
        while rows := await self._flags_after(mailbox_id, after):
            arrays.append(rows)
            after = rows[-1][0]
        return modseq, arrays

    async def _keep(self, mailbox_id: int, modseq: int, encoded: bytes) -> None:
        with suppress(StoreUnavailable):
            await self._engine.write(lambda tx: messages.put_snapshot(tx, mailbox_id, modseq, encoded))

    async def _flags_after(self, mailbox_id: int, after: int) -> list[Row]:
        return await self._engine.read(lambda tx: messages.flags_after(tx, mailbox_id, after, READ_SLICE))

    async def _chunk(self, blob_id: bytes, number: int, size: int) -> bytes:
        return await self._engine.read(lambda tx: bodies.chunk(tx, blob_id, number, size))

    async def _store_slice(
        self,
        mailbox_id: int,
        uids: Sequence[int],
        action: FlagAction,
        flags: Sequence[str],
        unchanged_since: int | None,
    ) -> FlagsStored:
        return await self._engine.write(
            lambda tx: messages.store_flags(tx, mailbox_id, uids, action, flags, unchanged_since)
        )

    async def _move_slice(self, mailbox_id: int, uids: Sequence[int], target_id: int) -> Copied:
        return await self._engine.write(lambda tx: messages.move(tx, mailbox_id, uids, target_id))

    async def _remove_slice(self, mailbox_id: int, uids: Sequence[int], *, only_deleted: bool) -> list[int]:
        return await self._engine.write(lambda tx: messages.remove(tx, mailbox_id, uids, only_deleted=only_deleted))

    async def _remove(self, mailbox_id: int, uids: Sequence[int], *, only_deleted: bool) -> list[int]:
        removed: list[int] = []
        for part in _slices(uids, SLICE_MESSAGES):
            removed += await self._remove_slice(mailbox_id, part, only_deleted=only_deleted)
        if removed:
            await self._look(mailbox_id)
        return removed

    async def _look(self, *mailbox_ids: int) -> None:
        # The change is committed; a database that goes away right now must not turn it into a failure.
        with suppress(StoreUnavailable):
            marks = await self._engine.read(lambda tx: mailboxes.marks(tx, mailbox_ids))
            self._watches.note(marks.items())

    def _note(self, mailbox_id: int, modseqs: Sequence[int]) -> None:
        if modseqs:
            self._watches.note([(mailbox_id, max(modseqs))])


def _slices(uids: Sequence[int], size: int) -> Iterator[Sequence[int]]:
    ordered = sorted(set(uids))
    for start in range(0, len(ordered), size):
        yield ordered[start : start + size]
