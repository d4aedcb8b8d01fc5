"""A database of a MySQL server and the one user that works in it.

Asked and changed over the server's own client, with statements on its input and passwords in option files, so that
neither shows in a list of processes. The user's password is made on the host. A server that does not answer is unknown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from pyinfra_winrm.kinds.compare import Wanted, compare
from pyinfra_winrm.kinds.errors import InvalidResourceError
from pyinfra_winrm.kinds.paths import windows_path
from pyinfra_winrm.resource import Absent, Difference, Json, Kind, Present, State
from pyinfra_winrm.secret import Secret

# what a program needs that keeps its own tables and migrates them
PRIVILEGES = (
    "ALTER", "CREATE", "CREATE TEMPORARY TABLES", "DELETE", "DROP", "INDEX", "INSERT", "LOCK TABLES", "REFERENCES",
    "SELECT", "UPDATE",
)  # fmt: skip

# all that can be granted on one database
EVERY_PRIVILEGE = frozenset(PRIVILEGES) | {
    "ALTER ROUTINE", "CREATE ROUTINE", "CREATE VIEW", "EVENT", "EXECUTE", "SHOW VIEW", "TRIGGER",
}  # fmt: skip
# a connection over 127.0.0.1 comes from the one or the other, as the server resolves names or not
HOSTS = ("localhost", "127.0.0.1")


@dataclass(frozen=True, kw_only=True, slots=True)
class MySQLDatabase:
    """A database and its user.

    name: the database.
    user: who works in it, from this host alone.
    password_file: a file with the user's password and nothing else, made when it is missing.
    program: the folder with ``bin/mysql.exe``.
    port: where the server listens, on 127.0.0.1.
    admin_user: who may create it.
    admin_file: an option file with the administrator's password, on the host.
    admin_password: the password itself, for a server that somebody else set up.
    privileges: what the user may do in the database.
    purge: with ``state="absent"``, drop the database too.
    state: ``absent`` drops the user.
    """

    kind: ClassVar[str] = "mysql_database"
    name: str
    user: str
    password_file: str
    program: str
    port: int = 3306
    admin_user: str = "root"
    admin_file: str = ""
    admin_password: Secret | None = None
    privileges: tuple[str, ...] = PRIVILEGES
    purge: bool = False
    state: Wanted = "present"

    def __post_init__(self) -> None:
        for what, text in (("database", self.name), ("user", self.user), ("administrator", self.admin_user)):
            if not re.fullmatch(r"[A-Za-z0-9_]{1,32}", text):
                raise InvalidResourceError(f"{what} {text!r}: 1 to 32 letters, digits and underscores")
        if bad := sorted(set(self.privileges) - EVERY_PRIVILEGE):
            raise InvalidResourceError(f"privilege {bad[0]!r} is none of {', '.join(sorted(EVERY_PRIVILEGE))}")
        if bool(self.admin_file) == (self.admin_password is not None):
            raise InvalidResourceError(f"database {self.name} has either admin_file or admin_password")
        windows_path(self.password_file)

    @property
    def label(self) -> str:
        """The database."""
        return self.name


def _key(database: MySQLDatabase) -> Mapping[str, Json]:
    return {
        "name": database.name,
        "user": database.user,
        "password_file": windows_path(database.password_file),
        "program": windows_path(database.program),
        "port": database.port,
        "admin_user": database.admin_user,
        "admin_file": windows_path(database.admin_file) if database.admin_file else "",
        "admin_password": database.admin_password or "",
        "query": _query(database),
    }


def _desired(database: MySQLDatabase) -> Mapping[str, Json]:
    return {
        **_key(database),
        "state": database.state,
        "statements": _statements(database),
        "password_statements": _password_statements(database) if database.state == "present" else [],
    }


def _accounts(database: MySQLDatabase) -> list[str]:
    return [f"'{database.user}'@'{host}'" for host in HOSTS]


def _query(database: MySQLDatabase) -> str:
    """Asks for what is there, a word and a name a line; a privilege counts when the user has it from both hosts."""
    name, user = database.name, database.user
    grantees = ", ".join("'" + account.replace("'", "''") + "'" for account in _accounts(database))
    return (
        f"SELECT 'database', SCHEMA_NAME FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = '{name}';\n"  # noqa: S608 - checked names
        f"SELECT 'user', MIN(User) FROM mysql.user WHERE User = '{user}' AND Host IN {HOSTS}"
        f" HAVING COUNT(*) = {len(HOSTS)};\n"
        "SELECT 'privilege', PRIVILEGE_TYPE FROM information_schema.SCHEMA_PRIVILEGES"
        f" WHERE TABLE_SCHEMA = '{name}' AND GRANTEE IN ({grantees})"
        f" GROUP BY PRIVILEGE_TYPE HAVING COUNT(*) = {len(HOSTS)};\n"
    )


def _statements(database: MySQLDatabase) -> list[str]:
    """What makes it or removes it; the user is there already when these run."""
    accounts = _accounts(database)
    if database.state == "absent":
        dropped = [f"DROP DATABASE IF EXISTS `{database.name}`"] if database.purge else []
        return [*(f"DROP USER IF EXISTS {account}" for account in accounts), *dropped]
    made = [f"CREATE DATABASE IF NOT EXISTS `{database.name}` CHARACTER SET utf8mb4 COLLATE utf8mb4_bin"]
    for account in accounts:
        # MySQL refuses to revoke what was not granted
        made.append(f"GRANT {', '.join(sorted(EVERY_PRIVILEGE))} ON `{database.name}`.* TO {account}")
        if surplus := sorted(EVERY_PRIVILEGE - set(database.privileges)):
            made.append(f"REVOKE {', '.join(surplus)} ON `{database.name}`.* FROM {account}")
    return made


def _password_statements(database: MySQLDatabase) -> list[str]:
    """What gives the user a password; the host puts it in the place of ``{password}``."""
    return [
        f"{verb} {account} IDENTIFIED BY '{{password}}'"
        for account in _accounts(database)
        for verb in ("CREATE USER IF NOT EXISTS", "ALTER USER")
    ]


def _differences(database: MySQLDatabase, state: State) -> tuple[Difference, ...]:
    value = state.value if isinstance(state, Present) else {}
    if database.state == "absent":
        left = Absent() if value and not value["user"] and not (database.purge and value["database"]) else state
        return compare("absent", left, {}, _current)
    wanted: dict[str, Json] = {"name": database.name, "user": database.user}
    if value and value["user"]:
        wanted["password_file"] = "lets the user in"  # noqa: S105 - a state, not a password
        if value["database"]:
            wanted["privileges"] = sorted(database.privileges)
    return compare("present", state, wanted, _current)


def _current(value: Mapping[str, Json]) -> Mapping[str, Json]:
    return {
        "name": value["database"] or "missing",
        "user": value["user"] or "missing",
        "password_file": "lets the user in" if value["login"] else "does not let the user in",
        "privileges": sorted(name for name in value["privileges"] if name != "USAGE"),
    }


KIND = Kind("mysql_database", MySQLDatabase, Path(__file__).with_suffix(".ps1"), _key, _desired, _differences)
