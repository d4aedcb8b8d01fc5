"""The steps of a revision, each of which looks first whether it has been taken.

MySQL and MariaDB commit every change of a schema by itself, so a migration that is cut off leaves some of its steps
done and its revision unnoted: the next run takes the revision up where it stopped. What a step makes it makes whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op
from sqlalchemy.sql.schema import SchemaItem


def create_table(name: str, *items: SchemaItem, **options: Any) -> None:
    """``op.create_table``, unless the table is there."""
    if not sa.inspect(op.get_bind()).has_table(name):
        op.create_table(name, *items, **options)


def create_index(name: str, table: str, columns: Sequence[str], *, unique: bool) -> None:
    """``op.create_index``, unless the table has an index of that name."""
    if all(index["name"] != name for index in sa.inspect(op.get_bind()).get_indexes(table)):
        op.create_index(name, table, columns, unique=unique)
