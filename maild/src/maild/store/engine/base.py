"""What an engine offers to the operations: a transaction as a plain function, run in a thread of the engine.

A unit of work is a function of a ``Transaction``: it cannot await, so no transaction is ever open while somebody waits
for a socket. The engine commits what returns, rolls back what raises, and repeats it whole where the database asks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol, TypeVar

from maild.store.errors import StoreError, StoreUnavailable
from maild.store.sql.statement import DialectName, Keyed, Named, Row, Rows, Statement, Value

T = TypeVar("T")

ANSWER_SECONDS = 7.0
"""A caller waits this long for its transaction: a client still gets its 4xx within 10 s of a database's silence."""


class Duplicate(StoreError):  # noqa: N818
    """A unique key is taken; operations turn it into what it means."""

    public = "That already exists."


class CommitUnknown(StoreUnavailable):
    """The answer to COMMIT was lost: the transaction took place, or not."""


class Transaction(Protocol):
    """The open transaction of a unit of work."""

    @property
    def dialect(self) -> DialectName:
        """Which text of a statement runs here."""
        ...

    def now(self) -> int:
        """The database's clock in microseconds."""
        ...

    def rows(self, statement: Statement, named: Named | None = None) -> list[Row]:
        """All rows of a query."""
        ...

    def run(self, statement: Statement, named: Named | None = None) -> int:
        """Runs a change; returns the number of rows it matched. Raises ``Duplicate``."""
        ...

    def insert(self, statement: Statement, named: Named) -> int:
        """Runs an insert of one row; returns its automatic id."""
        ...

    def insert_rows(self, rows: Rows, values: Sequence[Sequence[Value]]) -> None:
        """Inserts many rows in as few round trips as the engine can."""
        ...


class SnapshotTransaction(Protocol):
    """A transaction that sees one moment and changes nothing."""

    def pages(self, statement: Statement, size: int) -> Iterator[list[Row]]:
        """The rows of a query, so many at a time, without holding all of them."""
        ...


Work = Callable[[Transaction], T]


class Engine(Protocol):
    """Runs units of work."""

    @property
    def name(self) -> str:
        """``sqlite``, ``mysql`` or ``mariadb``, with the version once it is known."""
        ...

    async def read(self, work: Work[T], *, seconds: float = ANSWER_SECONDS) -> T:
        """Runs work that changes nothing."""
        ...

    async def write(self, work: Work[T], *, seconds: float = ANSWER_SECONDS, behind: bool = False) -> T:
        """Runs work and commits it. Raises ``CommitUnknown`` when the answer to COMMIT was lost.

        ``behind``: nobody waits at a keyboard or in a session for it, so it lets all other work go first.
        """
        ...

    async def snapshot(self, work: Callable[[SnapshotTransaction], T]) -> T:
        """Runs work that sees one moment, on a connection of its own; it may take long."""
        ...

    async def ready(self) -> bool:
        """Whether the database answers; raises ``NotDurable`` or ``SchemaMismatch``."""
        ...

    async def close(self) -> None:
        """Ends after the work that was begun."""
        ...


def one(transaction: Transaction, statement: Statement, named: Named | None = None) -> Row | None:
    """The first row of a query, None without one."""
    found = transaction.rows(statement, named)
    return found[0] if found else None


def keyed_rows(transaction: Transaction, keyed: Keyed, keys: Sequence[Value], named: Named | None = None) -> list[Row]:
    """The rows of a query over any number of keys."""
    return [row for statement, values in keyed.split(keys, named) for row in transaction.rows(statement, values)]


def run_keyed(transaction: Transaction, keyed: Keyed, keys: Sequence[Value], named: Named | None = None) -> int:
    """Runs a change over any number of keys; returns the number of rows matched."""
    return sum(transaction.run(statement, values) for statement, values in keyed.split(keys, named))


def number(value: Any) -> int:
    """An aggregate as an integer; engines answer sums as int, decimal or NULL."""
    return int(value or 0)
