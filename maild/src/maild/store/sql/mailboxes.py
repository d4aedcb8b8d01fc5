"""Mailboxes, subscriptions and keywords, as functions of an open transaction."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from sqlalchemy import bindparam, delete, insert, select, update

from maild.store.engine.base import Transaction, keyed_rows, one
from maild.store.errors import AlreadyExists, InUse, KeywordLimit, MailboxGone, NotFound, StoreError
from maild.store.records.mail import (
    DELIMITER,
    FIRST_KEYWORD_BIT,
    FIXED_FLAGS,
    LAST_KEYWORD_BIT,
    Keywords,
    Mailbox,
)
from maild.store.sql.schema import ACCOUNT, KEYWORD, MAILBOX, SNAPSHOT, SUBSCRIPTION, VANISHED
from maild.store.sql.statement import Keyed, Row, Statement

LONGEST_NAME = 255
"""Characters of a mailbox name: what the index holds."""

_COLUMNS = (
    MAILBOX.c.id,
    MAILBOX.c.account_id,
    MAILBOX.c.name,
    MAILBOX.c.uidvalidity,
    MAILBOX.c.uidnext,
    MAILBOX.c.highestmodseq,
    MAILBOX.c.messages,
    MAILBOX.c.unseen,
    MAILBOX.c.deleted,
    MAILBOX.c.size,
    MAILBOX.c.special_use,
)
_ACCOUNT = MAILBOX.c.account_id == bindparam("account_id")

_OF = Statement(select(*_COLUMNS).where(_ACCOUNT).order_by(MAILBOX.c.name))
_NAMED = Statement(select(*_COLUMNS).where(_ACCOUNT, MAILBOX.c.name == bindparam("name")))
_BY_ID = Statement(select(*_COLUMNS).where(MAILBOX.c.id == bindparam("id")))
_WITH_USE = Statement(select(*_COLUMNS).where(_ACCOUNT, MAILBOX.c.special_use == bindparam("special_use")))
_IDS_WITH_USE = Statement(select(MAILBOX.c.id).where(MAILBOX.c.special_use == bindparam("special_use")))
_LOCK = Keyed(
    lambda keys: select(*_COLUMNS).where(MAILBOX.c.id.in_(keys)).order_by(MAILBOX.c.id).with_for_update(of=MAILBOX)
)
_LOCK_ALL = Statement(select(MAILBOX.c.id).where(_ACCOUNT).order_by(MAILBOX.c.id).with_for_update())
_MARKS = Keyed(lambda keys: select(MAILBOX.c.id, MAILBOX.c.highestmodseq).where(MAILBOX.c.id.in_(keys)))
_LAST_UIDVALIDITY = Statement(
    select(ACCOUNT.c.last_uidvalidity).where(ACCOUNT.c.id == bindparam("account_id")).with_for_update()
)
_SET_UIDVALIDITY = Statement(
    update(ACCOUNT).where(ACCOUNT.c.id == bindparam("key")).values(last_uidvalidity=bindparam("uidvalidity"))
)
_INSERT = Statement(
    insert(MAILBOX).values(
        account_id=bindparam("account_id"),
        name=bindparam("name"),
        uidvalidity=bindparam("uidvalidity"),
        uidnext=1,
        highestmodseq=1,
        messages=0,
        unseen=0,
        deleted=0,
        size=0,
        special_use=bindparam("special_use"),
    )
)
_RENAME = Statement(update(MAILBOX).where(MAILBOX.c.id == bindparam("key")).values(name=bindparam("name")))
_SET_USE = Statement(
    update(MAILBOX).where(MAILBOX.c.id == bindparam("key")).values(special_use=bindparam("special_use"))
)
_CLEAR_USE = Statement(
    update(MAILBOX)
    .where(_ACCOUNT, MAILBOX.c.special_use == bindparam("use"), MAILBOX.c.id != bindparam("key"))
    .values(special_use="")
)
_DELETES = [
    Statement(delete(MAILBOX).where(MAILBOX.c.id == bindparam("id"))),
    Statement(delete(SNAPSHOT).where(SNAPSHOT.c.mailbox_id == bindparam("id"))),
    Statement(delete(VANISHED).where(VANISHED.c.mailbox_id == bindparam("id"))),
]

_SUBSCRIBED = Statement(
    select(SUBSCRIPTION.c.name)
    .where(SUBSCRIPTION.c.account_id == bindparam("account_id"))
    .order_by(SUBSCRIPTION.c.name)
)
_SUBSCRIBE = Statement(
    insert(SUBSCRIPTION)
    .prefix_with("IGNORE", dialect="mysql")
    .prefix_with("OR IGNORE", dialect="sqlite")
    .values(account_id=bindparam("account_id"), name=bindparam("name"))
)
_UNSUBSCRIBE = Statement(
    delete(SUBSCRIPTION).where(
        SUBSCRIPTION.c.account_id == bindparam("account_id"), SUBSCRIPTION.c.name == bindparam("name")
    )
)

_KEYWORDS = Statement(
    select(KEYWORD.c.bit, KEYWORD.c.name).where(KEYWORD.c.account_id == bindparam("id")).order_by(KEYWORD.c.bit)
)
_ADD_KEYWORD = Statement(
    insert(KEYWORD).values(account_id=bindparam("account_id"), bit=bindparam("bit"), name=bindparam("name"))
)


def canonical_name(name: str) -> str:
    """NFC, ``INBOX`` in capitals as a whole name or as the first level."""
    head, slash, rest = unicodedata.normalize("NFC", name).partition(DELIMITER)
    name = (head.upper() if head.upper() == "INBOX" else head) + slash + rest
    if not name or len(name) > LONGEST_NAME or any(not level for level in name.split(DELIMITER)):
        raise StoreError(f"mailbox name {name[:LONGEST_NAME]!r}", "That is no valid mailbox name.")
    return name


def of(tx: Transaction, account_id: int) -> list[Mailbox]:
    """All of an account, by name."""
    subscribed = set(subscriptions(tx, account_id))
    return [_mailbox(row, row[2] in subscribed) for row in tx.rows(_OF, {"account_id": account_id})]


def named(tx: Transaction, account_id: int, name: str) -> Mailbox | None:
    """By name."""
    row = one(tx, _NAMED, {"account_id": account_id, "name": name})
    return _mailbox(row, _is_subscribed(tx, row)) if row else None


def get(tx: Transaction, mailbox_id: int) -> Mailbox | None:
    """By id."""
    row = one(tx, _BY_ID, {"id": mailbox_id})
    return _mailbox(row, _is_subscribed(tx, row)) if row else None


def with_use(tx: Transaction, account_id: int, special_use: str) -> Mailbox | None:
    """The mailbox of an account with this special use."""
    row = one(tx, _WITH_USE, {"account_id": account_id, "special_use": special_use})
    return _mailbox(row, _is_subscribed(tx, row)) if row else None


def ids_with_use(tx: Transaction, special_use: str) -> list[int]:
    """The mailboxes of all accounts with this special use."""
    return [row[0] for row in tx.rows(_IDS_WITH_USE, {"special_use": special_use})]


def lock(tx: Transaction, mailbox_ids: Sequence[int]) -> dict[int, Mailbox]:
    """Locks them, always in the order of their ids: another order deadlocks with other batches. Missing ones are left
    out; ``subscribed`` is not read."""
    return {int(row[0]): _mailbox(row, subscribed=True) for row in keyed_rows(tx, _LOCK, sorted(set(mailbox_ids)))}


def lock_one(tx: Transaction, mailbox_id: int) -> Mailbox:
    """Locks one; raises ``MailboxGone``."""
    try:
        return lock(tx, [mailbox_id])[mailbox_id]
    except KeyError:
        raise MailboxGone(f"mailbox {mailbox_id}") from None


def lock_all(tx: Transaction, account_id: int) -> None:
    """Locks every mailbox of an account."""
    tx.rows(_LOCK_ALL, {"account_id": account_id})


def marks(tx: Transaction, mailbox_ids: Sequence[int]) -> dict[int, int]:
    """HIGHESTMODSEQ by id."""
    return {int(id_): int(modseq) for id_, modseq in keyed_rows(tx, _MARKS, mailbox_ids)}


def insert_one(tx: Transaction, account_id: int, name: str, special_use: str = "") -> int:
    """A new mailbox, subscribed; its UIDVALIDITY is higher than any the account had before."""
    row = one(tx, _LAST_UIDVALIDITY, {"account_id": account_id})
    if row is None:
        raise NotFound(f"no account {account_id}")
    uidvalidity = max(int(row[0]) + 1, tx.now() // 1_000_000)
    tx.run(_SET_UIDVALIDITY, {"key": account_id, "uidvalidity": uidvalidity})
    id_ = tx.insert(
        _INSERT,
        {"account_id": account_id, "name": name, "uidvalidity": uidvalidity, "special_use": special_use},
    )
    tx.run(_SUBSCRIBE, {"account_id": account_id, "name": name})
    return id_


def create(tx: Transaction, account_id: int, name: str, special_use: str) -> Mailbox:
    """Makes a mailbox and the parents it lacks."""
    if named(tx, account_id, name) is not None:
        raise AlreadyExists(f"mailbox {name}")
    levels = name.split(DELIMITER)
    for depth in range(1, len(levels)):
        parent = DELIMITER.join(levels[:depth])
        if named(tx, account_id, parent) is None:
            insert_one(tx, account_id, parent)
    id_ = insert_one(tx, account_id, name, special_use)
    if special_use:
        set_use(tx, id_, special_use)
    made = get(tx, id_)
    assert made is not None  # noqa: S101 - written above in this transaction
    return made


def rename(tx: Transaction, account_id: int, old: str, new: str) -> None:
    """Gives a mailbox and its children new names, and makes the parents it lacks."""
    renamed = [box for box in of(tx, account_id) if box.name == old or box.name.startswith(old + DELIMITER)]
    if not any(box.name == old for box in renamed):
        raise NotFound(f"mailbox {old}")
    if new.startswith(old + DELIMITER):
        raise AlreadyExists(f"{new} lies below {old}", "A mailbox cannot be moved below itself.")
    if named(tx, account_id, new) is not None:
        raise AlreadyExists(f"mailbox {new}")
    levels = new.split(DELIMITER)
    for depth in range(1, len(levels)):
        parent = DELIMITER.join(levels[:depth])
        if named(tx, account_id, parent) is None:
            insert_one(tx, account_id, parent)
    for box in renamed:
        tx.run(_RENAME, {"key": box.id, "name": canonical_name(new + box.name[len(old) :])})


def begin_delete(tx: Transaction, account_id: int, name: str) -> int:
    """The id of a mailbox that may be deleted."""
    if name == "INBOX":
        raise InUse("INBOX", "INBOX cannot be deleted.")
    found = named(tx, account_id, name)
    if found is None:
        raise NotFound(f"mailbox {name}")
    return found.id


def finish_delete(tx: Transaction, mailbox_id: int) -> bool:
    """Removes an empty mailbox; False when a message came in between."""
    locked = lock(tx, [mailbox_id])
    if locked and locked[mailbox_id].messages:
        return False
    for statement in _DELETES:
        tx.run(statement, {"id": mailbox_id})
    return True


def set_use(tx: Transaction, mailbox_id: int, special_use: str) -> None:
    """Changes the special use; another mailbox of the account loses it."""
    box = lock_one(tx, mailbox_id)
    if special_use:
        tx.run(_CLEAR_USE, {"account_id": box.account_id, "use": special_use, "key": mailbox_id})
    tx.run(_SET_USE, {"key": mailbox_id, "special_use": special_use})


def subscriptions(tx: Transaction, account_id: int) -> list[str]:
    """Names, sorted."""
    return [row[0] for row in tx.rows(_SUBSCRIBED, {"account_id": account_id})]


def subscribe(tx: Transaction, account_id: int, name: str, *, on: bool) -> None:
    """Subscribes or unsubscribes; either may already be so."""
    tx.run(_SUBSCRIBE if on else _UNSUBSCRIBE, {"account_id": account_id, "name": name})


def keywords(tx: Transaction, account_id: int) -> Keywords:
    """The keywords of an account, fixed flags included."""
    own = {name: 1 << bit for bit, name in tx.rows(_KEYWORDS, {"id": account_id})}
    return Keywords(bits={**FIXED_FLAGS, **own})


def flag_bits(tx: Transaction, account_id: int, names: Sequence[str], *, add: bool = True) -> int:
    """The bits of these flags; with ``add`` unknown keywords get the next free bits."""
    if not names:
        return 0
    fixed = Keywords()
    if not fixed.unknown(names):
        return fixed.encode(names)
    known = keywords(tx, account_id)
    unknown = known.unknown(names) if add else []
    if not unknown:
        return known.encode(names)
    # The account row serializes two sessions that invent keywords at once.
    tx.rows(_LAST_UIDVALIDITY, {"account_id": account_id})
    known = keywords(tx, account_id)
    bits = dict(known.bits)
    bit = FIRST_KEYWORD_BIT + len(bits) - len(FIXED_FLAGS)
    for name in known.unknown(names):
        if bit > LAST_KEYWORD_BIT:
            raise KeywordLimit(f"account {account_id} has {bit - FIRST_KEYWORD_BIT} keywords")
        tx.run(_ADD_KEYWORD, {"account_id": account_id, "bit": bit, "name": name})
        bits[name] = 1 << bit
        bit += 1
    return Keywords(bits=bits).encode(names)


def _is_subscribed(tx: Transaction, row: Row) -> bool:
    return row[2] in subscriptions(tx, row[1])


def _mailbox(row: Row, subscribed: bool) -> Mailbox:
    id_, account_id, name, uidvalidity, uidnext, highestmodseq, messages, unseen, deleted, size, special_use = row
    return Mailbox(
        id=id_,
        account_id=account_id,
        name=name,
        uidvalidity=uidvalidity,
        uidnext=uidnext,
        highestmodseq=highestmodseq,
        messages=messages,
        unseen=unseen,
        deleted=deleted,
        size=size,
        special_use=special_use,
        subscribed=subscribed,
    )
