"""Addresses that none of our own mail goes to, as functions of an open transaction."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, insert, or_, select

from maild.store.engine.base import Transaction, one
from maild.store.sql.schema import SUPPRESSION
from maild.store.sql.statement import Statement

_IN_FORCE = or_(SUPPRESSION.c.until_at.is_(None), SUPPRESSION.c.until_at > bindparam("now"))
_GET = Statement(select(SUPPRESSION.c.reason).where(SUPPRESSION.c.address == bindparam("key"), _IN_FORCE))
_ALL = Statement(
    select(SUPPRESSION.c.address, SUPPRESSION.c.reason, SUPPRESSION.c.until_at)
    .where(_IN_FORCE)
    .order_by(SUPPRESSION.c.address)
)
_DELETE = Statement(delete(SUPPRESSION).where(SUPPRESSION.c.address == bindparam("key")))
_INSERT = Statement(
    insert(SUPPRESSION).values(address=bindparam("key"), reason=bindparam("reason"), until_at=bindparam("until"))
)
_OVER = Statement(delete(SUPPRESSION).where(SUPPRESSION.c.until_at < bindparam("now")))


def put(tx: Transaction, address: str, reason: str, until: int | None) -> None:
    """Adds or replaces."""
    values = {"key": address.lower(), "reason": reason, "until": until}
    tx.run(_DELETE, values)
    tx.run(_INSERT, values)


def get(tx: Transaction, address: str) -> str | None:
    """The reason, if the address is on the list."""
    row = one(tx, _GET, {"key": address.lower(), "now": tx.now()})
    return str(row[0]) if row else None


def all_(tx: Transaction) -> list[tuple[str, str, int | None]]:
    """The whole list."""
    return [(address, reason, until) for address, reason, until in tx.rows(_ALL, {"now": tx.now()})]


def remove(tx: Transaction, address: str) -> bool:
    """Takes an address off."""
    return bool(tx.run(_DELETE, {"key": address.lower()}))


def forget(tx: Transaction, now: int) -> int:
    """Removes what no longer holds."""
    return tx.run(_OVER, {"now": now})
