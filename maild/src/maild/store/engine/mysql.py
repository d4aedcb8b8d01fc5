"""MySQL and MariaDB: a few threads, each with a connection of its own, that writes or reads.

A transaction that meets a deadlock or a lock timeout is repeated whole; one whose connection broke before COMMIT is
repeated once on a new connection; a COMMIT whose answer was lost is ``CommitUnknown``. The server may come late, go and
come back: calls fail at once meanwhile and work again as soon as it answers.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence

from maild.store.engine.base import ANSWER_SECONDS, CommitUnknown, T, Work
from maild.store.engine.mysql_connection import Again, Connection, Lost, Server
from maild.store.engine.worker import Worker
from maild.store.errors import Corrupt, NotDurable, NotFound, SchemaMismatch, StoreError, StoreUnavailable
from maild.store.sql.statement import DialectName, Named, Row, Rows, Statement, Value

WRITERS = 2
"""The committer and one more at a time: more only contend for the same rows and the interpreter."""

READERS = 2

REPEATS = 6
"""Tries of a transaction that the server rolled back for another one."""

PAUSE_SECONDS = 0.01
"""Longest pause before such a repeat, drawn evenly, so that two of them do not meet again."""

REFUSE_SECONDS = 0.25
"""After a failed connect, further ones wait so long: hundreds of sessions must not knock at once."""

START_STEP_SECONDS = 0.5
"""Between two tries to reach a server that is late: the first mail is taken within seconds of its coming."""


class MySQLTransaction:
    """The transaction of one unit of work on a connection."""

    dialect: DialectName = "mysql"

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def now(self) -> int:
        """The server's clock."""
        return self._connection.clock()

    def rows(self, statement: Statement, named: Named | None = None) -> list[Row]:
        """All rows of a query."""
        return self._connection.rows(statement, named)

    def run(self, statement: Statement, named: Named | None = None) -> int:
        """Runs a change; returns the number of rows it matched."""
        return self._connection.run(statement, named)

    def insert(self, statement: Statement, named: Named) -> int:
        """Runs an insert of one row; returns its automatic id."""
        return self._connection.insert(statement, named)

    def insert_rows(self, rows: Rows, values: Sequence[Sequence[Value]]) -> None:
        """Inserts in statements of a few fixed numbers of rows."""
        self._connection.insert_rows(rows, values)


class MySQLSnapshot:
    """One moment of the schema."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def pages(self, statement: Statement, size: int) -> Iterator[list[Row]]:
        """The rows of a query, so many at a time."""
        return self._connection.pages(statement, size)


class _Connections(threading.local):
    """The connection of each thread."""

    current: Connection | None = None


class MySQLEngine:
    """The engine over one schema; ``prepare`` brings the schema up to date and is run once the server answers."""

    def __init__(self, server: Server, prepare: Callable[[], None]) -> None:
        self._server = server
        self._prepare = prepare
        self._prepared = False
        self._tried = asyncio.Event()
        self._refusal: StoreError | None = None
        self._name = "mysql"
        self._gate = threading.Lock()
        self._failed_at = -REFUSE_SECONDS
        self._failure = ""
        self._writing = _Connections()
        self._reading = _Connections()
        self._writer = Worker("store-write", WRITERS, closing=lambda: _drop(self._writing))
        self._behind = Worker("store-behind", closing=lambda: _drop(self._writing))
        self._reader = Worker("store-read", READERS, closing=lambda: _drop(self._reading))
        self._starter = asyncio.get_running_loop().create_task(self._start(), name="store-start")

    @property
    def name(self) -> str:
        """Product and version, once the server has answered."""
        return self._name

    async def read(self, work: Work[T], *, seconds: float = ANSWER_SECONDS) -> T:
        """Runs work; each of its queries sees what is committed when it runs."""
        await self._admit()
        return await self._reader.run(lambda: self._read(work), seconds)

    async def write(self, work: Work[T], *, seconds: float = ANSWER_SECONDS, behind: bool = False) -> T:
        """Runs work and commits it; work that stands behind has a thread and a connection of its own."""
        await self._admit()
        return await (self._behind if behind else self._writer).run(lambda: self._write(work), seconds)

    async def snapshot(self, work: Callable[[MySQLSnapshot], T]) -> T:
        """Runs work that sees one moment."""
        await self._admit()
        return await asyncio.to_thread(self._snapshot, work)

    async def ready(self) -> bool:
        """Whether the server answers and its schema is there."""
        try:
            await self.read(lambda tx: tx.now())
        except StoreUnavailable:
            if self._refusal is not None:
                raise self._refusal from None
            return False
        return True

    async def close(self) -> None:
        """Ends after the work that was begun."""
        self._starter.cancel()
        await asyncio.gather(self._starter, return_exceptions=True)
        for worker in (self._reader, self._behind, self._writer):
            await worker.close()

    async def _admit(self) -> None:
        await self._tried.wait()
        if not self._prepared:
            cause = str(self._refusal) if self._refusal else f"the database has not answered yet. {self._failure}"
            raise StoreUnavailable(cause)

    async def _start(self) -> None:
        while not self._prepared:
            try:
                await asyncio.to_thread(self._first_contact)
            except (NotDurable, SchemaMismatch) as refusal:
                self._refusal = refusal
            except StoreUnavailable as error:
                self._refusal = None
                self._failure = str(error)
            else:
                self._refusal = None
                self._prepared = True
                return
            finally:
                self._tried.set()
            await asyncio.sleep(START_STEP_SECONDS)

    def _first_contact(self) -> None:
        connection = Connection(self._server, autocommit=True)
        self._name = connection.version.name
        connection.close()
        self._prepare()

    def _snapshot(self, work: Callable[[MySQLSnapshot], T]) -> T:
        connection = Connection(self._server, autocommit=True)
        try:
            connection.command("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ")
            connection.command("START TRANSACTION WITH CONSISTENT SNAPSHOT, READ ONLY")
            return work(MySQLSnapshot(connection))
        finally:
            connection.close()

    def _read(self, work: Work[T]) -> T:
        for attempt in (1, 2):
            connection = self._connection(self._reading, autocommit=True)
            try:
                return work(MySQLTransaction(connection))
            except Lost:
                _drop(self._reading)
                if attempt == 2:
                    raise
            except (NotFound, Corrupt):
                raise
            except BaseException:
                # Rows may be left unread: the next query must not find them.
                _drop(self._reading)
                raise
        raise StoreUnavailable("the connection broke twice")

    def _write(self, work: Work[T]) -> T:
        lost = 0
        for attempt in range(1, REPEATS + 1):
            connection = self._connection(self._writing, autocommit=False)
            try:
                result = work(MySQLTransaction(connection))
                connection.flush()
            except Again:
                self._roll_back(connection)
                if attempt == REPEATS:
                    raise
                time.sleep(random.uniform(0, PAUSE_SECONDS))  # noqa: S311 - jitter, not a secret
                continue
            except Lost:
                _drop(self._writing)
                lost += 1
                if lost > 1:
                    raise
                continue
            except StoreError as error:
                if isinstance(error, StoreUnavailable):
                    _drop(self._writing)
                else:
                    self._roll_back(connection)
                raise
            except BaseException:
                _drop(self._writing)
                raise
            if self._commit(connection):
                return result
        raise StoreUnavailable("the transaction was rolled back for others again and again")

    def _commit(self, connection: Connection) -> bool:
        """True when it is done; False when the server rolled back instead."""
        try:
            connection.command("COMMIT")
        except Again:
            return False
        except StoreError as error:
            _drop(self._writing)
            raise CommitUnknown(str(error)) from error
        return True

    def _roll_back(self, connection: Connection) -> None:
        try:
            connection.roll_back()
        except StoreError:
            _drop(self._writing)

    def _connection(self, connections: _Connections, *, autocommit: bool) -> Connection:
        if connections.current is None:
            with self._gate:
                if time.monotonic() - self._failed_at < REFUSE_SECONDS:
                    raise StoreUnavailable(self._failure)
            try:
                connections.current = Connection(self._server, autocommit=autocommit)
            except (NotDurable, SchemaMismatch) as refusal:
                self._refusal = refusal
                raise StoreUnavailable(str(refusal)) from refusal
            except StoreUnavailable as error:
                with self._gate:
                    self._failed_at = time.monotonic()
                    self._failure = str(error)
                raise
            self._refusal = None
        return connections.current


def _drop(connections: _Connections) -> None:
    connection = connections.current
    connections.current = None
    if connection is not None:
        with contextlib.suppress(StoreError):
            connection.close()
