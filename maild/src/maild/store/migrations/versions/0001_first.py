"""The first schema."""

import sqlalchemy as sa
from sqlalchemy.dialects import mysql

from maild.store.migrations.steps import create_index, create_table

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Every table with its indexes."""
    create_table(
        "account",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column(
            "domain_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("local", sa.String(length=255), autoincrement=False, nullable=False),
        sa.Column("active", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("quota_bytes", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("options", sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql"), autoincrement=False, nullable=False),
        sa.Column("generation", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column(
            "inbox_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("last_uidvalidity", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("created_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("domain_id", "local"),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
        sqlite_autoincrement=True,
        sqlite_with_rowid=True,
    )
    create_table(
        "alias",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column(
            "domain_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("local", sa.String(length=255), autoincrement=False, nullable=False),
        sa.Column("active", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("targets", sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql"), autoincrement=False, nullable=False),
        sa.Column("sole_target", sa.String(length=400), autoincrement=False, nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("domain_id", "local"),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
        sqlite_autoincrement=True,
        sqlite_with_rowid=True,
    )
    create_index("alias_sole_target", "alias", ["sole_target"], unique=False)
    create_table(
        "alias_domain",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column(
            "domain_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
        sqlite_autoincrement=True,
        sqlite_with_rowid=True,
    )
    create_table(
        "ban",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("network", sa.String(length=64), nullable=False),
        sa.Column("reason", sa.String(length=255), autoincrement=False, nullable=False),
        sa.Column("account", sa.String(length=400), autoincrement=False, nullable=False),
        sa.Column("created_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("expires_at", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("automatic", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("network"),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
        sqlite_autoincrement=True,
        sqlite_with_rowid=True,
    )
    create_table(
        "blob",
        sa.Column(
            "id",
            sa.LargeBinary(length=16).with_variant(sa.BINARY(length=16), "mysql"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("complete", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("created_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("structure_version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column(
            "structure", sa.LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql"), autoincrement=False, nullable=True
        ),
        sa.PrimaryKeyConstraint("id"),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
        sqlite_autoincrement=False,
        sqlite_with_rowid=True,
    )
    create_index("blob_unfinished", "blob", ["complete", "created_at"], unique=False)
    create_table(
        "blob_chunk",
        sa.Column(
            "blob_id",
            sa.LargeBinary(length=16).with_variant(sa.BINARY(length=16), "mysql"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("size", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column(
            "data", sa.LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql"), autoincrement=False, nullable=False
        ),
        sa.PrimaryKeyConstraint("blob_id", "number"),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
        sqlite_autoincrement=False,
        sqlite_with_rowid=True,
    )
    create_table(
        "credential",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("kind", sa.String(length=64), autoincrement=False, nullable=False),
        sa.Column("hash", sa.String(length=512), autoincrement=False, nullable=False),
        sa.Column("scope", sa.String(length=255), autoincrement=False, nullable=False),
        sa.Column("label", sa.String(length=255), autoincrement=False, nullable=False),
        sa.Column("created_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("last_used_at", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.Column("expires_at", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.PrimaryKeyConstraint("id"),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
        sqlite_autoincrement=True,
        sqlite_with_rowid=True,
    )
    create_index("credential_account", "credential", ["account_id"], unique=False)
    create_table(
        "destination",
        sa.Column("name", sa.String(length=255), autoincrement=False, nullable=False),
        sa.Column("due_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("wakes", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("failures", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("held", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("reply", sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql"), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("name"),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
        sqlite_autoincrement=False,
        sqlite_with_rowid=True,
    )
    create_index("destination_due", "destination", ["held", "due_at"], unique=False)
    create_table(
        "dkim_key",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("domain", sa.String(length=255), autoincrement=False, nullable=False),
        sa.Column("selector", sa.String(length=64), autoincrement=False, nullable=False),
        sa.Column("algorithm", sa.String(length=64), autoincrement=False, nullable=False),
        sa.Column(
            "wrapped", sa.LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql"), autoincrement=False, nullable=False
        ),
        sa.Column("public", sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql"), autoincrement=False, nullable=False),
        sa.Column("state", sa.String(length=64), autoincrement=False, nullable=False),
        sa.Column("created_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("domain", "selector"),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
        sqlite_autoincrement=True,
        sqlite_with_rowid=True,
    )
    create_table(
        "domain",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("active", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("catch_all", sa.String(length=400), autoincrement=False, nullable=True),
        sa.Column("plus_addressing", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("message_bytes", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
        sqlite_autoincrement=True,
        sqlite_with_rowid=True,
    )
    create_table(
        "garbage",
        sa.Column(
            "blob_id",
            sa.LargeBinary(length=16).with_variant(sa.BINARY(length=16), "mysql"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("blob_id"),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
        sqlite_autoincrement=False,
        sqlite_with_rowid=True,
    )
    create_index("garbage_at", "garbage", ["at"], unique=False)
    create_table(
        "greylist",
        sa.Column(
            "digest",
            sa.LargeBinary(length=32).with_variant(sa.BINARY(length=32), "mysql"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("first_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("last_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("passes", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("digest"),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
        sqlite_autoincrement=False,
        sqlite_with_rowid=True,
    )
    create_index("greylist_last", "greylist", ["last_at"], unique=False)
    create_table(
        "ip_range",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column(
            "low",
            sa.LargeBinary(length=16).with_variant(sa.BINARY(length=16), "mysql"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column(
            "high",
            sa.LargeBinary(length=16).with_variant(sa.BINARY(length=16), "mysql"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("priority", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("options", sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql"), autoincrement=False, nullable=False),
        sa.Column("expires_at", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("name"),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
        sqlite_autoincrement=True,
        sqlite_with_rowid=True,
    )
    create_table(
        "keyword",
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("bit", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("name", sa.String(length=255), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("account_id", "bit"),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
        sqlite_autoincrement=False,
        sqlite_with_rowid=False,
    )
    create_table(
        "login_failure",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("network", sa.String(length=64), autoincrement=False, nullable=False),
        sa.Column("account", sa.String(length=400), autoincrement=False, nullable=False),
        sa.Column("protocol", sa.String(length=64), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
        sqlite_autoincrement=True,
        sqlite_with_rowid=True,
    )
    create_index("login_failure_at", "login_failure", ["at"], unique=False)
    create_index("login_failure_network", "login_failure", ["network", "at"], unique=False)
    create_table(
        "login_success",
        sa.Column("account", sa.String(length=400), autoincrement=False, nullable=False),
        sa.Column("network", sa.String(length=64), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("account", "network"),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
        sqlite_autoincrement=False,
        sqlite_with_rowid=True,
    )
    create_index("login_success_at", "login_success", ["at"], unique=False)
    create_table(
        "mailbox",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("name", sa.String(length=255), autoincrement=False, nullable=False),
        sa.Column("uidvalidity", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("uidnext", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("highestmodseq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("messages", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("unseen", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("deleted", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("special_use", sa.String(length=64), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("account_id", "name"),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
        sqlite_autoincrement=True,
        sqlite_with_rowid=True,
    )
    create_table(
        "mailing_list",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column(
            "domain_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("local", sa.String(length=255), autoincrement=False, nullable=False),
        sa.Column("active", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("options", sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql"), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("domain_id", "local"),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
        sqlite_autoincrement=True,
        sqlite_with_rowid=True,
    )
    create_table(
        "message",
        sa.Column(
            "mailbox_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("uid", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column(
            "blob_id",
            sa.LargeBinary(length=16).with_variant(sa.BINARY(length=16), "mysql"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("modseq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("flags", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("internal_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("saved_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("mailbox_id", "uid"),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
        sqlite_autoincrement=False,
        sqlite_with_rowid=False,
    )
    create_index("message_blob", "message", ["blob_id"], unique=False)
    create_index("message_modseq", "message", ["mailbox_id", "modseq"], unique=False)
    create_table(
        "meta",
        sa.Column("name", sa.String(length=255), autoincrement=False, nullable=False),
        sa.Column("value", sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql"), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("name"),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
        sqlite_autoincrement=False,
        sqlite_with_rowid=True,
    )
    create_table(
        "once",
        sa.Column(
            "digest",
            sa.LargeBinary(length=32).with_variant(sa.BINARY(length=32), "mysql"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("until_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("digest"),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
        sqlite_autoincrement=False,
        sqlite_with_rowid=True,
    )
    create_index("once_until", "once", ["until_at"], unique=False)
    create_table(
        "queue_item",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column(
            "blob_id",
            sa.LargeBinary(length=16).with_variant(sa.BINARY(length=16), "mysql"),
            autoincrement=False,
            nullable=False,
        ),
        sa.Column("destination", sa.String(length=255), autoincrement=False, nullable=False),
        sa.Column("sender", sa.String(length=400), autoincrement=False, nullable=False),
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("envelope_id", sa.String(length=255), autoincrement=False, nullable=False),
        sa.Column("dsn_return", sa.String(length=64), autoincrement=False, nullable=False),
        sa.Column("traits", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("origin", sa.String(length=400), autoincrement=False, nullable=False),
        sa.Column("created_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("expires_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("next_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("attempts", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("held", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("delay_notified", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("lease_owner", sa.String(length=64), autoincrement=False, nullable=False),
        sa.Column("lease_epoch", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("lease_until", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
        sqlite_autoincrement=False,
        sqlite_with_rowid=True,
    )
    create_index("queue_item_blob", "queue_item", ["blob_id"], unique=False)
    create_index("queue_item_due", "queue_item", ["destination", "held", "next_at"], unique=False)
    create_index("queue_item_expires", "queue_item", ["expires_at"], unique=False)
    create_index("queue_item_lease", "queue_item", ["destination", "lease_until"], unique=False)
    create_table(
        "queue_recipient",
        sa.Column("item_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("address", sa.String(length=400), autoincrement=False, nullable=False),
        sa.Column("original", sa.String(length=500), autoincrement=False, nullable=False),
        sa.Column("notify", sa.String(length=64), autoincrement=False, nullable=False),
        sa.Column("state", sa.String(length=64), autoincrement=False, nullable=False),
        sa.Column("reply", sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql"), autoincrement=False, nullable=False),
        sa.Column("remote", sa.String(length=255), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("item_id", "number"),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
        sqlite_autoincrement=False,
        sqlite_with_rowid=False,
    )
    create_table(
        "report",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("kind", sa.String(length=64), autoincrement=False, nullable=False),
        sa.Column("domain", sa.String(length=255), autoincrement=False, nullable=False),
        sa.Column("source", sa.String(length=255), autoincrement=False, nullable=False),
        sa.Column("begin_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("end_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column(
            "data", sa.LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql"), autoincrement=False, nullable=False
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("kind", "domain", "source", "begin_at"),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
        sqlite_autoincrement=True,
        sqlite_with_rowid=True,
    )
    create_table(
        "route",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column("pattern", sa.String(length=255), nullable=False),
        sa.Column("active", sa.SmallInteger(), autoincrement=False, nullable=False),
        sa.Column("options", sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql"), autoincrement=False, nullable=False),
        sa.Column(
            "secret", sa.LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql"), autoincrement=False, nullable=False
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("pattern"),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
        sqlite_autoincrement=True,
        sqlite_with_rowid=True,
    )
    create_table(
        "sent",
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("minute_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("messages", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("recipients", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("account_id", "minute_at"),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
        sqlite_autoincrement=False,
        sqlite_with_rowid=False,
    )
    create_index("sent_minute", "sent", ["minute_at"], unique=False)
    create_table(
        "snapshot",
        sa.Column(
            "mailbox_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("modseq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column(
            "data", sa.LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql"), autoincrement=False, nullable=False
        ),
        sa.PrimaryKeyConstraint("mailbox_id"),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
        sqlite_autoincrement=False,
        sqlite_with_rowid=True,
    )
    create_table(
        "srs_key",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=True, nullable=False),
        sa.Column(
            "wrapped", sa.LargeBinary().with_variant(mysql.MEDIUMBLOB(), "mysql"), autoincrement=False, nullable=False
        ),
        sa.Column("created_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("id"),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
        sqlite_autoincrement=True,
        sqlite_with_rowid=True,
    )
    create_table(
        "sts_policy",
        sa.Column("domain", sa.String(length=255), autoincrement=False, nullable=False),
        sa.Column("policy_id", sa.String(length=64), autoincrement=False, nullable=False),
        sa.Column("mode", sa.String(length=64), autoincrement=False, nullable=False),
        sa.Column("mx", sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql"), autoincrement=False, nullable=False),
        sa.Column("fetched_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("expires_at", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("domain"),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
        sqlite_autoincrement=False,
        sqlite_with_rowid=True,
    )
    create_table(
        "subscription",
        sa.Column(
            "account_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("name", sa.String(length=255), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("account_id", "name"),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
        sqlite_autoincrement=False,
        sqlite_with_rowid=False,
    )
    create_table(
        "suppression",
        sa.Column("address", sa.String(length=400), autoincrement=False, nullable=False),
        sa.Column("reason", sa.Text().with_variant(mysql.MEDIUMTEXT(), "mysql"), autoincrement=False, nullable=False),
        sa.Column("until_at", sa.BigInteger(), autoincrement=False, nullable=True),
        sa.PrimaryKeyConstraint("address"),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
        sqlite_autoincrement=False,
        sqlite_with_rowid=True,
    )
    create_table(
        "vanished",
        sa.Column(
            "mailbox_id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), autoincrement=False, nullable=False
        ),
        sa.Column("modseq", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("uid", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("mailbox_id", "modseq", "uid"),
        mysql_charset="utf8mb4",
        mysql_collate="utf8mb4_bin",
        mysql_engine="InnoDB",
        sqlite_autoincrement=False,
        sqlite_with_rowid=False,
    )
