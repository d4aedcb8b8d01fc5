"""Bringing a schema up to date on every engine: several at once, cut off at any step, run again."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence

import pytest
from sqlalchemy import URL, create_engine, inspect

from maild.settings import Database
from maild.store import Store, migrate
from maild.store.open import url_of
from maild.store.sql.schema import metadata
from tests.lib.programs import ROOT
from tests.lib.stores import Scene, letter, new_account, shared_server

HEAD = """
import os, sys
from sqlalchemy import make_url
from maild.store import migrate

url = make_url(sys.argv[1])
"""
PLAIN = "print(migrate.upgrade(url))"
CUT = """
from sqlalchemy import Engine, event

changes = 0


@event.listens_for(Engine, "after_cursor_execute")
def ended(connection, cursor, statement, *_):
    global changes
    changes += statement.lstrip().startswith("CREATE")
    if changes == int(sys.argv[2]):
        os._exit(9)


migrate.upgrade(url)
"""


@pytest.fixture
def empty(on: Scene) -> Scene:
    """A database of the engine without any schema."""
    if on.engine == "sqlite":
        return Scene(on.engine, Database(file=on.folder / "empty.db"), on.folder)
    return Scene(on.engine, shared_server(on.engine).create("migrating"), on.folder)


def migrating(url: URL, text: str, *more: str) -> subprocess.Popen[str]:
    """A process that migrates."""
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "maild" / "src")])}
    command = [sys.executable, "-c", HEAD + text, url.render_as_string(hide_password=False), *more]
    return subprocess.Popen(command, env=environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def ended(processes: Sequence[subprocess.Popen[str]]) -> list[tuple[str, int]]:
    """What each printed last, and how it ended."""
    found = []
    for process in processes:
        output, errors = process.communicate(timeout=120)
        found.append(((output + errors).strip().rpartition("\n")[2], process.returncode))
    return found


def test_of_several_that_migrate_at_once_one_does_it_and_all_find_it_done(empty: Scene) -> None:
    url = url_of(empty.database)
    answers = ended([migrating(url, PLAIN) for _ in range(3)])
    head = migrate.head()
    done, seen = str(("", head)), str((head, head))
    assert sorted(answers) == sorted([(done, 0), (seen, 0), (seen, 0)])


@pytest.mark.parametrize("step", [1, 2, 20, 48])
def test_a_migration_that_was_cut_off_is_taken_up_again(empty: Scene, step: int) -> None:
    url = url_of(empty.database)
    assert ended([migrating(url, CUT, str(step))]) == [("", 9)]
    assert migrate.state(url)[0] is migrate.SchemaState.MISSING
    assert migrate.upgrade(url) == ("", migrate.head())
    engine = create_engine(url)
    seen = inspect(engine)
    for table in metadata.sorted_tables:
        names = {index["name"] for index in seen.get_indexes(table.name)}
        assert {index.name for index in table.indexes} <= names
    engine.dispose()

    async def body(store: Store) -> None:
        account = await new_account(store)
        await store.accept(letter(account.inbox_id))
        assert await store.maintenance.check() == []

    empty.run(body)
