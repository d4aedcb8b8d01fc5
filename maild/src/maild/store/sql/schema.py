"""The schema as SQLAlchemy Core metadata: what SQLite, MySQL 8.4 and newer and MariaDB 10.11 and newer all understand.

Text compares by bytes on every engine, times are integer microseconds, and small structured values are JSON text that
no engine looks into. Every change of this module goes with a migration that only adds (``store/migrations``).
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    Text,
    UniqueConstraint,
)
from sqlalchemy.dialects import mysql
from sqlalchemy.types import TypeEngine

metadata = MetaData()

# SQLite makes a rowid alias, and with it an automatic id, only of the type INTEGER.
ID = BigInteger().with_variant(Integer(), "sqlite")
TEXT = Text().with_variant(mysql.MEDIUMTEXT(), "mysql")
BYTES = LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql")
BLOB_ID = LargeBinary(16).with_variant(mysql.BINARY(16), "mysql")
DIGEST = LargeBinary(32).with_variant(mysql.BINARY(32), "mysql")
NETWORK_ADDRESS = LargeBinary(16).with_variant(mysql.BINARY(16), "mysql")
ADDRESS = String(400)
"""An address with room for a 64-octet local part, a 255-octet domain, and a list's bounce extension."""
NAME = String(255)
WORD = String(64)


def _table(name: str, *columns: Column[Any] | Index | UniqueConstraint, clustered: bool = False) -> Table:
    """A table; ``clustered`` keeps its rows in primary key order on SQLite, as InnoDB always does."""
    return Table(
        name,
        metadata,
        *columns,
        mysql_engine="InnoDB",
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        sqlite_with_rowid=not clustered,
        # An id is never given twice: MAILBOXID and UIDVALIDITY lean on it (InnoDB keeps its counter by itself).
        sqlite_autoincrement=any(getattr(column, "autoincrement", False) is True for column in columns),
    )


def _id() -> Column[Any]:
    return Column("id", ID, primary_key=True, autoincrement=True)


def _col(name: str, type_: TypeEngine[Any], *, key: bool = False, null: bool = False) -> Column[Any]:
    return Column(name, type_, primary_key=key, nullable=null, autoincrement=False)


META = _table("meta", _col("name", NAME, key=True), _col("value", TEXT))

DOMAIN = _table(
    "domain",
    _id(),
    Column("name", NAME, nullable=False, unique=True),
    _col("active", SmallInteger()),
    _col("catch_all", ADDRESS, null=True),
    _col("plus_addressing", SmallInteger()),
    _col("message_bytes", BigInteger()),
)

ALIAS_DOMAIN = _table(
    "alias_domain",
    _id(),
    Column("name", NAME, nullable=False, unique=True),
    _col("domain_id", ID),
)

ACCOUNT = _table(
    "account",
    _id(),
    _col("domain_id", ID),
    _col("local", NAME),
    _col("active", SmallInteger()),
    _col("quota_bytes", BigInteger()),
    _col("options", TEXT),
    _col("generation", BigInteger()),
    _col("inbox_id", ID),
    _col("last_uidvalidity", BigInteger()),
    _col("created_at", BigInteger()),
    UniqueConstraint("domain_id", "local"),
)

ALIAS = _table(
    "alias",
    _id(),
    _col("domain_id", ID),
    _col("local", NAME),
    _col("active", SmallInteger()),
    _col("targets", TEXT),
    _col("sole_target", ADDRESS, null=True),
    UniqueConstraint("domain_id", "local"),
    Index("alias_sole_target", "sole_target"),
)

MAILING_LIST = _table(
    "mailing_list",
    _id(),
    _col("domain_id", ID),
    _col("local", NAME),
    _col("active", SmallInteger()),
    _col("options", TEXT),
    UniqueConstraint("domain_id", "local"),
)

ROUTE = _table(
    "route",
    _id(),
    Column("pattern", NAME, nullable=False, unique=True),
    _col("active", SmallInteger()),
    _col("options", TEXT),
    _col("secret", BYTES),
)

CREDENTIAL = _table(
    "credential",
    _id(),
    _col("account_id", ID),
    _col("kind", WORD),
    _col("hash", String(512)),
    _col("scope", NAME),
    _col("label", NAME),
    _col("created_at", BigInteger()),
    _col("last_used_at", BigInteger(), null=True),
    _col("expires_at", BigInteger(), null=True),
    Index("credential_account", "account_id"),
)

IP_RANGE = _table(
    "ip_range",
    _id(),
    Column("name", NAME, nullable=False, unique=True),
    _col("low", NETWORK_ADDRESS),
    _col("high", NETWORK_ADDRESS),
    _col("priority", Integer()),
    _col("options", TEXT),
    _col("expires_at", BigInteger(), null=True),
)

BAN = _table(
    "ban",
    _id(),
    Column("network", WORD, nullable=False, unique=True),
    _col("reason", NAME),
    _col("account", ADDRESS),
    _col("created_at", BigInteger()),
    _col("expires_at", BigInteger(), null=True),
    _col("automatic", SmallInteger()),
)

LOGIN_FAILURE = _table(
    "login_failure",
    _id(),
    _col("network", WORD),
    _col("account", ADDRESS),
    _col("protocol", WORD),
    _col("at", BigInteger()),
    Index("login_failure_network", "network", "at"),
    Index("login_failure_at", "at"),
)

LOGIN_SUCCESS = _table(
    "login_success",
    _col("account", ADDRESS, key=True),
    _col("network", WORD, key=True),
    _col("at", BigInteger()),
    Index("login_success_at", "at"),
)

MAILBOX = _table(
    "mailbox",
    _id(),
    _col("account_id", ID),
    _col("name", NAME),
    _col("uidvalidity", BigInteger()),
    _col("uidnext", BigInteger()),
    _col("highestmodseq", BigInteger()),
    _col("messages", BigInteger()),
    _col("unseen", BigInteger()),
    _col("deleted", BigInteger()),
    _col("size", BigInteger()),
    _col("special_use", WORD),
    UniqueConstraint("account_id", "name"),
)

SUBSCRIPTION = _table("subscription", _col("account_id", ID, key=True), _col("name", NAME, key=True), clustered=True)

KEYWORD = _table(
    "keyword",
    _col("account_id", ID, key=True),
    _col("bit", SmallInteger(), key=True),
    _col("name", NAME),
    clustered=True,
)

BLOB = _table(
    "blob",
    _col("id", BLOB_ID, key=True),
    _col("size", BigInteger()),
    _col("complete", SmallInteger()),
    _col("created_at", BigInteger()),
    _col("structure_version", Integer()),
    _col("structure", BYTES, null=True),
    Index("blob_unfinished", "complete", "created_at"),
)

BLOB_CHUNK = _table(
    "blob_chunk",
    _col("blob_id", BLOB_ID, key=True),
    _col("number", Integer(), key=True),
    _col("size", Integer()),
    _col("data", BYTES),
)

MESSAGE = _table(
    "message",
    _col("mailbox_id", ID, key=True),
    _col("uid", BigInteger(), key=True),
    _col("blob_id", BLOB_ID),
    _col("modseq", BigInteger()),
    _col("flags", BigInteger()),
    _col("internal_at", BigInteger()),
    _col("saved_at", BigInteger()),
    _col("size", BigInteger()),
    Index("message_modseq", "mailbox_id", "modseq"),
    Index("message_blob", "blob_id"),
    clustered=True,
)

VANISHED = _table(
    "vanished",
    _col("mailbox_id", ID, key=True),
    _col("modseq", BigInteger(), key=True),
    _col("uid", BigInteger(), key=True),
    clustered=True,
)

SNAPSHOT = _table("snapshot", _col("mailbox_id", ID, key=True), _col("modseq", BigInteger()), _col("data", BYTES))

GARBAGE = _table("garbage", _col("blob_id", BLOB_ID, key=True), _col("at", BigInteger()), Index("garbage_at", "at"))

QUEUE_ITEM = _table(
    "queue_item",
    _col("id", ID, key=True),
    _col("blob_id", BLOB_ID),
    _col("destination", NAME),
    _col("sender", ADDRESS),
    _col("size", BigInteger()),
    _col("envelope_id", NAME),
    _col("dsn_return", WORD),
    _col("traits", Integer()),
    _col("origin", ADDRESS),
    _col("created_at", BigInteger()),
    _col("expires_at", BigInteger()),
    _col("next_at", BigInteger()),
    _col("attempts", Integer()),
    _col("held", SmallInteger()),
    _col("delay_notified", SmallInteger()),
    _col("lease_owner", WORD),
    _col("lease_epoch", BigInteger()),
    _col("lease_until", BigInteger()),
    Index("queue_item_due", "destination", "held", "next_at"),
    Index("queue_item_lease", "destination", "lease_until"),
    Index("queue_item_expires", "expires_at"),
    Index("queue_item_blob", "blob_id"),
)

QUEUE_RECIPIENT = _table(
    "queue_recipient",
    _col("item_id", ID, key=True),
    _col("number", Integer(), key=True),
    _col("address", ADDRESS),
    _col("original", String(500)),
    _col("notify", WORD),
    _col("state", WORD),
    _col("reply", TEXT),
    _col("remote", NAME),
    clustered=True,
)

DESTINATION = _table(
    "destination",
    _col("name", NAME, key=True),
    _col("due_at", BigInteger()),
    _col("wakes", BigInteger()),
    _col("failures", Integer()),
    _col("held", SmallInteger()),
    _col("reply", TEXT),
    Index("destination_due", "held", "due_at"),
)

SUPPRESSION = _table(
    "suppression",
    _col("address", ADDRESS, key=True),
    _col("reason", TEXT),
    _col("until_at", BigInteger(), null=True),
)

ONCE = _table("once", _col("digest", DIGEST, key=True), _col("until_at", BigInteger()), Index("once_until", "until_at"))

GREYLIST = _table(
    "greylist",
    _col("digest", DIGEST, key=True),
    _col("first_at", BigInteger()),
    _col("last_at", BigInteger()),
    _col("passes", Integer()),
    Index("greylist_last", "last_at"),
)

DKIM_KEY = _table(
    "dkim_key",
    _id(),
    _col("domain", NAME),
    _col("selector", WORD),
    _col("algorithm", WORD),
    _col("wrapped", BYTES),
    _col("public", TEXT),
    _col("state", WORD),
    _col("created_at", BigInteger()),
    UniqueConstraint("domain", "selector"),
)

SRS_KEY = _table("srs_key", _id(), _col("wrapped", BYTES), _col("created_at", BigInteger()))

STS_POLICY = _table(
    "sts_policy",
    _col("domain", NAME, key=True),
    _col("policy_id", WORD),
    _col("mode", WORD),
    _col("mx", TEXT),
    _col("fetched_at", BigInteger()),
    _col("expires_at", BigInteger()),
)

REPORT = _table(
    "report",
    _id(),
    _col("kind", WORD),
    _col("domain", NAME),
    _col("source", NAME),
    _col("begin_at", BigInteger()),
    _col("end_at", BigInteger()),
    _col("data", BYTES),
    UniqueConstraint("kind", "domain", "source", "begin_at"),
)

SENT = _table(
    "sent",
    _col("account_id", ID, key=True),
    _col("minute_at", BigInteger(), key=True),
    _col("messages", BigInteger()),
    _col("recipients", BigInteger()),
    Index("sent_minute", "minute_at"),
    clustered=True,
)
