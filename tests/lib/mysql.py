"""A private MySQL, from a tree that is built once into the user's cache."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
from pathlib import Path

from tests.lib.databases import DatabaseServer, new_folder, surroundings
from tests.lib.programs import find_mysql_maker


def tree() -> Path:
    """The tree with the server in it; built when it is not there."""
    maker = find_mysql_maker()
    if maker is None:
        raise RuntimeError("MAILHOST_MYSQL names no script that builds a MySQL")
    # Started by root the server runs as nobody, who cannot read below /root.
    home = Path("/var/cache") if os.geteuid() == 0 else Path.home() / ".cache"
    cache = Path(os.environ.get("XDG_CACHE_HOME") or home) / "mailhost"
    cache.mkdir(parents=True, exist_ok=True)
    target = cache / "mysql"
    with (cache / "mysql.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (target / "start").exists():
            subprocess.run([str(maker), str(target)], check=True, capture_output=True)
    return target


def new_mysql(*options: str, start: bool = True) -> DatabaseServer:
    """A new server with empty data."""
    program = str(tree() / "mysqld")
    folder = new_folder("mysql")
    if os.geteuid() == 0:
        # The tree's server gives its rights up to this user when root starts it.
        folder.chmod(0o755)
        shutil.chown(folder, "nobody")
    command = [program, "--mysqlx=OFF", "--innodb-redo-log-capacity=64M"]
    initialize = [*command, "--initialize-insecure", f"--datadir={folder / 'data'}"]
    subprocess.run(initialize, check=True, capture_output=True, env=surroundings(folder))
    server = DatabaseServer(engine="mysql", folder=folder, command=command)
    if start:
        server.start(*options)
    return server
