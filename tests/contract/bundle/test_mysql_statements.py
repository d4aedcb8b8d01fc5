"""The statements of the MySQL kinds on a real MySQL and on MariaDB: first start, user, privileges, removal."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import mysql.connector
import pytest

from lab.kinds.mysql_server import first_statements
from pyinfra_winrm.kinds import KINDS, MySQLDatabase
from pyinfra_winrm.kinds.mysql_database import PRIVILEGES
from pyinfra_winrm.resource import Absent, Present, State
from tests.lib.databases import DatabaseServer
from tests.lib.mariadb import new_mariadb
from tests.lib.mysql import new_mysql

PASSWORD = "Kennwort4711"
BASE = MySQLDatabase(name="maild", user="maild", password_file="C:/pw", program="C:/mysql", admin_file="C:/admin")
KIND = KINDS["mysql_database"]


@pytest.fixture(
    scope="module",
    params=[pytest.param(new_mysql, marks=pytest.mark.mysql), pytest.param(new_mariadb, marks=pytest.mark.mariadb)],
    ids=["mysql", "mariadb"],
)
def server(request: pytest.FixtureRequest) -> Iterator[DatabaseServer]:
    started: DatabaseServer = request.param()
    yield started
    started.kill()


def run(server: DatabaseServer, statements: list[str], user: str = "root", password: str = PASSWORD) -> list[Any]:
    connection = mysql.connector.connect(
        host="127.0.0.1", port=server.port, user=user, password=password, use_pure=True
    )
    rows: list[Any] = []
    try:
        cursor: Any = connection.cursor()
        for statement in statements:
            cursor.execute(statement)
            rows += cursor.fetchall() if cursor.with_rows else []
        connection.commit()
    finally:
        connection.close()
    return rows


def state(server: DatabaseServer, database: MySQLDatabase, *, login: bool = True) -> State:
    """What the kind would read, from the answers to its own query."""
    query = str(KIND.key(database)["query"])
    rows = [row for text in query.split(";\n") if text.strip() for row in run(server, [text])]
    words = {word: name for word, name in rows if word != "privilege"}
    if not words:
        return Absent()
    privileges = [name for word, name in rows if word == "privilege"]
    return Present(
        {"database": words.get("database", ""), "user": words.get("user", ""), "login": login, "privileges": privileges}
    )


def test_the_whole_life_of_a_database(server: DatabaseServer) -> None:
    server.execute(*(text for text in first_statements(PASSWORD).split(";\n") if text))
    assert run(server, ["SELECT 1"]) == [(1,)]
    with pytest.raises(mysql.connector.Error):
        run(server, ["SELECT 1"], password="")

    assert state(server, BASE) == Absent()
    desired = KIND.desired(BASE)
    given = [text.replace("{password}", "eins") for text in desired["password_statements"]]
    run(server, [*given, *desired["statements"]])
    assert KIND.differences(BASE, state(server, BASE)) == ()
    run(server, desired["statements"])
    assert KIND.differences(BASE, state(server, BASE)) == ()
    run(server, ["CREATE TABLE maild.t (i INT)", "DROP TABLE maild.t"], "maild", "eins")
    with pytest.raises(mysql.connector.Error):
        run(server, ["CREATE DATABASE other"], "maild", "eins")

    less = MySQLDatabase(
        name="maild", user="maild", password_file="C:/pw", program="C:/mysql", admin_file="C:/admin",
        privileges=("SELECT", "TRIGGER"),
    )  # fmt: skip
    (difference,) = KIND.differences(less, state(server, less))
    assert (difference.field, difference.current) == ("privileges", sorted(PRIVILEGES))
    run(server, KIND.desired(less)["statements"])
    assert KIND.differences(less, state(server, less)) == ()

    run(server, ["CREATE DATABASE another", "GRANT SELECT ON another.* TO 'maild'@'localhost'"])
    run(server, KIND.desired(BASE)["statements"])
    held = run(server, ["SELECT COUNT(*) FROM information_schema.SCHEMA_PRIVILEGES WHERE TABLE_SCHEMA = 'another'"])
    assert held[0][0] == 1

    gone = MySQLDatabase(
        name="maild", user="maild", password_file="C:/pw", program="C:/mysql", admin_file="C:/admin", state="absent"
    )
    run(server, KIND.desired(gone)["statements"])
    assert KIND.differences(gone, state(server, gone)) == ()
    assert run(server, ["SELECT COUNT(*) FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = 'maild'"]) == [(1,)]
