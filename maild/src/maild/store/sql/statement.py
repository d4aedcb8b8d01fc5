"""Statements: SQLAlchemy Core constructs compiled once per dialect, run by position.

``Statement`` is one construct; ``Keyed`` is one with an IN list and ``Rows`` an insert of several rows, both in a few
fixed sizes only, so that an engine prepares few statements and each is compiled once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal, cast

from sqlalchemy import Insert, Select, String, Table, bindparam, insert
from sqlalchemy.dialects import mysql, sqlite
from sqlalchemy.engine import Dialect
from sqlalchemy.sql.compiler import SQLCompiler
from sqlalchemy.sql.elements import ClauseElement

DialectName = Literal["sqlite", "mysql"]
Value = int | str | bytes | None
Row = tuple[Any, ...]
Named = Mapping[str, Any]
"""Values by the names of a statement's parameters: integers, text, bytes or None."""

DIALECTS: Mapping[DialectName, Dialect] = {
    "sqlite": sqlite.dialect(paramstyle="qmark"),
    "mysql": mysql.dialect(paramstyle="qmark"),
}

IN_SIZES = (1, 4, 16, 64, 256)
"""Sizes of IN lists; a list between two of them is filled up by repeating its last value."""

ROW_SIZES = (64, 32, 16, 8, 7, 6, 5, 4, 3, 2, 1)
"""Rows of one insert, largest first: a batch of a busy moment takes one or two statements a table."""


class Statement:
    """A Core construct with named parameters, as text and parameter order for each dialect."""

    __slots__ = ("_compiled", "_construct", "texts")

    def __init__(self, construct: ClauseElement) -> None:
        self._construct = construct
        chosen = construct.selected_columns if isinstance(construct, Select) else ()
        self.texts = tuple(place for place, column in enumerate(chosen) if isinstance(column.type, String))
        """Places of the result's columns that are text: drivers hand binary-collated text out as bytes."""
        self._compiled: dict[DialectName, tuple[str, tuple[str, ...], Mapping[str, Value]]] = {}

    def text(self, dialect: DialectName) -> str:
        """The SQL."""
        return self._for(dialect)[0]

    def values(self, dialect: DialectName, named: Named) -> tuple[Value, ...]:
        """The parameters in the order the text wants them; literals of the construct are filled in."""
        _, order, literals = self._for(dialect)
        return tuple([named[name] if name in named else literals[name] for name in order])

    def _for(self, dialect: DialectName) -> tuple[str, tuple[str, ...], Mapping[str, Value]]:
        found = self._compiled.get(dialect)
        if found is None:
            compiled = cast("SQLCompiler", self._construct.compile(dialect=DIALECTS[dialect]))
            literals = {name: bind.effective_value for name, bind in compiled.binds.items() if not bind.required}
            found = (compiled.string, tuple(compiled.positiontup or ()), literals)
            self._compiled[dialect] = found
        return found


class Keyed:
    """A statement with one IN list: ``build`` gets the bind parameters ``k0``, ``k1``, ... to put there."""

    __slots__ = ("_build", "_sized")

    def __init__(self, build: Callable[[list[Any]], ClauseElement]) -> None:
        self._build = build
        self._sized: dict[int, Statement] = {}

    def split(self, keys: Sequence[Value], named: Named | None = None) -> Iterator[tuple[Statement, dict[str, Value]]]:
        """The statements and parameters that cover all keys."""
        for start in range(0, len(keys), IN_SIZES[-1]):
            part = keys[start : start + IN_SIZES[-1]]
            size = next(size for size in IN_SIZES if size >= len(part))
            padded = [*part, *([part[-1]] * (size - len(part)))]
            yield self._of(size), {**(named or {}), **{f"k{number}": key for number, key in enumerate(padded)}}

    def _of(self, size: int) -> Statement:
        if size not in self._sized:
            self._sized[size] = Statement(self._build([bindparam(f"k{number}") for number in range(size)]))
        return self._sized[size]


class Rows:
    """An insert of rows into a table; ``columns`` names what each row brings, in the table's order."""

    __slots__ = ("_columns", "_sized", "_table")

    def __init__(self, table: Table, *columns: str) -> None:
        self._table = table
        self._columns = tuple(c.name for c in table.columns if not columns or c.name in columns)
        if columns and columns != self._columns:
            raise ValueError(f"columns of {table.name} are given in the table's order: {self._columns}")
        self._sized: dict[int, Statement] = {}

    def of(self, size: int) -> Statement:
        """The insert of so many rows; its parameters are the rows' values one after the other."""
        if size not in self._sized:
            self._sized[size] = Statement(self._construct(size))
        return self._sized[size]

    def split(self, rows: Sequence[Sequence[Value]]) -> Iterator[tuple[Statement, tuple[Value, ...]]]:
        """The statements and flat parameters that cover all rows."""
        start = 0
        while start < len(rows):
            size = next(size for size in ROW_SIZES if size <= len(rows) - start)
            yield self.of(size), tuple([value for row in rows[start : start + size] for value in row])
            start += size

    def _construct(self, size: int) -> Insert:
        def row(number: int) -> dict[str, Any]:
            return {name: bindparam(f"{name}__{number}") for name in self._columns}

        return insert(self._table).values([row(number) for number in range(size)] if size > 1 else row(0))
