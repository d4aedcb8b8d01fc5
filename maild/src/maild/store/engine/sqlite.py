"""SQLite through apsw: one thread and connection that writes and checkpoints, one that reads.

WAL with ``synchronous=FULL``: a commit returns after the log is on the disk. Other processes (the CLI, a backup) may
open the same file; whoever finds it locked waits, at most ``BUSY_MS``.
"""

from __future__ import annotations

import asyncio
import itertools
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import apsw

from maild.store.engine.base import ANSWER_SECONDS, Duplicate, T, Work
from maild.store.engine.worker import Worker
from maild.store.errors import NotDurable, StoreError, StoreFull, StoreUnavailable
from maild.store.sql.statement import DialectName, Named, Row, Rows, Statement, Value

BUSY_MS = 5000
"""Milliseconds to wait for another process's transaction: below the caller's patience (``ANSWER_SECONDS``)."""

CACHE_KIB = 16 * 1024
"""Page cache of each connection."""

LEAST_VERSION = (3, 51, 3)
"""Older ones can lose a WAL reset when two connections write and checkpoint at once (sqlite.org, fixed in 3.51.3)."""

SETTINGS: Final = (
    f"PRAGMA busy_timeout = {BUSY_MS}",
    "PRAGMA journal_mode = WAL",
    "PRAGMA synchronous = FULL",
    f"PRAGMA cache_size = -{CACHE_KIB}",
    "PRAGMA foreign_keys = OFF",
    "PRAGMA temp_store = MEMORY",
)


class SQLiteTransaction:
    """The transaction of one unit of work on an apsw connection."""

    dialect: DialectName = "sqlite"

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    def now(self) -> int:
        """This host's clock: the file has no other."""
        return time.time_ns() // 1000

    def rows(self, statement: Statement, named: Named | None = None) -> list[Row]:
        """All rows of a query."""
        return list(self._execute(statement.text("sqlite"), statement.values("sqlite", named or {})))

    def run(self, statement: Statement, named: Named | None = None) -> int:
        """Runs a change; returns the number of rows it matched."""
        self._execute(statement.text("sqlite"), statement.values("sqlite", named or {}))
        return self._connection.changes()

    def insert(self, statement: Statement, named: Named) -> int:
        """Runs an insert of one row; returns its automatic id."""
        self._execute(statement.text("sqlite"), statement.values("sqlite", named))
        return self._connection.last_insert_rowid()

    def insert_rows(self, rows: Rows, values: Sequence[Sequence[Value]]) -> None:
        """Inserts in statements of many rows: each run gives the interpreter to the loop and waits for it again."""
        for statement, flat in rows.split(values):
            self._execute(statement.text("sqlite"), flat)

    def _execute(self, text: str, values: tuple[Value, ...]) -> Any:
        try:
            return self._connection.execute(text, values)
        except apsw.ConstraintError as error:
            raise Duplicate(str(error)) from error


class SQLiteSnapshot:
    """One moment of the file."""

    def __init__(self, connection: apsw.Connection) -> None:
        self._connection = connection

    def pages(self, statement: Statement, size: int) -> Iterator[list[Row]]:
        """The rows of a query, so many at a time."""
        cursor = self._connection.execute(statement.text("sqlite"), statement.values("sqlite", {}))
        while page := list(itertools.islice(cursor, size)):
            yield page


class SQLiteEngine:
    """The engine over one file."""

    def __init__(self, file: Path) -> None:
        if tuple(int(part) for part in apsw.sqlite_lib_version().split(".")) < LEAST_VERSION:
            raise NotDurable(f"SQLite {apsw.sqlite_lib_version()} is too old, at least 3.51.3 is needed")
        self._file = file
        self._writing: apsw.Connection | None = None
        self._reading: apsw.Connection | None = None
        self._writer = Worker("store-write", closing=self._close_writing)
        self._reader = Worker("store-read", closing=self._close_reading)

    @property
    def name(self) -> str:
        """``sqlite`` and its version."""
        return f"sqlite {apsw.sqlite_lib_version()}"

    async def read(self, work: Work[T], *, seconds: float = ANSWER_SECONDS) -> T:
        """Runs work on the reading connection, which sees every commit made before."""
        return await self._reader.run(lambda: self._read(work), seconds)

    async def write(self, work: Work[T], *, seconds: float = ANSWER_SECONDS, behind: bool = False) -> T:
        """Runs work and commits it."""
        return await self._writer.run(lambda: self._write(work), seconds, behind=behind)

    async def snapshot(self, work: Callable[[SQLiteSnapshot], T]) -> T:
        """Runs work that sees one moment; the log grows meanwhile, since it cannot be reset under a reader."""
        return await asyncio.to_thread(self._snapshot, work)

    async def ready(self) -> bool:
        """Whether the file can be opened and read."""
        try:
            return await self.read(lambda _: True)
        except StoreUnavailable:
            return False

    async def close(self) -> None:
        """Ends after the work that was begun, reading first: the last connection to close checkpoints."""
        await self._reader.close()
        await self._writer.close()

    def _write(self, work: Work[T]) -> T:
        try:
            if self._writing is None:
                self._writing = self._open()
            return _transaction(self._writing, "BEGIN IMMEDIATE", work)
        except apsw.Error as error:
            raise _meaning(error) from error

    def _read(self, work: Work[T]) -> T:
        try:
            if self._reading is None:
                self._reading = self._open()
                # One connection alone checkpoints, so that no reader's pause lengthens a commit of its own.
                self._reading.execute("PRAGMA wal_autocheckpoint = 0")
                self._reading.execute("PRAGMA query_only = ON")
            return _transaction(self._reading, "BEGIN", work)
        except apsw.Error as error:
            raise _meaning(error) from error

    def _snapshot(self, work: Callable[[SQLiteSnapshot], T]) -> T:
        try:
            connection = self._open()
            try:
                connection.execute("BEGIN")
                return work(SQLiteSnapshot(connection))
            finally:
                connection.close()
        except apsw.Error as error:
            raise _meaning(error) from error

    def _open(self) -> apsw.Connection:
        connection = apsw.Connection(str(self._file), statementcachesize=300)
        for setting in SETTINGS:
            connection.execute(setting)
        modes = {name: connection.pragma(name) for name in ("journal_mode", "synchronous")}
        if modes != {"journal_mode": "wal", "synchronous": 2}:
            connection.close()
            raise NotDurable(f"SQLite refuses the durable settings: {modes}")
        return connection

    def _close_writing(self) -> None:
        if self._writing is not None:
            self._writing.close()
            self._writing = None

    def _close_reading(self) -> None:
        if self._reading is not None:
            self._reading.close()
            self._reading = None


def _transaction(connection: apsw.Connection, begin: str, work: Work[T]) -> T:
    connection.execute(begin)
    try:
        result = work(SQLiteTransaction(connection))
        connection.execute("COMMIT")
    except BaseException:
        # A full disk or an I/O error has already rolled back by itself.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return result


def _meaning(error: apsw.Error) -> StoreError:
    if isinstance(error, apsw.FullError):
        return StoreFull(f"SQLite: {error}")
    return StoreUnavailable(f"SQLite: {type(error).__name__}: {error}")
