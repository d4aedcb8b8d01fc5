"""Aliases, mailing lists and routes, as functions of an open transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Table, bindparam, delete, insert, select, update

from maild.store.engine.base import Transaction, one
from maild.store.errors import AlreadyExists, NotFound
from maild.store.records.directory import Alias, ListMode, MailingList, Route, RouteAuth, TLSMode
from maild.store.sql import domains
from maild.store.sql.schema import ACCOUNT, ALIAS, DOMAIN, MAILING_LIST, ROUTE
from maild.store.sql.statement import Keyed, Row, Statement, Value


class _ListOptions(msgspec.Struct, frozen=True, omit_defaults=True):
    members: tuple[str, ...] = ()
    mode: ListMode = ListMode.MEMBERS
    announcers: tuple[str, ...] = ()
    require_auth: bool = False
    title: str = ""


class _RouteOptions(msgspec.Struct, frozen=True):
    host: str
    port: int
    tls: TLSMode
    auth: RouteAuth
    user: str
    recipients: tuple[str, ...]
    local: bool


class _Addressed:
    """The statements of one table whose rows are addresses, and of the tables that must not hold the same ones."""

    def __init__(self, table: Table, payload: Sequence[str], others: Sequence[Table]) -> None:
        columns = [table.c.id, DOMAIN.c.name, table.c.local, table.c.active, table.c[payload[0]]]
        joined = select(*columns).join(DOMAIN, DOMAIN.c.id == table.c.domain_id)
        values: dict[str, Any] = {name: bindparam(name) for name in ("active", *payload)}
        address = (table.c.domain_id == bindparam("key_domain"), table.c.local == bindparam("key_local"))
        self._all = Statement(joined.order_by(DOMAIN.c.name, table.c.local))
        self._of_domain = Statement(joined.where(DOMAIN.c.name == bindparam("domain")).order_by(table.c.local))
        self._by_local = Keyed(
            lambda keys: joined.where(table.c.domain_id == bindparam("domain_id"), table.c.local.in_(keys))
        )
        self._insert = Statement(
            insert(table).values(domain_id=bindparam("key_domain"), local=bindparam("key_local"), **values)
        )
        self._update = Statement(update(table).where(*address).values(values))
        self._delete = Statement(delete(table).where(*address))
        self._others = [
            Statement(
                select(other.c.id).where(
                    other.c.domain_id == bindparam("key_domain"), other.c.local == bindparam("key_local")
                )
            )
            for other in others
        ]

    def rows(self, tx: Transaction, domain: str | None) -> list[Row]:
        return tx.rows(self._all) if domain is None else tx.rows(self._of_domain, {"domain": domain})

    def with_locals(self, tx: Transaction, domain_id: int, locals_: Sequence[str]) -> list[Row]:
        split = self._by_local.split(locals_, {"domain_id": domain_id})
        return [row for statement, values in split for row in tx.rows(statement, values)]

    def save(self, tx: Transaction, local: str, domain: str, values: dict[str, Value]) -> Row:
        domain_id = domains.lock(tx, domain)
        values = values | {"key_domain": domain_id, "key_local": local}
        if not tx.run(self._update, values):
            if any(one(tx, other, values) for other in self._others):
                raise AlreadyExists(f"{local}@{domain} is something else already")
            tx.insert(self._insert, values)
        return self.with_locals(tx, domain_id, [local])[0]

    def remove(self, tx: Transaction, local: str, domain: str) -> None:
        key: dict[str, Value] = {"key_domain": domains.lock(tx, domain), "key_local": local}
        if not tx.run(self._delete, key):
            raise NotFound(f"no {local}@{domain}")


_ALIASES = _Addressed(ALIAS, ["targets", "sole_target"], [ACCOUNT, MAILING_LIST])
_LISTS = _Addressed(MAILING_LIST, ["options"], [ACCOUNT, ALIAS])

_LEADING_TO = Statement(
    select(ALIAS.c.local, DOMAIN.c.name)
    .join(DOMAIN, DOMAIN.c.id == ALIAS.c.domain_id)
    .where(ALIAS.c.sole_target == bindparam("target"), ALIAS.c.active == 1)
)

_ROUTE_COLUMNS = (ROUTE.c.id, ROUTE.c.pattern, ROUTE.c.active, ROUTE.c.options, ROUTE.c.secret)
_ROUTE_VALUES: dict[str, Any] = {name: bindparam(name) for name in ("active", "options", "secret")}
_ROUTES = Statement(select(*_ROUTE_COLUMNS))
_ROUTE = Statement(select(*_ROUTE_COLUMNS).where(ROUTE.c.pattern == bindparam("key")))
_INSERT_ROUTE = Statement(insert(ROUTE).values(pattern=bindparam("key"), **_ROUTE_VALUES))
_UPDATE_ROUTE = Statement(update(ROUTE).where(ROUTE.c.pattern == bindparam("key")).values(_ROUTE_VALUES))
_DELETE_ROUTE = Statement(delete(ROUTE).where(ROUTE.c.pattern == bindparam("key")))


def aliases(tx: Transaction, domain: str | None = None) -> list[Alias]:
    """All, or those of a domain, by address."""
    return [_alias(row) for row in _ALIASES.rows(tx, domain)]


def aliases_with_locals(tx: Transaction, domain_id: int, locals_: Sequence[str]) -> dict[str, Alias]:
    """The aliases of a domain that have one of these local parts."""
    return {str(row[2]): _alias(row) for row in _ALIASES.with_locals(tx, domain_id, locals_)}


def aliases_of(tx: Transaction, address: str) -> list[tuple[str, str]]:
    """Local part and domain of the active aliases that lead to this address alone."""
    return [(local, domain) for local, domain in tx.rows(_LEADING_TO, {"target": address})]


def save_alias(tx: Transaction, alias: Alias) -> Alias:
    """Inserts or changes by address."""
    values: dict[str, Value] = {
        "active": int(alias.active),
        "targets": msgspec.json.encode(alias.targets).decode(),
        "sole_target": alias.targets[0] if len(alias.targets) == 1 else None,
    }
    return _alias(_ALIASES.save(tx, alias.local, alias.domain, values))


def remove_alias(tx: Transaction, local: str, domain: str) -> None:
    """Removes by address."""
    _ALIASES.remove(tx, local, domain)


def lists(tx: Transaction, domain: str | None = None) -> list[MailingList]:
    """All, or those of a domain, by address."""
    return [_list(row) for row in _LISTS.rows(tx, domain)]


def lists_with_locals(tx: Transaction, domain_id: int, locals_: Sequence[str]) -> dict[str, MailingList]:
    """The lists of a domain that have one of these local parts."""
    return {str(row[2]): _list(row) for row in _LISTS.with_locals(tx, domain_id, locals_)}


def save_list(tx: Transaction, mailing_list: MailingList) -> MailingList:
    """Inserts or changes by address."""
    options = _ListOptions(
        members=mailing_list.members,
        mode=mailing_list.mode,
        announcers=mailing_list.announcers,
        require_auth=mailing_list.require_auth,
        title=mailing_list.title,
    )
    values: dict[str, Value] = {
        "active": int(mailing_list.active),
        "options": msgspec.json.encode(options).decode(),
    }
    return _list(_LISTS.save(tx, mailing_list.local, mailing_list.domain, values))


def remove_list(tx: Transaction, local: str, domain: str) -> None:
    """Removes by address."""
    _LISTS.remove(tx, local, domain)


def routes(tx: Transaction) -> list[Route]:
    """All, the most specific pattern first."""
    return sorted([_route(row) for row in tx.rows(_ROUTES)], key=lambda r: (-len(r.pattern), r.pattern))


def save_route(tx: Transaction, route: Route) -> Route:
    """Inserts or changes by pattern."""
    options = _RouteOptions(route.host, route.port, route.tls, route.auth, route.user, route.recipients, route.local)
    values: dict[str, Value] = {
        "key": route.pattern,
        "active": int(route.active),
        "options": msgspec.json.encode(options).decode(),
        "secret": route.secret,
    }
    if not tx.run(_UPDATE_ROUTE, values):
        tx.insert(_INSERT_ROUTE, values)
    return _route(tx.rows(_ROUTE, values)[0])


def remove_route(tx: Transaction, pattern: str) -> None:
    """Removes by pattern."""
    if not tx.run(_DELETE_ROUTE, {"key": pattern}):
        raise NotFound(f"no route {pattern}")


def _alias(row: Row) -> Alias:
    id_, domain, local, active, targets = row
    decoded = msgspec.json.decode(targets, type=tuple[str, ...])
    return Alias(id=id_, domain=domain, local=local, targets=decoded, active=bool(active))


def _list(row: Row) -> MailingList:
    id_, domain, local, active, encoded = row
    options = msgspec.json.decode(encoded, type=_ListOptions)
    return MailingList(
        id=id_,
        domain=domain,
        local=local,
        members=options.members,
        mode=options.mode,
        announcers=options.announcers,
        require_auth=options.require_auth,
        title=options.title,
        active=bool(active),
    )


def _route(row: Row) -> Route:
    id_, pattern, active, encoded, secret = row
    options = msgspec.json.decode(encoded, type=_RouteOptions)
    return Route(
        id=id_,
        pattern=pattern,
        host=options.host,
        port=options.port,
        tls=options.tls,
        auth=options.auth,
        user=options.user,
        secret=secret,
        recipients=options.recipients,
        local=options.local,
        active=bool(active),
    )
