"""Turns what was said of an item into its outcome and what its sender is told. Pure.

2xx is delivered, 5xx failed, everything else waits: until the schedule's next time, or, past the item's lifetime, not
any more. A whole destination that failed says the same for each recipient.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from maild.delivery.attempt import Said
from maild.delivery.next_hop import HopError, Reply
from maild.delivery.notices import Told
from maild.delivery.schedule import Schedule
from maild.store import Outcome, QueueItem, RecipientOutcome, RecipientState


@dataclass(frozen=True, slots=True)
class Settled:
    """The outcome to write and what to tell the sender."""

    outcome: Outcome
    told: tuple[Told, ...]


def said_of_all(item: QueueItem, error: HopError) -> list[Said]:
    """What a failed destination says of every recipient that waits."""
    return [
        Said(row=row, reply=error.reply, remote=error.host)
        for row in item.recipients
        if row.state is RecipientState.WAITING
    ]


def settle(item: QueueItem, said: Sequence[Said], schedule: Schedule, now: int, chance: float) -> Settled:
    """The outcome of an attempt at ``now``; ``chance`` from 0 to 1 spreads the retries."""
    expired = now >= item.expires_at
    outcomes = [_outcome(each, expired=expired) for each in said]
    told = [
        told
        for each, outcome in zip(said, outcomes, strict=True)
        if (told := _told(each, outcome, expired=expired)) is not None
    ]
    waiting = [each for each, outcome in zip(said, outcomes, strict=True) if outcome.state is RecipientState.WAITING]
    notify = bool(waiting) and schedule.notice_due(item.created_at, now, notified=item.delay_notified)
    if notify:
        told += [Told(row=each.row, action="delayed", reply=each.reply, remote=each.remote) for each in waiting]
    next_at = min(now + schedule.wait(item.attempts + 1, chance), item.expires_at) if waiting else None
    outcome = Outcome(recipients=tuple(outcomes), next_at=next_at, delay_notified=notify)
    return Settled(outcome, tuple(told))


def _outcome(said: Said, *, expired: bool) -> RecipientOutcome:
    if said.reply.ok:
        state = RecipientState.DELIVERED
    elif said.reply.permanent or expired:
        state = RecipientState.FAILED
    else:
        state = RecipientState.WAITING
    return RecipientOutcome(recipient_id=said.row.id, state=state, reply=str(said.reply), remote=said.remote)


def _told(said: Said, outcome: RecipientOutcome, *, expired: bool) -> Told | None:
    if outcome.state is RecipientState.FAILED:
        reply = said.reply
        if expired and not reply.permanent:
            reply = replace(reply, enhanced=reply.enhanced or "4.4.7")
        return Told(row=said.row, action="failed", reply=reply, remote=said.remote)
    if outcome.state is RecipientState.DELIVERED and said.relayed:
        return Told(row=said.row, action="relayed", reply=said.reply, remote=said.remote)
    return None


def expired_reply(row_reply: str) -> Reply:
    """What is told of a recipient whose time ran out while its destination was backed off."""
    return Reply(451, "4.4.7", row_reply or "the time for delivery has run out")
