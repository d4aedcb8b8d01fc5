"""The database server: our own MySQL as a service, or nothing to do where one is there already or SQLite is chosen."""

from __future__ import annotations

from pyinfra_winrm.kinds import Archive, Directory, MySQLServer, Program, Service
from tasks import accounts
from tasks.downloads import fetched
from tasks.facts import Facts
from tasks.paths import Paths
from tasks.rendering import render
from tasks.settings import Settings

PUBLISHER = "Oracle America, Inc."
RUNTIME_KEY = "HKLM/SOFTWARE/Microsoft/VisualStudio/14.0/VC/Runtimes/x64"
RUNTIME_VERSION = "14.40"  # the first that MySQL 8.4's build asks for
CONFIG = "my.ini"

Resource = Program | Directory | Archive | MySQLServer | Service


def resources(settings: Settings, _facts: Facts) -> list[Resource]:
    """The VC++ runtime, the program, its data, its service."""
    database = settings.database
    if database.engine != "mysql" or database.source == "existing":
        return []
    paths = Paths(settings.root)
    config_file = f"{paths.mysql_etc}/{CONFIG}"
    archive = fetched(
        "database.archive_file", database.archive_urls, database.archive_sha256, PUBLISHER, database.archive_file
    )
    return [
        Program(
            name="vc_redist.x64",
            download=fetched(
                "database.runtime_file", database.runtime_urls, None, "Microsoft Corporation", database.runtime_file
            ),
            detect_key=RUNTIME_KEY,
            version=RUNTIME_VERSION,
        ),
        Directory(path=paths.mysql, acl=accounts.readable_by(database.service)),
        Directory(path=paths.mysql_etc, acl=accounts.readable_by(database.service)),
        Archive(path=paths.mysql_program, download=archive, signed="bin/mysqld.exe" if archive.publisher else ""),
        MySQLServer(
            name=database.service,
            program=paths.mysql_program,
            config_file=config_file,
            config=render("my.ini.j2", paths=paths, database=database),
            data=paths.mysql_data,
            admin_file=paths.mysql_administrator,
        ),
        Service(
            name=database.service,
            command=(f"{paths.mysql_program}/bin/mysqld.exe", f"--defaults-file={config_file}", database.service),
            display_name="Mailhost MySQL",
            description="The database that maild keeps mail in",
            account=accounts.service_account(database.service),
        ),
    ]
