"""Accounts, as functions of an open transaction; a new one comes with its standard mailboxes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import msgspec
from sqlalchemy import bindparam, delete, func, insert, select, update

from maild.store.engine.base import Transaction, number, one
from maild.store.errors import AlreadyExists, NotEmpty, NotFound
from maild.store.records.directory import Account, AutoReply, Forward
from maild.store.sql import domains, mailboxes
from maild.store.sql.schema import (
    ACCOUNT,
    ALIAS,
    CREDENTIAL,
    DOMAIN,
    KEYWORD,
    MAILBOX,
    MAILING_LIST,
    SENT,
    SUBSCRIPTION,
)
from maild.store.sql.statement import Keyed, Row, Statement

STANDARD_MAILBOXES = (
    ("INBOX", ""),
    ("Sent", "\\Sent"),
    ("Drafts", "\\Drafts"),
    ("Junk", "\\Junk"),
    ("Trash", "\\Trash"),
    ("Archive", "\\Archive"),
)


class _Options(msgspec.Struct, frozen=True, omit_defaults=True):
    """What of an account is not looked up by: kept as JSON in one column."""

    language: str = ""
    display_name: str = ""
    admin: Literal["", "domain", "server"] = ""
    allowed_senders: tuple[str, ...] = ()
    any_sender: bool = False
    forward: Forward | None = None
    reply: AutoReply | None = None


_COLUMNS = (
    ACCOUNT.c.id,
    DOMAIN.c.name,
    ACCOUNT.c.local,
    ACCOUNT.c.active,
    ACCOUNT.c.quota_bytes,
    ACCOUNT.c.options,
    ACCOUNT.c.inbox_id,
    ACCOUNT.c.generation,
)
_JOINED = select(*_COLUMNS).join(DOMAIN, DOMAIN.c.id == ACCOUNT.c.domain_id)

_ALL = Statement(_JOINED.order_by(DOMAIN.c.name, ACCOUNT.c.local))
_OF_DOMAIN = Statement(_JOINED.where(DOMAIN.c.name == bindparam("domain")).order_by(ACCOUNT.c.local))
_BY_ID = Statement(_JOINED.where(ACCOUNT.c.id == bindparam("id")))
_BY_LOCAL = Keyed(lambda keys: _JOINED.where(ACCOUNT.c.domain_id == bindparam("domain_id"), ACCOUNT.c.local.in_(keys)))
_INSERT = Statement(
    insert(ACCOUNT).values(
        domain_id=bindparam("domain_id"),
        local=bindparam("local"),
        active=bindparam("active"),
        quota_bytes=bindparam("quota_bytes"),
        options=bindparam("options"),
        generation=1,
        inbox_id=0,
        last_uidvalidity=0,
        created_at=bindparam("created_at"),
    )
)
_UPDATE = Statement(
    update(ACCOUNT)
    .where(ACCOUNT.c.id == bindparam("key"))
    .values(active=bindparam("active"), quota_bytes=bindparam("quota_bytes"), options=bindparam("options"))
)
_SET_INBOX = Statement(update(ACCOUNT).where(ACCOUNT.c.id == bindparam("key")).values(inbox_id=bindparam("inbox_id")))
_RAISE_GENERATION = Statement(
    update(ACCOUNT).where(ACCOUNT.c.id == bindparam("key")).values(generation=ACCOUNT.c.generation + 1)
)
_DISABLE = Statement(update(ACCOUNT).where(ACCOUNT.c.id == bindparam("key")).values(active=0))
_USAGE = Statement(
    select(func.sum(MAILBOX.c.size), func.sum(MAILBOX.c.messages)).where(MAILBOX.c.account_id == bindparam("id"))
)
_QUOTAS = Keyed(
    lambda keys: (
        select(ACCOUNT.c.id, ACCOUNT.c.quota_bytes, func.sum(MAILBOX.c.size))
        .join(MAILBOX, MAILBOX.c.account_id == ACCOUNT.c.id)
        .where(ACCOUNT.c.id.in_(keys), ACCOUNT.c.quota_bytes > 0)
        .group_by(ACCOUNT.c.id, ACCOUNT.c.quota_bytes)
    )
)
_LIMITED = Statement(select(ACCOUNT.c.id).where(ACCOUNT.c.quota_bytes > 0))
_OTHERS = [
    Statement(
        select(table.c.id).where(table.c.domain_id == bindparam("domain_id"), table.c.local == bindparam("local"))
    )
    for table in (ALIAS, MAILING_LIST)
]
_DELETES = [
    Statement(delete(table).where(table.c.account_id == bindparam("id")))
    for table in (CREDENTIAL, SENT, SUBSCRIPTION, KEYWORD, MAILBOX)
]
_DELETE = Statement(delete(ACCOUNT).where(ACCOUNT.c.id == bindparam("id")))


def accounts(tx: Transaction, domain: str | None = None) -> list[Account]:
    """All, or those of a domain, by address."""
    rows = tx.rows(_ALL) if domain is None else tx.rows(_OF_DOMAIN, {"domain": domain})
    return [_account(row) for row in rows]


def get(tx: Transaction, account_id: int) -> Account | None:
    """By id."""
    row = one(tx, _BY_ID, {"id": account_id})
    return _account(row) if row else None


def with_locals(tx: Transaction, domain_id: int, locals_: Sequence[str]) -> dict[str, Account]:
    """The accounts of a domain that have one of these local parts."""
    found = {}
    for statement, values in _BY_LOCAL.split(locals_, {"domain_id": domain_id}):
        for row in tx.rows(statement, values):
            found[str(row[2])] = _account(row)
    return found


def save(tx: Transaction, account: Account) -> Account:
    """Inserts or changes by address."""
    domain_id = domains.lock(tx, account.domain)
    key = {"domain_id": domain_id, "local": account.local}
    values = {
        "active": int(account.active),
        "quota_bytes": account.quota_bytes,
        "options": msgspec.json.encode(_options(account)).decode(),
    }
    found = with_locals(tx, domain_id, [account.local]).get(account.local)
    if found is not None:
        id_ = found.id
        tx.run(_UPDATE, values | {"key": id_})
    else:
        if any(one(tx, other, key) for other in _OTHERS):
            raise AlreadyExists(f"{account.address} is an alias or a list")
        id_ = tx.insert(_INSERT, values | key | {"created_at": tx.now()})
        inbox, *_ = [mailboxes.insert_one(tx, id_, name, use) for name, use in STANDARD_MAILBOXES]
        tx.run(_SET_INBOX, {"key": id_, "inbox_id": inbox})
    saved = get(tx, id_)
    assert saved is not None  # noqa: S101 - written above in this transaction
    return saved


def changed_credential(tx: Transaction, account_id: int) -> None:
    """Ends what is cached about good logins of this account."""
    if not tx.run(_RAISE_GENERATION, {"key": account_id}):
        raise NotFound(f"no account {account_id}")


def usage(tx: Transaction, account_id: int) -> tuple[int, int]:
    """Bytes and messages held now."""
    size, messages = tx.rows(_USAGE, {"id": account_id})[0]
    return number(size), number(messages)


def limited(tx: Transaction) -> frozenset[int]:
    """The accounts that have a quota."""
    return frozenset(row[0] for row in tx.rows(_LIMITED))


def room(tx: Transaction, account_ids: Sequence[int]) -> dict[int, int]:
    """Bytes left of each account that has a quota."""
    left = {}
    for statement, values in _QUOTAS.split(account_ids):
        for id_, quota, used in tx.rows(statement, values):
            left[int(id_)] = number(quota) - number(used)
    return left


def begin_removal(tx: Transaction, account_id: int, *, purge: bool) -> None:
    """Ends deliveries and logins; raises ``NotEmpty`` when there is mail that may not go."""
    account = get(tx, account_id)
    if account is None:
        raise NotFound(f"no account {account_id}")
    if usage(tx, account_id)[1] and not purge:
        raise NotEmpty(f"{account.address} still has mail")
    tx.run(_DISABLE, {"key": account_id})
    changed_credential(tx, account_id)


def finish_removal(tx: Transaction, account_id: int) -> bool:
    """Removes the rows of an account without mail; False when a delivery came in between."""
    mailboxes.lock_all(tx, account_id)
    if usage(tx, account_id)[1]:
        return False
    for statement in _DELETES:
        tx.run(statement, {"id": account_id})
    tx.run(_DELETE, {"id": account_id})
    return True


def _options(account: Account) -> _Options:
    return _Options(
        language=account.language,
        display_name=account.display_name,
        admin=account.admin,
        allowed_senders=account.allowed_senders,
        any_sender=account.any_sender,
        forward=account.forward,
        reply=account.reply,
    )


def _account(row: Row) -> Account:
    id_, domain, local, active, quota_bytes, encoded, inbox_id, generation = row
    options = msgspec.json.decode(encoded, type=_Options)
    return Account(
        id=id_,
        domain=domain,
        local=local,
        active=bool(active),
        quota_bytes=quota_bytes,
        language=options.language,
        display_name=options.display_name,
        admin=options.admin,
        allowed_senders=options.allowed_senders,
        any_sender=options.any_sender,
        forward=options.forward,
        reply=options.reply,
        inbox_id=inbox_id,
        generation=generation,
    )
