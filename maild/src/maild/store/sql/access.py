"""Credentials, IP ranges, bans and login history, as functions of an open transaction."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import IPv4Address, IPv6Address, ip_network

import msgspec
from sqlalchemy import bindparam, delete, func, insert, or_, select, update

from maild.store.engine.base import Transaction, number, one
from maild.store.errors import NotFound
from maild.store.records.access import (
    Address,
    Ban,
    Credential,
    CredentialKind,
    Direction,
    IPRange,
    LoginFailure,
    Network,
)
from maild.store.sql.accounts import changed_credential
from maild.store.sql.schema import BAN, CREDENTIAL, IP_RANGE, LOGIN_FAILURE, LOGIN_SUCCESS
from maild.store.sql.statement import Row, Statement

USED_STEP_US = 60_000_000
"""The time of last use is kept to the minute, so that a busy account does not write at each login."""


class _RangeOptions(msgspec.Struct, frozen=True):
    protocols: tuple[str, ...]
    allow: tuple[Direction, ...]
    require_auth: tuple[Direction, ...]
    allow_local_sender: bool
    never_ban: bool


_CREDENTIAL = tuple(CREDENTIAL.columns)
_CREDENTIALS = Statement(
    select(*_CREDENTIAL).where(CREDENTIAL.c.account_id == bindparam("id")).order_by(CREDENTIAL.c.id)
)
_ADD_CREDENTIAL = Statement(
    insert(CREDENTIAL).values({column.name: bindparam(column.name) for column in _CREDENTIAL if column.name != "id"})
)
_CLEAR_PASSWORDS = Statement(
    delete(CREDENTIAL).where(
        CREDENTIAL.c.account_id == bindparam("id"),
        or_(
            CREDENTIAL.c.kind == CredentialKind.PASSWORD.value,
            CREDENTIAL.c.kind == CredentialKind.SCRAM_SHA_256.value,
        ),
    )
)
_UPGRADE = Statement(
    update(CREDENTIAL)
    .where(CREDENTIAL.c.id == bindparam("key"), CREDENTIAL.c.hash == bindparam("old"))
    .values(hash=bindparam("new"))
)
_USED = Statement(
    update(CREDENTIAL)
    .where(
        CREDENTIAL.c.id == bindparam("key"),
        or_(CREDENTIAL.c.last_used_at.is_(None), CREDENTIAL.c.last_used_at < bindparam("step")),
    )
    .values(last_used_at=bindparam("at"))
)
_STILL_PASSWORD = Statement(
    select(CREDENTIAL.c.id).where(
        CREDENTIAL.c.id == bindparam("key"),
        CREDENTIAL.c.account_id == bindparam("id"),
        CREDENTIAL.c.kind == CredentialKind.PASSWORD.value,
    )
)
_CLEAR_VERIFIERS = Statement(
    delete(CREDENTIAL).where(
        CREDENTIAL.c.account_id == bindparam("id"), CREDENTIAL.c.kind == CredentialKind.SCRAM_SHA_256.value
    )
)
_OWNER = Statement(select(CREDENTIAL.c.account_id).where(CREDENTIAL.c.id == bindparam("id")))
_REMOVE_CREDENTIAL = Statement(delete(CREDENTIAL).where(CREDENTIAL.c.id == bindparam("id")))

_RANGE = tuple(IP_RANGE.columns)
_RANGES = Statement(
    select(*_RANGE)
    .where(or_(IP_RANGE.c.expires_at.is_(None), IP_RANGE.c.expires_at > bindparam("now")))
    .order_by(IP_RANGE.c.priority.desc(), IP_RANGE.c.name)
)
_RANGE_NAMED = Statement(select(*_RANGE).where(IP_RANGE.c.name == bindparam("key")))
_RANGE_FIELDS = ("low", "high", "priority", "options", "expires_at")
_INSERT_RANGE = Statement(
    insert(IP_RANGE).values({"name": bindparam("key"), **{name: bindparam(name) for name in _RANGE_FIELDS}})
)
_UPDATE_RANGE = Statement(
    update(IP_RANGE)
    .where(IP_RANGE.c.name == bindparam("key"))
    .values({name: bindparam(name) for name in _RANGE_FIELDS})
)
_DELETE_RANGE = Statement(delete(IP_RANGE).where(IP_RANGE.c.name == bindparam("key")))

_BAN = tuple(BAN.columns)
_BAN_FIELDS = ("reason", "account", "created_at", "expires_at", "automatic")
_BANS = Statement(
    select(*_BAN).where(or_(BAN.c.expires_at.is_(None), BAN.c.expires_at > bindparam("now"))).order_by(BAN.c.created_at)
)
_BAN_OF = Statement(select(*_BAN).where(BAN.c.network == bindparam("key")))
_INSERT_BAN = Statement(
    insert(BAN).values({"network": bindparam("key"), **{name: bindparam(name) for name in _BAN_FIELDS}})
)
_UPDATE_BAN = Statement(
    update(BAN).where(BAN.c.network == bindparam("key")).values({name: bindparam(name) for name in _BAN_FIELDS})
)
_DELETE_BAN = Statement(delete(BAN).where(BAN.c.network == bindparam("key")))
_EXPIRED_BANS = Statement(delete(BAN).where(BAN.c.expires_at <= bindparam("before")))

_FAILURE_FIELDS = ("network", "account", "protocol", "at")
_ADD_FAILURE = Statement(insert(LOGIN_FAILURE).values({name: bindparam(name) for name in _FAILURE_FIELDS}))
# Counting ends at the bound: in a flood each network soon has thousands.
_COUNT_FAILURES = Statement(
    select(func.count()).select_from(
        select(LOGIN_FAILURE.c.at)
        .where(LOGIN_FAILURE.c.network == bindparam("network"), LOGIN_FAILURE.c.at >= bindparam("since"))
        .limit(bindparam("most"))
        .subquery()
    )
)
_FAILURES = Statement(
    select(*[LOGIN_FAILURE.c[name] for name in _FAILURE_FIELDS])
    .where(LOGIN_FAILURE.c.at >= bindparam("since"))
    .order_by(LOGIN_FAILURE.c.at)
)
_CLEAR_FAILURES = Statement(
    delete(LOGIN_FAILURE).where(
        LOGIN_FAILURE.c.network == bindparam("network"), LOGIN_FAILURE.c.account == bindparam("account")
    )
)
_FORGIVE = Statement(delete(LOGIN_FAILURE).where(LOGIN_FAILURE.c.network == bindparam("key")))
_OLD_FAILURES = Statement(delete(LOGIN_FAILURE).where(LOGIN_FAILURE.c.at < bindparam("before")))
_SUCCEEDED = Statement(
    update(LOGIN_SUCCESS)
    .where(LOGIN_SUCCESS.c.account == bindparam("account"), LOGIN_SUCCESS.c.network == bindparam("network"))
    .values(at=bindparam("when"))
)
_FIRST_SUCCESS = Statement(
    insert(LOGIN_SUCCESS)
    .prefix_with("IGNORE", dialect="mysql")
    .prefix_with("OR IGNORE", dialect="sqlite")
    .values(account=bindparam("account"), network=bindparam("network"), at=bindparam("when"))
)
_SUCCESSES = Statement(
    select(LOGIN_SUCCESS.c.account, LOGIN_SUCCESS.c.network).where(LOGIN_SUCCESS.c.at >= bindparam("since"))
)
_OLD_SUCCESSES = Statement(delete(LOGIN_SUCCESS).where(LOGIN_SUCCESS.c.at < bindparam("before")))


def credentials(tx: Transaction, account_id: int) -> list[Credential]:
    """All of an account, oldest first."""
    return [_credential(row) for row in tx.rows(_CREDENTIALS, {"id": account_id})]


def add_credential(tx: Transaction, credential: Credential) -> Credential:
    """Adds a row."""
    changed_credential(tx, credential.account_id)
    values = _credential_row(credential) | {"created_at": credential.created_at or tx.now()}
    id_ = tx.insert(_ADD_CREDENTIAL, values)
    return next(row for row in credentials(tx, credential.account_id) if row.id == id_)


def set_password(tx: Transaction, account_id: int, hash_: str, verifier: str) -> None:
    """Replaces password and SCRAM verifiers by one password and its verifier, if it comes with one."""
    changed_credential(tx, account_id)  # locks the account: a verifier of the old password cannot come in between
    tx.run(_CLEAR_PASSWORDS, {"id": account_id})
    add_credential(tx, Credential(account_id=account_id, kind=CredentialKind.PASSWORD, hash=hash_))
    if verifier:
        add_credential(tx, Credential(account_id=account_id, kind=CredentialKind.SCRAM_SHA_256, hash=verifier))


def set_verifier(tx: Transaction, password: Credential, verifier: str) -> bool:
    """Puts a verifier in place of what the account has, as long as the password is still its own."""
    changed_credential(tx, password.account_id)
    if one(tx, _STILL_PASSWORD, {"key": password.id, "id": password.account_id}) is None:
        return False
    tx.run(_CLEAR_VERIFIERS, {"id": password.account_id})
    add_credential(tx, Credential(account_id=password.account_id, kind=CredentialKind.SCRAM_SHA_256, hash=verifier))
    return True


def upgrade(tx: Transaction, credential_id: int, old: str, new: str) -> bool:
    """Swaps a hash if it is still the old one."""
    return bool(tx.run(_UPGRADE, {"key": credential_id, "old": old, "new": new}))


def used(tx: Transaction, credential_id: int, at: int) -> None:
    """Notes the last use."""
    tx.run(_USED, {"key": credential_id, "at": at, "step": at - USED_STEP_US})


def remove_credential(tx: Transaction, credential_id: int) -> None:
    """Removes a row."""
    row = one(tx, _OWNER, {"id": credential_id})
    if row is not None:
        tx.run(_REMOVE_CREDENTIAL, {"id": credential_id})
        changed_credential(tx, row[0])


def ranges(tx: Transaction) -> Sequence[IPRange]:
    """Those in force, highest priority first."""
    return [_range(row) for row in tx.rows(_RANGES, {"now": tx.now()})]


def save_range(tx: Transaction, range_: IPRange) -> IPRange:
    """Inserts or replaces by name."""
    options = _RangeOptions(
        protocols=tuple(sorted(range_.protocols)),
        allow=tuple(sorted(range_.allow)),
        require_auth=tuple(sorted(range_.require_auth)),
        allow_local_sender=range_.allow_local_sender,
        never_ban=range_.never_ban,
    )
    values = {
        "key": range_.name,
        "low": packed(range_.low),
        "high": packed(range_.high),
        "priority": range_.priority,
        "options": msgspec.json.encode(options).decode(),
        "expires_at": range_.expires_at,
    }
    if not tx.run(_UPDATE_RANGE, values):
        tx.insert(_INSERT_RANGE, values)
    return _range(tx.rows(_RANGE_NAMED, values)[0])


def remove_range(tx: Transaction, name: str) -> None:
    """Removes by name."""
    if not tx.run(_DELETE_RANGE, {"key": name}):
        raise NotFound(f"no IP range {name}")


def bans(tx: Transaction) -> list[Ban]:
    """Those in force."""
    return [_ban(row) for row in tx.rows(_BANS, {"now": tx.now()})]


def add_ban(tx: Transaction, ban: Ban) -> Ban:
    """Adds or prolongs the ban of a network."""
    values = {
        "key": str(ban.network),
        "reason": ban.reason,
        "account": ban.account,
        "created_at": ban.created_at or tx.now(),
        "expires_at": ban.expires_at,
        "automatic": int(ban.automatic),
    }
    if not tx.run(_UPDATE_BAN, values):
        tx.insert(_INSERT_BAN, values)
    return _ban(tx.rows(_BAN_OF, values)[0])


def remove_ban(tx: Transaction, network: Network) -> bool:
    """Lifts the ban of this network, and forgets what led to it."""
    values = {"key": str(network)}
    tx.run(_FORGIVE, values)
    return bool(tx.run(_DELETE_BAN, values))


def record_failure(tx: Transaction, failure: LoginFailure, since: int, most: int) -> int:
    """Writes it and counts the network's failures, up to a bound."""
    values = {
        "network": str(failure.network),
        "account": failure.account,
        "protocol": failure.protocol,
        "at": failure.at,
    }
    tx.run(_ADD_FAILURE, values)
    return number(tx.rows(_COUNT_FAILURES, values | {"since": since, "most": most})[0][0])


def record_success(tx: Transaction, account: str, network: Network, at: int) -> None:
    """Notes it and clears that account's failures from that network."""
    values = {"account": account, "network": str(network), "when": at}
    if not tx.run(_SUCCEEDED, values):
        tx.run(_FIRST_SUCCESS, values)
    tx.run(_CLEAR_FAILURES, values)


def succeeded_since(tx: Transaction, since: int) -> set[tuple[str, Network]]:
    """Who logged in from where since then."""
    return {(account, ip_network(network)) for account, network in tx.rows(_SUCCESSES, {"since": since})}


def failures(tx: Transaction, since: int) -> list[LoginFailure]:
    """All failures since then, oldest first."""
    return [
        LoginFailure(network=ip_network(network), account=account, protocol=protocol, at=at)
        for network, account, protocol, at in tx.rows(_FAILURES, {"since": since})
    ]


def forget(tx: Transaction, before: int) -> int:
    """Removes history older than that, and bans that ended before it."""
    return sum(tx.run(statement, {"before": before}) for statement in (_OLD_FAILURES, _OLD_SUCCESSES, _EXPIRED_BANS))


def packed(address: Address) -> bytes:
    """16 bytes that sort; IPv4 as its mapped form."""
    return address.packed if isinstance(address, IPv6Address) else b"\0" * 10 + b"\xff\xff" + address.packed


def unpacked(data: bytes) -> Address:
    """The address of ``packed``."""
    address = IPv6Address(bytes(data))
    return IPv4Address(address.ipv4_mapped) if address.ipv4_mapped is not None else address


def _credential_row(credential: Credential) -> dict[str, str | int | None]:
    return {
        "account_id": credential.account_id,
        "kind": credential.kind.value,
        "hash": credential.hash,
        "scope": credential.scope,
        "label": credential.label,
        "last_used_at": credential.last_used_at,
        "expires_at": credential.expires_at,
    }


def _credential(row: Row) -> Credential:
    id_, account_id, kind, hash_, scope, label, created_at, last_used_at, expires_at = row
    return Credential(
        id=id_,
        account_id=account_id,
        kind=CredentialKind(kind),
        hash=hash_,
        scope=scope,
        label=label,
        created_at=created_at,
        last_used_at=last_used_at,
        expires_at=expires_at,
    )


def _range(row: Row) -> IPRange:
    id_, name, low, high, priority, encoded, expires_at = row
    options = msgspec.json.decode(encoded, type=_RangeOptions)
    return IPRange(
        id=id_,
        name=name,
        low=unpacked(low),
        high=unpacked(high),
        priority=priority,
        protocols=frozenset(options.protocols),
        allow=frozenset(options.allow),
        require_auth=frozenset(options.require_auth),
        allow_local_sender=options.allow_local_sender,
        never_ban=options.never_ban,
        expires_at=expires_at,
    )


def _ban(row: Row) -> Ban:
    id_, network, reason, account, created_at, expires_at, automatic = row
    return Ban(
        id=id_,
        network=ip_network(network),
        reason=reason,
        account=account,
        created_at=created_at,
        expires_at=expires_at,
        automatic=bool(automatic),
    )
