"""Brings a schema up to this release: alembic over SQLAlchemy, run before the engine opens and never beside it.

Revisions only add, so that the release before keeps working on a newer schema; a revision this release does not know
is therefore newer and accepted, unless the schema says in ``meta`` that it needs a later contract than ours.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import Any

import apsw
import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import URL

from maild.store.errors import SchemaMismatch, StoreUnavailable
from maild.store.sql.schema import META

CONTRACT = 1
"""Raised by the first revision that takes something away; a release refuses a schema of a later contract."""

CONTRACT_NAME = "schema.contract"

LOCK_SECONDS = 120
"""How long to wait while another daemon migrates the same database."""

SQLITE_WAIT_SECONDS = 30
CONNECT_SECONDS = 3


class SchemaState(Enum):
    """How a schema stands to this release."""

    MISSING = "missing"
    OLDER = "older"
    CURRENT = "current"
    NEWER = "newer"


def head() -> str:
    """The revision of this release."""
    found = _scripts().get_current_head()
    if found is None:
        raise SchemaMismatch("no migrations are installed")
    return found


def sqlite_url(file: Path) -> URL:
    """The URL of a SQLite file."""
    return URL.create("sqlite", database=str(file))


def mysql_url(host: str, port: int, user: str, password: str, schema: str) -> URL:
    """The URL of a schema of MySQL or MariaDB."""
    return URL.create(
        "mysql+mysqlconnector",
        username=user,
        password=password,
        host=host,
        port=port,
        database=schema,
        query={"use_pure": "True", "charset": "utf8mb4", "collation": "utf8mb4_bin"},
    )


def state(url: URL) -> tuple[SchemaState, str]:
    """How the schema stands, and its revision."""
    if url.get_backend_name() == "sqlite":
        return _sqlite_state(Path(str(url.database)))
    with _connection(url) as connection:
        return _state(connection)


def upgrade(url: URL) -> tuple[str, str]:
    """Runs what is missing; returns the revisions before and after. Safe to call from several daemons at once."""
    if url.get_backend_name() == "sqlite":
        # Two SQLite libraries with one file in one process undo each other's locks: look with the engine's own first.
        found, before = _sqlite_state(Path(str(url.database)))
        if found not in {SchemaState.MISSING, SchemaState.OLDER}:
            return before, before
    with _connection(url) as connection, _alone(connection):
        found, before = _state(connection)
        if found in {SchemaState.MISSING, SchemaState.OLDER}:
            config = _config()
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
        after = _state(connection)[1]
        connection.commit()
        return before, after


def _state(connection: sa.Connection) -> tuple[SchemaState, str]:
    revision = MigrationContext.configure(connection).get_current_revision()
    if revision is None:
        return SchemaState.MISSING, ""
    contract = connection.execute(sa.select(META.c.value).where(META.c.name == CONTRACT_NAME)).scalar()
    return _judged(revision, contract)


def _sqlite_state(file: Path) -> tuple[SchemaState, str]:
    if not file.exists():
        return SchemaState.MISSING, ""
    try:
        connection = apsw.Connection(str(file), flags=apsw.SQLITE_OPEN_READWRITE)
        connection.set_busy_timeout(SQLITE_WAIT_SECONDS * 1000)
        try:
            tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
            if not {"alembic_version", META.name} <= tables:
                return SchemaState.MISSING, ""
            revision = connection.execute("SELECT version_num FROM alembic_version").get
            contract = connection.execute("SELECT value FROM meta WHERE name = ?", (CONTRACT_NAME,)).get
        finally:
            connection.close()
    except apsw.Error as error:
        raise StoreUnavailable(f"SQLite: {error}") from error
    return _judged(revision, contract) if revision else (SchemaState.MISSING, "")


def _judged(revision: str, contract: str | None) -> tuple[SchemaState, str]:
    if contract is not None and int(contract) > CONTRACT:
        raise SchemaMismatch(f"the schema {revision} needs a later release (contract {contract}, ours is {CONTRACT})")
    known = {script.revision for script in _scripts().walk_revisions()}
    if revision == head():
        return SchemaState.CURRENT, revision
    return (SchemaState.OLDER if revision in known else SchemaState.NEWER), revision


@contextmanager
def _connection(url: URL) -> Iterator[sa.Connection]:
    sqlite = url.get_backend_name() == "sqlite"
    # Python's sqlite3 begins a transaction before DML alone, unless transactions are left to whoever uses it.
    arguments: dict[str, Any] = (
        {"timeout": SQLITE_WAIT_SECONDS, "isolation_level": None} if sqlite else {"connection_timeout": CONNECT_SECONDS}
    )
    engine = sa.create_engine(url, poolclass=sa.NullPool, connect_args=arguments)
    try:
        with engine.connect() as connection:
            yield connection
    except sa.exc.DBAPIError as error:
        raise StoreUnavailable(f"migration: {error.orig}") from error
    finally:
        engine.dispose()


@contextmanager
def _alone(connection: sa.Connection) -> Iterator[None]:
    """Holds a lock of the server while migrating: DDL commits by itself there. SQLite's DDL is one transaction, whose
    lock is taken before the schema is looked at."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN IMMEDIATE")
        yield
        return
    name = "maild-migrate"
    got = connection.execute(sa.text("SELECT GET_LOCK(:name, :seconds)"), {"name": name, "seconds": LOCK_SECONDS})
    if got.scalar() != 1:
        raise StoreUnavailable("another daemon is still migrating the schema")
    try:
        yield
    finally:
        connection.execute(sa.text("SELECT RELEASE_LOCK(:name)"), {"name": name})
        connection.commit()


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    return config


def _scripts() -> ScriptDirectory:
    return ScriptDirectory.from_config(_config())
