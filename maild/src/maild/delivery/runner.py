"""Empties the queue: leases what is due, works on each destination in a task of its own, writes every outcome.

A destination that did not answer backs off as a whole, so that its thousands of messages cost one attempt; where it
drops the session over a message or two, only those wait. Leases are prolonged while an attempt lasts; an outcome whose
lease was lost is not written, and the message goes once more (at least once, with one Message-ID). Work of ours (list
copies, automatic answers) is expanded here too.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from maild.delivery import destination
from maild.delivery.attempt import Body, Courier, DroppedError, Said
from maild.delivery.destination import Way
from maild.delivery.endpoints import Endpoints
from maild.delivery.expansion import Expansion
from maild.delivery.next_hop import Connect, HopError, Reply
from maild.delivery.pacing import Pacing
from maild.delivery.schedule import Schedule
from maild.delivery.settle import expired_reply, said_of_all, settle
from maild.delivery.tell import Teller
from maild.log import Log
from maild.store import Lease, LeaseLost, Outcome, Queue, RecipientState, StoreError

LEASE_SECONDS = 60.0
"""How long a lease holds without being prolonged: after a crash its messages wait this long."""
RENEW_SECONDS = 15.0
"""How often a lease is prolonged while its attempt lasts."""
LEASED_TOGETHER = 25
"""Messages leased in one transaction: a millisecond, which the mail that comes in may have to wait."""
LEASED_BESIDE_ARRIVALS = 5
"""The same while mail does come in."""
PER_SESSION = 20
"""Messages leased for one session of a destination, so that a connection is used more than once."""
POLL_SECONDS = 1.0
"""Longest sleep: rows of other daemons and wishes of the CLI are seen within it."""
DROPPED = 2
"""Messages in a row that a destination may drop its sessions over before it is taken to be the one at fault."""
_TAKEN = Reply(250, "2.0.0", "expanded here")
FAULT_SECONDS = 5.0
"""Pause after a fault of the store."""


@dataclass(frozen=True, slots=True)
class _Clock:
    """The database's clock, asked once for a group of messages and carried on by this host's monotonic one."""

    read: int
    """Microseconds, when it was asked."""
    at: float
    """Monotonic seconds of that moment."""

    def now(self) -> int:
        """Microseconds now."""
        return self.read + int((time.monotonic() - self.at) * 1_000_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """How much is done at once."""

    owner: str
    workers: int = 50
    per_destination: int = 5


class Runner:
    """The queue's one loop in a daemon. ``run`` ends when ``stop`` is set and the attempts under way are over."""

    def __init__(
        self,
        queue: Queue,
        pace: Pace,
        schedule: Schedule,
        *,
        endpoints: Endpoints,
        connect: Connect,
        body: Body,
        expansion: Expansion,
        teller: Teller,
        log: Log,
        chance: Callable[[], float] = random.random,
    ) -> None:
        self._queue = queue
        self._pace = pace
        self._schedule = schedule
        self._endpoints = endpoints
        self._connect = connect
        self._body = body
        self._expansion = expansion
        self._teller = teller
        self._log = log
        self._chance = chance
        self.pacing = Pacing()
        self._watch: asyncio.Task[None] | None = None
        self._tasks: set[asyncio.Task[None]] = set()
        self._free = asyncio.Event()
        self._woken = asyncio.Event()
        self._answered: set[str] = set()
        self._failures: dict[str, int] = {}
        self._dropped: dict[str, set[int]] = {}
        self._looked = -POLL_SECONDS

    def configure(self, pace: Pace, schedule: Schedule) -> None:
        """Takes changed settings; attempts under way end as they began, waits that were set stay."""
        self._pace, self._schedule = pace, schedule
        self.wake()

    def wake(self) -> None:
        """Something was queued: look now."""
        self._woken.set()

    async def run(self, stop: asyncio.Event) -> None:
        """Works until ``stop`` is set; what this owner had in work before a crash is due again at once."""
        recovered = False
        while not stop.is_set():
            try:
                recovered = recovered or await self._queue.abandon(self._pace.owner) >= 0
                leases = await self._lease()
                await self._give_up_expired()
            except StoreError as error:
                self._log.debug(f"The queue is not reachable: {error.cause or error}")
                await self._sleep(stop, FAULT_SECONDS)
                continue
            for group in self._groups(leases):
                self._start(group)
            if not leases:
                await self._sleep(stop, POLL_SECONDS)
        if self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _lease(self) -> list[Lease]:
        while len(self._tasks) >= self._pace.workers:
            self._free.clear()
            await self._free.wait()
        await self.pacing.make_way()
        room = (self._pace.workers - len(self._tasks)) * PER_SESSION
        return await self._queue.lease(
            self._pace.owner,
            limit=min(room, LEASED_BESIDE_ARRIVALS if self.pacing.arriving else LEASED_TOGETHER),
            per_destination=self._pace.per_destination * PER_SESSION,
            seconds=LEASE_SECONDS,
        )

    def _groups(self, leases: Sequence[Lease]) -> list[list[Lease]]:
        """What one session each works on: several at a destination that answered lately, else one that finds out."""
        groups: list[list[Lease]] = []
        ordered = sorted(leases, key=lambda lease: lease.item.destination)
        for name, found in itertools.groupby(ordered, key=lambda lease: lease.item.destination):
            rows = list(found)
            size = PER_SESSION if name in self._answered else len(rows)
            groups += [rows[start : start + size] for start in range(0, len(rows), size)]
        return groups

    def _start(self, group: list[Lease]) -> None:
        if self._watch is None:
            self._watch = asyncio.create_task(self.pacing.watch())
        task = asyncio.get_running_loop().create_task(self._work(group))
        self._tasks.add(task)
        task.add_done_callback(self._ended)

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if not self._tasks and self._watch is not None:
            self._watch.cancel()
            self._watch = None
        self._free.set()
        self._woken.set()
        if not task.cancelled() and (error := task.exception()) is not None:
            self._log.fault("a delivery attempt ended by a fault", error)

    async def _sleep(self, stop: asyncio.Event, seconds: float) -> None:
        self._woken.clear()
        waits: list[asyncio.Task[bool]] = [asyncio.create_task(event.wait()) for event in (stop, self._woken)]
        await asyncio.wait(waits, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()

    # One destination

    async def _work(self, group: list[Lease]) -> None:
        keeper = asyncio.create_task(self._prolong(group))
        try:
            hop = destination.parse(group[0].item.destination)
            if hop.way in (Way.LIST, Way.LEAVE, Way.REPLY):
                clock = await self._clock()
                for lease in group:
                    await self._expand(lease, clock)
            else:
                await self._carry(group)
        except LeaseLost:
            self._log.debug(f"A lease for {group[0].item.destination} was lost")
        except StoreError as error:
            self._log.debug(f"An outcome could not be written: {error.cause or error}")
        finally:
            keeper.cancel()

    async def _prolong(self, group: Sequence[Lease]) -> None:
        """Keeps the leases while the attempt lasts; those that are settled are lost, and that is fine."""
        while True:
            await asyncio.sleep(RENEW_SECONDS)
            for lease in group:
                with contextlib.suppress(StoreError):
                    await self._queue.extend(lease, LEASE_SECONDS)

    async def _clock(self) -> _Clock:
        return _Clock(await self._queue.now(), time.monotonic())

    async def _expand(self, lease: Lease, clock: _Clock) -> None:
        notices = await self._expansion.of(lease.item)
        done = tuple(
            Said(row=row, reply=_TAKEN) for row in lease.item.recipients if row.state is RecipientState.WAITING
        )
        settled = settle(lease.item, done, self._schedule, clock.now(), self._chance())
        await self._queue.finish(lease, settled.outcome, notices)

    async def _carry(self, group: list[Lease]) -> None:
        name = group[0].item.destination
        answered = name in self._answered
        courier: Courier | None = None
        await self.pacing.make_way()
        clock = await self._clock()
        try:
            endpoints = await self._endpoints.of(destination.parse(name), clock.now())
            courier = Courier(endpoints, self._connect, self._body)
            for lease in group:
                await self.pacing.breathe()
                try:
                    said = await courier.carry(lease.item)
                except DroppedError as error:
                    if self._is_at_fault(name, lease):
                        raise
                    said = said_of_all(lease.item, error)
                else:
                    await self._works(name)
                await self._settle(lease, said, clock)
                group = group[1:]
        except HopError as error:
            # Of several sessions that end together the first one speaks for the destination.
            counts = not answered or name in self._answered
            await self._destination_failed(name, group, error, clock, counts=counts)
        finally:
            if courier is not None:
                await courier.close()

    def _is_at_fault(self, name: str, lease: Lease) -> bool:
        """Whether a destination drops whatever it is offered, and not just this message or one other."""
        dropped = self._dropped.setdefault(name, set())
        if len(dropped) <= DROPPED:
            dropped.add(lease.item.id)
        return len(dropped) > DROPPED

    async def _works(self, name: str) -> None:
        self._dropped.pop(name, None)
        if name not in self._answered:
            self._answered.add(name)
            self._failures.pop(name, None)
            await self._queue.destination_works(name)

    async def _destination_failed(
        self, name: str, group: list[Lease], error: HopError, clock: _Clock, *, counts: bool
    ) -> None:
        """The rest of the group waits with its destination; a permanent answer is each message's own."""
        self._answered.discard(name)
        if counts and not error.reply.permanent:
            next_at = clock.now() + self._schedule.wait(self._failures.get(name, 0) + 1, self._chance())
            self._failures[name] = await self._queue.destination_failed(name, str(error.reply), next_at)
        # Together, so that they share a transaction; one whose lease was lost leaves the others alone.
        waits = [self._settle(lease, said_of_all(lease.item, error), clock) for lease in group]
        for outcome in await asyncio.gather(*waits, return_exceptions=True):
            if isinstance(outcome, BaseException):
                raise outcome

    async def _settle(self, lease: Lease, said: Sequence[Said], clock: _Clock) -> None:
        now = clock.now()
        settled = settle(lease.item, said, self._schedule, now, self._chance())
        notices = await self._teller.notices(lease.item, settled.told, now)
        await self._queue.finish(lease, settled.outcome, notices)
        self._report(lease, settled.outcome)

    def _report(self, lease: Lease, outcome: Outcome) -> None:
        rows = {row.id: row.address for row in lease.item.recipients}
        for each in outcome.recipients:
            self._log.application(
                f"SMTPDeliverer - Message {lease.item.id}: {rows.get(each.recipient_id)} {each.state}: {each.reply}",
                queue_id=lease.item.id,
                destination=lease.item.destination,
                state=str(each.state),
                remote=each.remote,
            )

    async def _give_up_expired(self) -> None:
        """Bounces what ran out of time while its destination was backed off; looks once a second, not at each lease."""
        if time.monotonic() - self._looked < POLL_SECONDS:
            return
        self._looked = time.monotonic()
        expired = await self._queue.expired()
        clock = await self._clock() if expired else None
        for item_id in expired:
            lease = await self._queue.lease_item(item_id, self._pace.owner, LEASE_SECONDS)
            if lease is None or clock is None:
                continue
            rows = [row for row in lease.item.recipients if row.state is RecipientState.WAITING]
            await self._settle(
                lease, [Said(row=row, reply=expired_reply(row.reply), remote=row.remote) for row in rows], clock
            )
