"""The one committer: takes the finished messages that have queued up and writes them in one transaction.

While a batch is on its way to the disk the next one gathers, so that a busy server shares a commit among many messages
and an idle one waits for nothing. A batch that fails is halved until the message at fault is alone; a commit whose
answer was lost is looked up by the ingest ids, which are unique in the database, before anybody is answered.
"""

from __future__ import annotations

import asyncio
from collections import deque
from dataclasses import dataclass

from maild.store.budget import Budget
from maild.store.cache import Fresh
from maild.store.engine.base import CommitUnknown, Duplicate, Engine, Transaction
from maild.store.errors import StoreError, StoreUnavailable
from maild.store.prepare import prepare
from maild.store.records.arrival import Accepted, Incoming
from maild.store.sql import accounts, arrival
from maild.store.sql.arrival import Prepared
from maild.store.staging import StagedBody
from maild.store.watch import Watches

BATCH_MESSAGES = 64
BATCH_BYTES = 8 << 20
"""A batch holds at most so much: its locks and its redo log stay short."""

PATIENCE_SECONDS = 8.0
"""A caller gets its answer within this time: hundreds of them answer at once then, each within 10 s."""

LOOK_SECONDS = 6.0
"""How long the outcome of a lost commit is looked for."""

LOOK_STEP_SECONDS = 0.1

SMALL_BYTES = 32 << 10
"""Below this a message is compressed with its batch, by the thread that writes: a thread of its own costs more."""


@dataclass(eq=False, slots=True)
class _Waiting:
    """A message and who waits for it."""

    incoming: Incoming
    answer: asyncio.Future[Accepted]
    prepared: Prepared | None

    @property
    def size(self) -> int:
        """About the bytes that go into the transaction."""
        if self.prepared is not None:
            return self.prepared.stored
        return len(self.incoming.body) if isinstance(self.incoming.body, bytes) else 0

    def ready(self) -> Prepared:
        """The message as it is written, made by whoever asks first: one of the engine's threads."""
        if self.prepared is None:
            self.prepared = prepare(self.incoming)
        return self.prepared


class Committer:
    """Group commit of ``Store.accept``."""

    def __init__(self, engine: Engine, budget: Budget, watches: Watches) -> None:
        self._engine = engine
        self._budget = budget
        self._watches = watches
        self._limited: Fresh[None, frozenset[int]] = Fresh(lambda _: engine.read(accounts.limited))
        self._waiting: deque[_Waiting] = deque()
        self._some = asyncio.Event()
        self._closing = False
        self._loop = asyncio.get_running_loop()
        self._runner = self._loop.create_task(self._run(), name="store-commit")
        self.commits = 0
        self.messages = 0
        self.unknown = 0

    @property
    def waiting(self) -> int:
        """Messages not yet taken into a batch."""
        return len(self._waiting)

    async def accept(self, incoming: Incoming) -> Accepted:
        """Returns once the message is committed."""
        if self._closing:
            raise StoreUnavailable("the store is closing")
        held = len(incoming.body) if isinstance(incoming.body, bytes) and not incoming.counted else 0
        if held:
            await self._budget.take(held)
        try:
            accepted = await self._commit_one(incoming)
        finally:
            if held:
                self._budget.give(held)
        if isinstance(incoming.body, StagedBody):
            incoming.body.end()
        return accepted

    async def _commit_one(self, incoming: Incoming) -> Accepted:
        prepared = await _prepared(incoming)
        answer: asyncio.Future[Accepted] = self._loop.create_future()
        timer = self._loop.call_later(PATIENCE_SECONDS, _expire, answer)
        self._waiting.append(_Waiting(incoming, answer, prepared))
        self._some.set()
        try:
            return await answer
        finally:
            timer.cancel()

    async def close(self) -> None:
        """Commits what is waiting, then ends."""
        self._closing = True
        self._some.set()
        await self._runner

    async def _run(self) -> None:
        while not self._closing:
            await self._some.wait()
            self._some.clear()
            while batch := self._take():
                try:
                    await self._commit(batch)
                except Exception as error:  # noqa: BLE001 - whatever it is, the next batch has a right to be tried
                    _refuse(batch, StoreUnavailable(f"{type(error).__name__}: {error}"))

    def _take(self) -> list[_Waiting]:
        batch: list[_Waiting] = []
        size = 0
        while self._waiting and len(batch) < BATCH_MESSAGES:
            if self._waiting[0].answer.done():
                self._waiting.popleft()
                continue
            size += self._waiting[0].size
            if batch and size > BATCH_BYTES:
                break
            batch.append(self._waiting.popleft())
        return batch

    async def _commit(self, batch: list[_Waiting]) -> None:
        try:
            limited = await self._limited.get(None)
            answers = await self._engine.write(
                lambda tx: arrival.accept(tx, [waiting.ready() for waiting in batch], limited)
            )
        except CommitUnknown:
            self.unknown += 1
            await self._look_up(batch)
        except StoreUnavailable as error:
            _refuse(batch, error)
        except Duplicate as error:
            # An ingest id that is there already: an earlier commit of it took place after all.
            await (self._halve(batch, error) if len(batch) > 1 else self._look_up(batch))
        except Exception as error:  # noqa: BLE001 - one bad message must not fail the others, nor end the committer
            await self._halve(batch, error)
        else:
            self.commits += 1
            self._answer(batch, answers)

    async def _halve(self, batch: list[_Waiting], error: Exception) -> None:
        if len(batch) == 1:
            _refuse(batch, error)
            return
        middle = len(batch) // 2
        await self._commit(batch[:middle])
        await self._commit(batch[middle:])

    async def _look_up(self, batch: list[_Waiting]) -> None:
        """Finds out which messages are there; those that are not are written again, which their ids make safe."""
        found = await self._found([waiting.incoming for waiting in batch])
        if found is None:
            _refuse(batch, StoreUnavailable("the outcome of a commit is unknown"))
            return
        missing = []
        for waiting, accepted in zip(batch, found, strict=True):
            if accepted is None:
                missing.append(waiting)
            else:
                self._answer([waiting], [accepted])
        if missing:
            await self._commit_again(missing)

    async def _commit_again(self, batch: list[_Waiting]) -> None:
        try:
            answers = await self._engine.write(lambda tx: arrival.accept(tx, [waiting.ready() for waiting in batch]))
        except StoreError as error:
            # The lost transaction may hold these very ids, still undecided: its client's retry brings a new one.
            found = await self._found([waiting.incoming for waiting in batch])
            for waiting, accepted in zip(batch, found or [None] * len(batch), strict=True):
                if accepted is None:
                    _refuse([waiting], StoreUnavailable(f"the outcome of a commit is unknown: {error}"))
                else:
                    self._answer([waiting], [accepted])
        else:
            self.commits += 1
            self._answer(batch, answers)

    async def _found(self, incoming: list[Incoming]) -> list[Accepted | None] | None:
        def work(tx: Transaction) -> list[Accepted | None]:
            return [arrival.found(tx, one) for one in incoming]

        loop = asyncio.get_running_loop()
        end = loop.time() + LOOK_SECONDS
        while loop.time() < end:
            try:
                return await self._engine.read(work)
            except StoreUnavailable:
                await asyncio.sleep(LOOK_STEP_SECONDS)
        return None

    def _answer(self, batch: list[_Waiting], answers: list[Accepted | StoreError] | list[Accepted]) -> None:
        for waiting, answer in zip(batch, answers, strict=True):
            if isinstance(answer, StoreError):
                _refuse([waiting], answer)
                continue
            self.messages += 1
            if self._watches.any:
                self._watches.note((place.mailbox_id, place.modseq) for place in answer.placed)
            if not waiting.answer.done():
                waiting.answer.set_result(answer)


async def _prepared(incoming: Incoming) -> Prepared | None:
    """The message as it is written, or None when that can wait: a staged body may be gone when its caller is."""
    body = incoming.body
    if (len(body) if isinstance(body, bytes) else body.size) > SMALL_BYTES:
        return await asyncio.to_thread(prepare, incoming)
    return None if isinstance(body, bytes) else prepare(incoming)


def _expire(answer: asyncio.Future[Accepted]) -> None:
    if not answer.done():
        answer.set_exception(StoreUnavailable(f"no commit within {PATIENCE_SECONDS:g} s"))


def _refuse(batch: list[_Waiting], error: Exception) -> None:
    for waiting in batch:
        if not waiting.answer.done():
            waiting.answer.set_exception(error)
