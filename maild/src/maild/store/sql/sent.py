"""What users sent lately, counted by minutes, as functions of an open transaction.

Counting and comparing with a bound is one step under a lock of the account, by the database's clock, so a bound holds
over all daemons and sessions together.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import bindparam, delete, func, insert, select, update

from maild.store.engine.base import Transaction, number
from maild.store.records.access import Charge, Sent
from maild.store.sql.schema import ACCOUNT, SENT
from maild.store.sql.statement import Statement

MINUTE_US = 60_000_000
HOUR_US = 60 * MINUTE_US
DAY_US = 24 * HOUR_US

_LOCK = Statement(select(ACCOUNT.c.id).where(ACCOUNT.c.id == bindparam("key")).with_for_update())
_MESSAGES = Statement(
    select(func.sum(SENT.c.messages)).where(
        SENT.c.account_id == bindparam("key"), SENT.c.minute_at > bindparam("since")
    )
)
_RECIPIENTS = Statement(
    select(func.sum(SENT.c.recipients)).where(
        SENT.c.account_id == bindparam("key"), SENT.c.minute_at > bindparam("since")
    )
)
_THIS_MINUTE = (SENT.c.account_id == bindparam("key"), SENT.c.minute_at == bindparam("minute"))
_ADD = Statement(
    update(SENT)
    .where(*_THIS_MINUTE)
    .values(messages=SENT.c.messages + 1, recipients=SENT.c.recipients + bindparam("count"))
)
_FIRST = Statement(
    insert(SENT).values(
        account_id=bindparam("key"), minute_at=bindparam("minute"), messages=1, recipients=bindparam("count")
    )
)
_FORGET = Statement(delete(SENT).where(SENT.c.minute_at < bindparam("before")))


def sent(tx: Transaction, account_id: int) -> Sent:
    """What a user sent within the last hour and day; a minute that is partly in it counts whole."""
    before = tx.now() - MINUTE_US
    return Sent(
        messages=number(tx.rows(_MESSAGES, {"key": account_id, "since": before - HOUR_US})[0][0]),
        recipients=number(tx.rows(_RECIPIENTS, {"key": account_id, "since": before - DAY_US})[0][0]),
    )


def charge(tx: Transaction, charges: Sequence[Charge]) -> list[Sent | None]:
    """Counts each message that breaks no bound; what stood in the way of the others, in the order given."""
    for account_id in sorted({each.account_id for each in charges}):
        tx.rows(_LOCK, {"key": account_id})
    return [_charge(tx, each) for each in charges]


def forget(tx: Transaction) -> int:
    """Removes what no bound looks at any more."""
    return tx.run(_FORGET, {"before": tx.now() - DAY_US - MINUTE_US})


def _charge(tx: Transaction, wanted: Charge) -> Sent | None:
    found = sent(tx, wanted.account_id)
    if wanted.exceeds(found):
        return found
    now = tx.now()
    values = {"key": wanted.account_id, "minute": now - now % MINUTE_US, "count": wanted.recipients}
    if not tx.run(_ADD, values):
        tx.run(_FIRST, values)
    return None
