from __future__ import annotations

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import bindparam, create_engine, select, update

from maild.store import migrate
from maild.store.sql.schema import MAILBOX, META, metadata
from maild.store.sql.statement import IN_SIZES, ROW_SIZES, Keyed, Rows, Statement


def test_a_statement_has_its_parameters_in_the_order_of_its_text() -> None:
    statement = Statement(
        update(META).where(META.c.name == bindparam("key"), META.c.value != "x").values(value=bindparam("v"))
    )
    for dialect in ("sqlite", "mysql"):
        assert statement.text(dialect).count("?") == 3  # type: ignore[arg-type]
        assert statement.values(dialect, {"key": "k", "v": None}) == (None, "k", "x")  # type: ignore[arg-type]
    with pytest.raises(KeyError):
        statement.values("sqlite", {"key": "k"})


@given(st.lists(st.integers(0, 1000), min_size=1, max_size=700))
def test_every_key_is_asked_for_in_lists_of_few_sizes(keys: list[int]) -> None:
    keyed = Keyed(lambda binds: select(MAILBOX.c.id).where(MAILBOX.c.id.in_(binds)))
    asked: list[int] = []
    for statement, named in keyed.split(keys):
        values = statement.values("mysql", named)
        assert len(values) in IN_SIZES
        asked += [value for value in values if isinstance(value, int)]
    assert set(asked) == set(keys)


@given(st.lists(st.tuples(st.text(max_size=3), st.text(max_size=3)), max_size=300))
def test_every_row_is_inserted_once_in_statements_of_few_sizes(rows: list[tuple[str, str]]) -> None:
    inserted: list[object] = []
    for statement, flat in Rows(META).split(rows):
        assert statement.text("mysql").count("?") == len(flat)
        assert len(flat) // 2 in ROW_SIZES
        inserted += flat
    assert inserted == [value for row in rows for value in row]


def test_rows_are_given_in_the_tables_order() -> None:
    with pytest.raises(ValueError, match="order"):
        Rows(META, "value", "name")


def test_the_schema_and_its_migrations_agree() -> None:
    engine = create_engine("sqlite://")
    with engine.connect() as connection:
        config = migrate._config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        assert compare_metadata(MigrationContext.configure(connection), metadata) == []
