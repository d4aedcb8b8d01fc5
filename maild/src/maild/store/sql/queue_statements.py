"""The statements of the queue's rows, compiled once a dialect.

A lease is held while owner and epoch match (``HELD_LEASE``); what that means is ``queue``'s.
"""

from __future__ import annotations

from sqlalchemy import Integer, bindparam, case, delete, func, select, update
from sqlalchemy import cast as as_type

from maild.store.sql.enqueue import NEVER
from maild.store.sql.schema import DESTINATION, QUEUE_ITEM, QUEUE_RECIPIENT
from maild.store.sql.statement import Keyed, Statement

ITEM = tuple(QUEUE_ITEM.columns)
_Q, _D = QUEUE_ITEM.c, DESTINATION.c

DUE_DESTINATIONS = Statement(
    select(_D.name, _D.wakes, _D.failures)
    .where(_D.held == 0, _D.due_at <= bindparam("now"))
    .order_by(_D.due_at)
    .limit(bindparam("limit"))
)
IN_WORK = Keyed(
    lambda keys: (
        select(_Q.destination, func.count())
        .where(_Q.destination.in_(keys), _Q.lease_until > bindparam("now"))
        .group_by(_Q.destination)
    )
)
FREE = Statement(
    select(_Q.id)
    .where(
        _Q.destination == bindparam("destination"),
        _Q.held == 0,
        _Q.next_at <= bindparam("now"),
        _Q.lease_until <= bindparam("now"),
    )
    .order_by(_Q.next_at)
    .limit(bindparam("limit"))
)
NEXT_FREE = Statement(
    select(func.min(case((_Q.lease_until > _Q.next_at, _Q.lease_until), else_=_Q.next_at))).where(
        _Q.destination == bindparam("destination"), _Q.held == 0
    )
)
TAKE = Statement(
    update(QUEUE_ITEM)
    .where(_Q.id == bindparam("key"), _Q.lease_until <= bindparam("now"))
    .values(lease_owner=bindparam("owner"), lease_epoch=_Q.lease_epoch + 1, lease_until=bindparam("until"))
)
LOCK_FREE = Keyed(
    lambda keys: (
        select(_Q.id).where(_Q.id.in_(keys), _Q.lease_until <= bindparam("now")).order_by(_Q.id).with_for_update()
    )
)
"""Those of the chosen that nobody took meanwhile, kept from others until the end of the transaction."""
TAKE_LOCKED = Keyed(
    lambda keys: (
        update(QUEUE_ITEM)
        .where(_Q.id.in_(keys))
        .values(lease_owner=bindparam("owner"), lease_epoch=_Q.lease_epoch + 1, lease_until=bindparam("until"))
    )
)
HELD_LEASE = (
    _Q.id == bindparam("key"),
    _Q.lease_owner == bindparam("owner"),
    _Q.lease_epoch == bindparam("epoch"),
)
EXTEND = Statement(
    update(QUEUE_ITEM).where(*HELD_LEASE, _Q.lease_until > bindparam("now")).values(lease_until=bindparam("until"))
)
RELEASE = Statement(update(QUEUE_ITEM).where(*HELD_LEASE).values(lease_until=0))
OWNED = Statement(
    select(_Q.id, _Q.destination).where(_Q.lease_owner == bindparam("owner"), _Q.lease_until > bindparam("now"))
)
ABANDON = Statement(
    update(QUEUE_ITEM).where(_Q.id == bindparam("key"), _Q.lease_owner == bindparam("owner")).values(lease_until=0)
)
FINISH = Statement(
    update(QUEUE_ITEM)
    .where(*HELD_LEASE)
    .values(
        lease_until=0,
        lease_owner="",
        next_at=bindparam("next_at"),
        attempts=_Q.attempts + bindparam("attempts"),
        delay_notified=bindparam("delay_notified"),
        destination=bindparam("destination"),
    )
)
SET_DUE = Statement(
    update(DESTINATION)
    .where(_D.name == bindparam("key"), _D.wakes == bindparam("wakes"))
    .values(due_at=bindparam("due_at"))
)
FAILED = Statement(
    update(DESTINATION)
    .where(_D.name == bindparam("key"))
    .values(due_at=bindparam("due_at"), failures=_D.failures + 1, wakes=_D.wakes + 1, reply=bindparam("reply"))
)
FAILURES = Statement(select(_D.failures).where(_D.name == bindparam("key")))
WORKS = Statement(
    update(DESTINATION)
    .where(_D.name == bindparam("key"), _D.failures > 0)
    .values(due_at=bindparam("due_at"), failures=0, wakes=_D.wakes + 1, reply="")
)
HOLD_DESTINATION = Statement(
    update(DESTINATION)
    .where(_D.name == bindparam("key"))
    .values(held=bindparam("held"), wakes=_D.wakes + 1, due_at=bindparam("due_at"))
)
NEXT_DUE = Statement(select(func.min(_D.due_at)).where(_D.held == 0, _D.due_at < NEVER))
EXPIRED = Statement(
    select(_Q.id)
    .where(
        _Q.expires_at <= bindparam("now"),
        _Q.lease_until <= bindparam("now"),
        _Q.held == 0,
        _Q.destination.not_in(select(_D.name).where(_D.held == 1)),
    )
    .order_by(_Q.expires_at)
    .limit(bindparam("limit"))
)

BY_ID = Keyed(lambda keys: select(*ITEM).where(_Q.id.in_(keys)).order_by(_Q.id))
ALL = Statement(select(_Q.id).where(_Q.id > bindparam("after")).order_by(_Q.id).limit(bindparam("limit")))
AT = Statement(
    select(_Q.id)
    .where(_Q.destination == bindparam("destination"), _Q.id > bindparam("after"))
    .order_by(_Q.id)
    .limit(bindparam("limit"))
)
RECIPIENTS = Keyed(
    lambda keys: (
        select(*QUEUE_RECIPIENT.columns)
        .where(QUEUE_RECIPIENT.c.item_id.in_(keys))
        .order_by(QUEUE_RECIPIENT.c.item_id, QUEUE_RECIPIENT.c.number)
    )
)
SET_RECIPIENT = Statement(
    update(QUEUE_RECIPIENT)
    .where(QUEUE_RECIPIENT.c.item_id == bindparam("item"), QUEUE_RECIPIENT.c.number == bindparam("key"))
    .values(state=bindparam("state"), reply=bindparam("reply"), remote=bindparam("remote"))
)
DESTINATIONS = Statement(
    select(_D.name, _D.due_at, _D.failures, _D.held, _D.reply)
    .where(_D.name > bindparam("after"))
    .order_by(_D.name)
    .limit(bindparam("limit"))
)
WAITING_AT = Keyed(
    lambda keys: select(_Q.destination, func.count()).where(_Q.destination.in_(keys)).group_by(_Q.destination)
)
RETRY = Keyed(lambda keys: update(QUEUE_ITEM).where(_Q.id.in_(keys)).values(next_at=bindparam("now"), held=0))
RETRY_DESTINATIONS = Keyed(
    lambda keys: (
        update(DESTINATION).where(_D.name.in_(keys)).values(due_at=bindparam("now"), failures=0, wakes=_D.wakes + 1)
    )
)
RELEASED = Keyed(
    lambda keys: (
        update(QUEUE_ITEM)
        .where(_Q.id.in_(keys), _Q.held == 1, _Q.expires_at < bindparam("until"))
        .values(expires_at=bindparam("until"))
    )
)
HOLD = Keyed(lambda keys: update(QUEUE_ITEM).where(_Q.id.in_(keys)).values(held=bindparam("held")))
COUNT = Statement(select(as_type(func.count(), Integer)).select_from(QUEUE_ITEM))
DELETE_FREE = Statement(delete(QUEUE_ITEM).where(_Q.id == bindparam("key"), _Q.lease_until <= bindparam("now")))
DELETE_LEASED = Statement(delete(QUEUE_ITEM).where(*HELD_LEASE))
DELETE_RECIPIENTS = Statement(delete(QUEUE_RECIPIENT).where(QUEUE_RECIPIENT.c.item_id == bindparam("key")))
FORGET_IDLE = Statement(delete(DESTINATION).where(_D.due_at == NEVER, _D.held == 0))
