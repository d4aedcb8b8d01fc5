"""Keys, policies, memories and reports, as functions of an open transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from typing import Any

import msgspec
from sqlalchemy import bindparam, delete, insert, select, update

from maild.store.engine.base import Duplicate, Transaction, one
from maild.store.errors import NotFound
from maild.store.records.state import DKIMKey, Greylisted, Report, SRSKey, STSPolicy
from maild.store.sql.schema import DKIM_KEY, GREYLIST, META, ONCE, REPORT, SRS_KEY, STS_POLICY
from maild.store.sql.statement import Row, Statement, Value

_GET = Statement(select(META.c.value).where(META.c.name == bindparam("key")))
_INSERT = Statement(insert(META).values(name=bindparam("key"), value=bindparam("value")))
_UPDATE = Statement(update(META).where(META.c.name == bindparam("key")).values(value=bindparam("value")))
_DELETE = Statement(delete(META).where(META.c.name == bindparam("key")))
_NAMES = Statement(
    select(META.c.name, META.c.value).where(META.c.name >= bindparam("first"), META.c.name < bindparam("end"))
)

_DKIM = tuple(DKIM_KEY.columns)
_DKIM_ORDER = (DKIM_KEY.c.domain, DKIM_KEY.c.selector)
_DKIM_ALL = Statement(select(*_DKIM).order_by(*_DKIM_ORDER))
_DKIM_OF = Statement(select(*_DKIM).where(DKIM_KEY.c.domain == bindparam("domain")).order_by(*_DKIM_ORDER))
_DKIM_KEY = (DKIM_KEY.c.domain == bindparam("domain"), DKIM_KEY.c.selector == bindparam("selector"))
_DKIM_ONE = Statement(select(*_DKIM).where(*_DKIM_KEY))
_DKIM_VALUES: dict[str, Any] = {name: bindparam(f"new_{name}") for name in ("algorithm", "wrapped", "public", "state")}
_INSERT_DKIM = Statement(
    insert(DKIM_KEY).values(
        domain=bindparam("domain"), selector=bindparam("selector"), created_at=bindparam("at"), **_DKIM_VALUES
    )
)
_UPDATE_DKIM = Statement(update(DKIM_KEY).where(*_DKIM_KEY).values(_DKIM_VALUES))
_DELETE_DKIM = Statement(delete(DKIM_KEY).where(*_DKIM_KEY))

_SRS = Statement(select(SRS_KEY.c.id, SRS_KEY.c.wrapped, SRS_KEY.c.created_at).order_by(SRS_KEY.c.id.desc()))
_ADD_SRS = Statement(insert(SRS_KEY).values(wrapped=bindparam("wrapped"), created_at=bindparam("at")))
_DELETE_SRS = Statement(delete(SRS_KEY).where(SRS_KEY.c.id == bindparam("id")))

_STS = Statement(select(*STS_POLICY.columns).where(STS_POLICY.c.domain == bindparam("domain")))
_DELETE_STS = Statement(delete(STS_POLICY).where(STS_POLICY.c.domain == bindparam("domain")))
_INSERT_STS = Statement(
    insert(STS_POLICY).values({column.name: bindparam(column.name) for column in STS_POLICY.columns})
)
_OLD_STS = Statement(delete(STS_POLICY).where(STS_POLICY.c.expires_at < bindparam("before")))

_SEEN = Statement(
    select(GREYLIST.c.first_at, GREYLIST.c.last_at, GREYLIST.c.passes).where(GREYLIST.c.digest == bindparam("key"))
)
_SEE_FIRST = Statement(
    insert(GREYLIST)
    .prefix_with("IGNORE", dialect="mysql")
    .prefix_with("OR IGNORE", dialect="sqlite")
    .values(digest=bindparam("key"), first_at=bindparam("now"), last_at=bindparam("now"), passes=1)
)
_SEE_AGAIN = Statement(
    update(GREYLIST)
    .where(GREYLIST.c.digest == bindparam("key"))
    .values(last_at=bindparam("now"), passes=GREYLIST.c.passes + 1)
)
_SEE_ANEW = Statement(
    update(GREYLIST)
    .where(GREYLIST.c.digest == bindparam("key"))
    .values(first_at=bindparam("now"), last_at=bindparam("now"), passes=1)
)
_OLD_TRIPLETS = Statement(delete(GREYLIST).where(GREYLIST.c.last_at < bindparam("before")))

_FIRST_TIME = Statement(insert(ONCE).values(digest=bindparam("key"), until_at=bindparam("until")))
_NEXT_TIME = Statement(
    update(ONCE)
    .where(ONCE.c.digest == bindparam("key"), ONCE.c.until_at <= bindparam("now"))
    .values(until_at=bindparam("until"))
)
_OVER = Statement(delete(ONCE).where(ONCE.c.until_at < bindparam("now")))

_REPORT = tuple(REPORT.columns)
_REPORT_KEY = (
    REPORT.c.kind == bindparam("key_kind"),
    REPORT.c.domain == bindparam("key_domain"),
    REPORT.c.source == bindparam("key_source"),
    REPORT.c.begin_at == bindparam("key_begin"),
)
_DELETE_SAME = Statement(delete(REPORT).where(*_REPORT_KEY))
_ADD_REPORT = Statement(
    insert(REPORT).values(
        kind=bindparam("key_kind"),
        domain=bindparam("key_domain"),
        source=bindparam("key_source"),
        begin_at=bindparam("key_begin"),
        end_at=bindparam("end_at"),
        data=bindparam("data"),
    )
)
_REPORTS = Statement(
    select(*_REPORT)
    .where(REPORT.c.kind == bindparam("kind"), REPORT.c.begin_at >= bindparam("since"))
    .order_by(REPORT.c.begin_at, REPORT.c.id)
)
_DELETE_REPORT = Statement(delete(REPORT).where(REPORT.c.id == bindparam("id")))


def get(tx: Transaction, name: str) -> str | None:
    """The value of this name."""
    row = one(tx, _GET, {"key": name})
    return str(row[0]) if row else None


def put(tx: Transaction, name: str, value: str) -> None:
    """Sets it."""
    if not tx.run(_UPDATE, {"key": name, "value": value}):
        tx.run(_INSERT, {"key": name, "value": value})


def delete_(tx: Transaction, name: str) -> None:
    """Removes it."""
    tx.run(_DELETE, {"key": name})


def names(tx: Transaction, prefix: str) -> dict[str, str]:
    """All values whose name starts so."""
    rows = tx.rows(_NAMES, {"first": prefix, "end": prefix + "\U0010ffff"})
    return {name: value for name, value in rows if name.startswith(prefix)}


def dkim(tx: Transaction, domain: str | None) -> list[DKIMKey]:
    """All keys, or those of a domain."""
    rows = tx.rows(_DKIM_ALL) if domain is None else tx.rows(_DKIM_OF, {"domain": domain})
    return [_dkim(row) for row in rows]


def save_dkim(tx: Transaction, key: DKIMKey) -> DKIMKey:
    """Inserts or changes by domain and selector."""
    values = {
        "domain": key.domain,
        "selector": key.selector,
        "new_algorithm": key.algorithm,
        "new_wrapped": key.wrapped,
        "new_public": key.public,
        "new_state": key.state,
    }
    if not tx.run(_UPDATE_DKIM, values):
        tx.insert(_INSERT_DKIM, values | {"at": key.created_at or tx.now()})
    return _dkim(tx.rows(_DKIM_ONE, values)[0])


def remove_dkim(tx: Transaction, domain: str, selector: str) -> None:
    """Removes a key."""
    if not tx.run(_DELETE_DKIM, {"domain": domain, "selector": selector}):
        raise NotFound(f"no DKIM key {selector}._domainkey.{domain}")


def srs(tx: Transaction) -> list[SRSKey]:
    """Newest first."""
    return [SRSKey(id=id_, wrapped=bytes(wrapped), created_at=at) for id_, wrapped, at in tx.rows(_SRS)]


def add_srs(tx: Transaction, wrapped: bytes) -> SRSKey:
    """Adds a key."""
    at = tx.now()
    return SRSKey(id=tx.insert(_ADD_SRS, {"wrapped": wrapped, "at": at}), wrapped=wrapped, created_at=at)


def remove_srs(tx: Transaction, key_id: int) -> None:
    """Removes a key."""
    tx.run(_DELETE_SRS, {"id": key_id})


def sts_policy(tx: Transaction, domain: str) -> STSPolicy | None:
    """What is kept for a domain."""
    row = one(tx, _STS, {"domain": domain})
    if row is None:
        return None
    name, policy_id, mode, mx, fetched_at, expires_at = row
    return STSPolicy(
        domain=name,
        policy_id=policy_id,
        mode=mode,
        mx=msgspec.json.decode(mx, type=tuple[str, ...]),
        fetched_at=fetched_at,
        expires_at=expires_at,
    )


def save_sts_policy(tx: Transaction, policy: STSPolicy) -> None:
    """Replaces what was kept."""
    values: dict[str, Value] = {
        "domain": policy.domain,
        "policy_id": policy.policy_id,
        "mode": policy.mode,
        "mx": msgspec.json.encode(policy.mx).decode(),
        "fetched_at": policy.fetched_at,
        "expires_at": policy.expires_at,
    }
    tx.run(_DELETE_STS, values)
    tx.run(_INSERT_STS, values)


def greylist(
    tx: Transaction, network: str, sender: str, recipient: str, now: int, forgotten: Callable[[Greylisted], bool]
) -> Greylisted:
    """Notes a try; returns the history before it."""
    key = {"key": digest("greylist", network, sender, recipient), "now": now}
    row = one(tx, _SEEN, key)
    if row is None:
        tx.run(_SEE_FIRST, key)
        return Greylisted(first_at=now, last_at=now, passes=0)
    history = Greylisted(first_at=row[0], last_at=row[1], passes=row[2])
    if forgotten(history):
        tx.run(_SEE_ANEW, key)
        return Greylisted(first_at=now, last_at=now, passes=0)
    tx.run(_SEE_AGAIN, key)
    return history


def once(tx: Transaction, kind: str, key: str, until: int, now: int) -> bool:
    """True the first time in a period."""
    values = {"key": digest(kind, key), "until": until, "now": now}
    if tx.run(_NEXT_TIME, values):
        return True
    try:
        tx.run(_FIRST_TIME, values)
    except Duplicate:
        return False
    return True


def add_report(tx: Transaction, report: Report) -> int:
    """Adds a report in place of the same one before."""
    values: dict[str, Value] = {
        "key_kind": report.kind,
        "key_domain": report.domain,
        "key_source": report.source,
        "key_begin": report.begin_at,
        "end_at": report.end_at,
        "data": report.data,
    }
    tx.run(_DELETE_SAME, values)
    return tx.insert(_ADD_REPORT, values)


def reports(tx: Transaction, kind: str, domain: str | None, since: int) -> list[Report]:
    """Reports of a kind, oldest first."""
    found = [
        Report(id=id_, kind=kind_, domain=name, source=source, begin_at=begin_at, end_at=end_at, data=bytes(data))
        for id_, kind_, name, source, begin_at, end_at, data in tx.rows(_REPORTS, {"kind": kind, "since": since})
    ]
    return [report for report in found if domain in {None, report.domain}]


def remove_report(tx: Transaction, report_id: int) -> None:
    """Removes one."""
    tx.run(_DELETE_REPORT, {"id": report_id})


def forget(tx: Transaction, before: int, now: int) -> int:
    """Removes triplets, policies and notes that no longer count."""
    removed = sum(tx.run(statement, {"before": before}) for statement in (_OLD_TRIPLETS, _OLD_STS))
    return removed + tx.run(_OVER, {"now": now})


def digest(*parts: str) -> bytes:
    """A fixed-size key for texts of any length."""
    return hashlib.sha256("\0".join(parts).encode()).digest()


def _dkim(row: Row) -> DKIMKey:
    id_, domain, selector, algorithm, wrapped, public, state, created_at = row
    return DKIMKey(
        id=id_,
        domain=domain,
        selector=selector,
        algorithm=algorithm,
        wrapped=bytes(wrapped),
        public=public,
        state=state,
        created_at=created_at,
    )
