"""Domains and alias domains, as functions of an open transaction."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, insert, select, update

from maild.store.engine.base import Transaction, one
from maild.store.errors import AlreadyExists, InUse, NotFound
from maild.store.records.directory import AliasDomain, Domain
from maild.store.sql.schema import ACCOUNT, ALIAS, ALIAS_DOMAIN, DOMAIN, MAILING_LIST
from maild.store.sql.statement import Row, Statement

_COLUMNS = (
    DOMAIN.c.id,
    DOMAIN.c.name,
    DOMAIN.c.active,
    DOMAIN.c.catch_all,
    DOMAIN.c.plus_addressing,
    DOMAIN.c.message_bytes,
)
_FIELDS = ("name", "active", "catch_all", "plus_addressing", "message_bytes")

_ALL = Statement(select(*_COLUMNS).order_by(DOMAIN.c.name))
_NAMED = Statement(select(*_COLUMNS).where(DOMAIN.c.name == bindparam("name")))
_LOCK = Statement(select(DOMAIN.c.id).where(DOMAIN.c.name == bindparam("name")).with_for_update())
_INSERT = Statement(insert(DOMAIN).values({name: bindparam(name) for name in _FIELDS}))
_UPDATE = Statement(
    update(DOMAIN)
    .where(DOMAIN.c.name == bindparam("key"))
    .values({name: bindparam(name) for name in _FIELDS if name != "name"})
)
_DELETE = Statement(delete(DOMAIN).where(DOMAIN.c.id == bindparam("id")))
_INHABITANTS = [
    Statement(select(table.c.local).where(table.c.domain_id == bindparam("id")).limit(1))
    for table in (ACCOUNT, ALIAS, MAILING_LIST)
]

_ALIASES = Statement(
    select(ALIAS_DOMAIN.c.id, ALIAS_DOMAIN.c.name, DOMAIN.c.name)
    .join(DOMAIN, DOMAIN.c.id == ALIAS_DOMAIN.c.domain_id)
    .order_by(ALIAS_DOMAIN.c.name)
)
_BEHIND = Statement(
    select(*_COLUMNS)
    .join(ALIAS_DOMAIN, DOMAIN.c.id == ALIAS_DOMAIN.c.domain_id)
    .where(ALIAS_DOMAIN.c.name == bindparam("name"))
)
_ALIAS_ID = Statement(select(ALIAS_DOMAIN.c.id).where(ALIAS_DOMAIN.c.name == bindparam("name")))
_INSERT_ALIAS = Statement(insert(ALIAS_DOMAIN).values(name=bindparam("name"), domain_id=bindparam("domain_id")))
_UPDATE_ALIAS = Statement(
    update(ALIAS_DOMAIN).where(ALIAS_DOMAIN.c.name == bindparam("key")).values(domain_id=bindparam("domain_id"))
)
_DELETE_ALIAS = Statement(delete(ALIAS_DOMAIN).where(ALIAS_DOMAIN.c.name == bindparam("name")))
_DELETE_ALIASES = Statement(delete(ALIAS_DOMAIN).where(ALIAS_DOMAIN.c.domain_id == bindparam("id")))


def domains(tx: Transaction) -> list[Domain]:
    """All, by name."""
    return [_domain(row) for row in tx.rows(_ALL)]


def named(tx: Transaction, name: str) -> Domain | None:
    """By its own name."""
    row = one(tx, _NAMED, {"name": name})
    return _domain(row) if row else None


def lock(tx: Transaction, name: str) -> int:
    """Locks the domain against other changes of what lives in it; returns its id."""
    row = one(tx, _LOCK, {"name": name})
    if row is None:
        raise NotFound(f"no domain {name}")
    return int(row[0])


def find(tx: Transaction, name: str) -> tuple[Domain | None, str | None]:
    """The domain of this name, or the one behind the alias domain of this name, and then that name."""
    domain = named(tx, name)
    if domain is not None:
        return domain, None
    row = one(tx, _BEHIND, {"name": name})
    return (_domain(row), name) if row else (None, None)


def save(tx: Transaction, domain: Domain) -> Domain:
    """Inserts or changes by name."""
    values = {
        "name": domain.name,
        "active": int(domain.active),
        "catch_all": domain.catch_all,
        "plus_addressing": int(domain.plus_addressing),
        "message_bytes": domain.message_bytes,
    }
    if named(tx, domain.name) is None:
        if one(tx, _ALIAS_ID, {"name": domain.name}):
            raise AlreadyExists(f"{domain.name} is an alias domain")
        tx.insert(_INSERT, values)
    else:
        tx.run(_UPDATE, values | {"key": domain.name})
    saved = named(tx, domain.name)
    assert saved is not None  # noqa: S101 - written above in this transaction
    return saved


def remove(tx: Transaction, name: str) -> None:
    """Removes an empty domain and its alias domains."""
    key = {"id": lock(tx, name)}
    for inhabitants in _INHABITANTS:
        row = one(tx, inhabitants, key)
        if row is not None:
            raise InUse(f"{row[0]}@{name} is still there")
    tx.run(_DELETE_ALIASES, key)
    tx.run(_DELETE, key)


def alias_domains(tx: Transaction) -> list[AliasDomain]:
    """All, by name."""
    return [AliasDomain(id=id_, name=name, domain=domain) for id_, name, domain in tx.rows(_ALIASES)]


def save_alias(tx: Transaction, alias: AliasDomain) -> AliasDomain:
    """Inserts or changes by name."""
    domain_id = lock(tx, alias.domain)
    if named(tx, alias.name) is not None:
        raise AlreadyExists(f"{alias.name} is a domain of its own")
    row = one(tx, _ALIAS_ID, {"name": alias.name})
    if row is None:
        id_ = tx.insert(_INSERT_ALIAS, {"name": alias.name, "domain_id": domain_id})
    else:
        id_ = row[0]
        tx.run(_UPDATE_ALIAS, {"key": alias.name, "domain_id": domain_id})
    return AliasDomain(id=id_, name=alias.name, domain=alias.domain)


def remove_alias(tx: Transaction, name: str) -> None:
    """Removes by name."""
    if not tx.run(_DELETE_ALIAS, {"name": name}):
        raise NotFound(f"no alias domain {name}")


def _domain(row: Row) -> Domain:
    id_, name, active, catch_all, plus_addressing, message_bytes = row
    return Domain(
        id=id_,
        name=name,
        active=bool(active),
        catch_all=catch_all,
        plus_addressing=bool(plus_addressing),
        message_bytes=message_bytes,
    )
