"""A private MariaDB of the system's package."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from tests.lib.databases import DatabaseServer, as_root, new_folder, surroundings
from tests.lib.programs import find_server_program


def find_mariadbd() -> Path | None:
    """The server program."""
    return find_server_program("mariadbd")


def new_mariadb(*options: str, start: bool = True) -> DatabaseServer:
    """A new server with empty data."""
    program = find_mariadbd()
    installer = shutil.which("mariadb-install-db")
    if program is None or installer is None:
        raise RuntimeError("mariadbd is not installed")
    folder = new_folder("mariadb")
    subprocess.run(
        [
            installer,
            "--no-defaults",
            f"--datadir={folder / 'data'}",
            "--auth-root-authentication-method=normal",
            "--skip-test-db",
            "--innodb-log-file-size=16M",
            *as_root(),
        ],
        check=True,
        capture_output=True,
        env=surroundings(folder),
    )
    command = [str(program), "--no-defaults", "--innodb-log-file-size=48M", *as_root()]
    server = DatabaseServer(engine="mariadb", folder=folder, command=command)
    if start:
        server.start(*options)
    return server
