"""Group commit of ``Queue.finish``: outcomes that are ready together share a transaction, behind mail that comes in.

A lease that was lost fails alone. A group that fails for another reason is halved until the outcome at fault is alone;
whatever the store did not confirm stays leased, and its message goes once more when the lease has run out.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

from maild.store.engine.base import Engine, Transaction
from maild.store.errors import LeaseLost, StoreError, StoreUnavailable
from maild.store.prepare import prepare
from maild.store.records.arrival import Incoming
from maild.store.records.queue import Lease, Outcome
from maild.store.sql import arrival, queue
from maild.store.sql.arrival import Prepared
from maild.store.watch import Watches

TOGETHER = 16
"""Outcomes of one transaction: a millisecond, which the mail that comes in may have to wait."""


@dataclass(eq=False, slots=True)
class _Ended:
    """An attempt that is over, and who waits for it to be written."""

    lease: Lease
    outcome: Outcome
    notices: Sequence[Prepared]
    answer: asyncio.Future[None]


class Finisher:
    """Writes outcomes for one loop."""

    def __init__(self, engine: Engine, watches: Watches) -> None:
        self._engine = engine
        self._watches = watches
        self._waiting: deque[_Ended] = deque()
        self._runner: asyncio.Task[None] | None = None

    async def finish(self, lease: Lease, outcome: Outcome, notices: Sequence[Incoming]) -> None:
        """Returns once the outcome and its notices are committed; raises ``LeaseLost``, ``StoreError``."""
        prepared = [await asyncio.to_thread(prepare, notice) for notice in notices]
        loop = asyncio.get_running_loop()
        answer: asyncio.Future[None] = loop.create_future()
        self._waiting.append(_Ended(lease, outcome, prepared, answer))
        if self._runner is None or self._runner.done():
            self._runner = loop.create_task(self._run(), name="store-finish")
        await answer

    async def _run(self) -> None:
        while self._waiting:
            group = [self._waiting.popleft() for _ in range(min(TOGETHER, len(self._waiting)))]
            await self._write(group)

    async def _write(self, group: list[_Ended]) -> None:
        try:
            answers, placed = await self._engine.write(lambda tx: _finish(tx, group), behind=True)
        except StoreUnavailable as error:
            _refuse(group, error)
        except Exception as error:  # noqa: BLE001 - one outcome must not fail the others, nor end the loop
            if len(group) == 1:
                _refuse(group, error)
                return
            middle = len(group) // 2
            await self._write(group[:middle])
            await self._write(group[middle:])
        else:
            self._watches.note(placed)
            for ended, lost in zip(group, answers, strict=True):
                if lost is not None:
                    _refuse([ended], lost)
                elif not ended.answer.done():
                    ended.answer.set_result(None)


def _finish(tx: Transaction, group: Sequence[_Ended]) -> tuple[list[LeaseLost | None], list[tuple[int, int]]]:
    """What became of each outcome, and the mailboxes that notices went into with their MODSEQ."""
    answers = queue.finish(tx, [(ended.lease, ended.outcome) for ended in group])
    notices = [each for ended, lost in zip(group, answers, strict=True) if lost is None for each in ended.notices]
    placed: list[tuple[int, int]] = []
    for accepted in arrival.accept(tx, notices) if notices else ():
        if isinstance(accepted, StoreError):
            raise accepted
        placed += [(place.mailbox_id, place.modseq) for place in accepted.placed]
    return answers, placed


def _refuse(group: Sequence[_Ended], error: Exception) -> None:
    for ended in group:
        if not ended.answer.done():
            ended.answer.set_exception(error)
