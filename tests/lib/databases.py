"""Private database servers for tests: MariaDB from the system, MySQL from the tree that ``MAILHOST_MYSQL`` builds.

A server has a folder, a free port and root without a password on 127.0.0.1; it can be stopped, killed and started again
on the same data. ``tests.lib.mariadb`` and ``tests.lib.mysql`` make them.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import mysql.connector

from maild.settings import Database
from tests.lib.ports import free_port

START_SECONDS = 150
"""A recovery on a loaded machine; nothing is judged by it."""
STOP_SECONDS = 60
SMALL = (
    "--innodb-buffer-pool-size=64M",
    "--innodb-use-native-aio=0",
    "--max-connections=60",
)


@dataclass
class DatabaseServer:
    """One server and its data; ``command`` starts it, options are added at each start."""

    engine: str
    folder: Path
    command: Sequence[str]
    port: int = field(default_factory=free_port)
    environment: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    @property
    def data(self) -> Path:
        return self.folder / "data"

    def start(self, *options: str, wait: bool = True) -> None:
        """Starts it on its data, and waits until it answers."""
        with (self.folder / "server.log").open("ab") as log:
            self.process = subprocess.Popen(
                [
                    *self.command,
                    f"--datadir={self.data}",
                    f"--port={self.port}",
                    f"--socket={self.folder / 's.sock'}",
                    f"--pid-file={self.folder / 'pid'}",
                    "--bind-address=127.0.0.1",
                    *SMALL,
                    *options,
                ],
                stdout=log,
                stderr=log,
                env=surroundings(self.folder) | self.environment,
            )
        if not wait:
            return
        try:
            self.wait()
        except BaseException:
            # Whoever is ended here has no server yet that it could discard.
            self.kill()
            raise

    def wait(self, seconds: float = START_SECONDS) -> None:
        """Waits until it answers."""
        end = time.monotonic() + seconds
        while True:
            try:
                self.execute("SELECT 1")
            except mysql.connector.Error:
                ended = self.process is None or self.process.poll() is not None
                if ended or time.monotonic() > end:
                    log = (self.folder / "server.log").read_text(errors="replace")
                    raise RuntimeError(f"{self.engine} does not answer: {log[-4000:]}") from None
                time.sleep(0.1)
            else:
                return

    def stop(self) -> None:
        """Shuts it down in order."""
        self._end(signal.SIGTERM)

    def kill(self) -> None:
        """Kills it as a crash would."""
        self._end(signal.SIGKILL)

    def execute(self, *statements: str) -> list[tuple[Any, ...]]:
        """Runs statements as root; returns the rows of the last one."""
        connection = mysql.connector.connect(
            host="127.0.0.1", port=self.port, user="root", use_pure=True, ssl_disabled=True, connection_timeout=3
        )
        rows: list[Any] = []
        try:
            connection.autocommit = True
            cursor = connection.cursor()
            for statement in statements:
                cursor.execute(statement)
                rows = cursor.fetchall() if cursor.with_rows else []
        finally:
            connection.close()
        return rows

    def create(self, schema: str) -> Database:
        """An empty schema; returns the settings that lead to it."""
        self.execute(
            f"DROP DATABASE IF EXISTS {schema}",
            f"CREATE DATABASE {schema} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin",
        )
        return self.settings(schema)

    def settings(self, schema: str, *, port: int | None = None) -> Database:
        """The daemon's settings for a schema, perhaps through a proxy's port."""
        return Database(engine="mysql", host="127.0.0.1", port=port or self.port, user="root", schema=schema)

    def on(self, folder: Path) -> DatabaseServer:
        """The same program for another folder, whose ``data`` is there already; not started."""
        if os.geteuid() == 0 and not any(word.startswith("--user") for word in self.command):
            for path in (folder, *folder.rglob("*")):
                shutil.chown(path, "nobody")
            folder.chmod(0o755)
        return replace(self, folder=folder, port=free_port(), process=None, environment={})

    def discard(self) -> None:
        """Kills it and removes its data."""
        if self.process is not None:
            self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _end(self, number: int) -> None:
        if self.process is None:
            return
        if self.process.poll() is None:
            self.process.send_signal(number)
        self.process.wait(STOP_SECONDS)
        self.process = None


def new_folder(name: str) -> Path:
    """A short path: a socket's may have 107 bytes."""
    return Path(tempfile.mkdtemp(prefix=f"{name}-"))


def surroundings(folder: Path) -> dict[str, str]:
    """The environment of a server's programs: one that starts removes the temporary tables of all in its TMPDIR."""
    own = folder / "tmp"
    own.mkdir(exist_ok=True)
    own.chmod(0o777)  # the server may be another user than this one
    return os.environ | {"TMPDIR": str(own)}


def as_root() -> tuple[str, ...]:
    """What a server that refuses to run as root needs to be told when it is."""
    return ("--user=root",) if os.geteuid() == 0 else ()
