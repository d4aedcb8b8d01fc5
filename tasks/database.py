"""The schema and the one user that works in it; its password is made on the host and never leaves it."""

from __future__ import annotations

from pyinfra_winrm.kinds import File, MySQLDatabase
from pyinfra_winrm.secret import Secret
from tasks import accounts
from tasks.facts import Facts
from tasks.paths import Paths
from tasks.settings import Settings, SettingsError


def resources(settings: Settings, facts: Facts) -> list[File | MySQLDatabase]:
    """The schema with its user; nothing for SQLite, whose file the daemon makes.

    The password's file comes first and empty: what is written into it later keeps the access list it was made with.
    """
    database, paths = settings.database, Paths(settings.root)
    if database.engine != "mysql":
        return []
    place = File(path=paths.database_password, content="", once=True, acl=accounts.readable_by(settings.service))
    return [place, _own(settings, paths) if database.source == "install" else _existing(settings, paths, facts)]


def _own(settings: Settings, paths: Paths) -> MySQLDatabase:
    database = settings.database
    return MySQLDatabase(
        name=database.schema,
        user=database.user,
        password_file=paths.database_password,
        program=paths.mysql_program,
        port=database.port,
        admin_user=database.administrator,
        admin_file=paths.mysql_administrator,
    )


def _existing(settings: Settings, paths: Paths, facts: Facts) -> MySQLDatabase:
    database = settings.database
    if database.administrator_password is None:
        raise SettingsError(
            "database.administrator_password",
            "the MySQL that is there makes a schema only for its administrator",
            'say where the password is: {{"env": "MYSQL_ROOT_PASSWORD"}}',
        )
    return MySQLDatabase(
        name=database.schema,
        user=database.user,
        password_file=paths.database_password,
        program=facts.program_of_service(database.service),
        port=database.port,
        admin_user=database.administrator,
        admin_password=Secret(database.administrator_password.read()),
    )
