"""A maild as a process of its own: settings on free ports in a temporary folder, a seeded store, started and stopped.

``Site`` describes the people; ``Running`` is the process. Everything listens on 127.0.0.1.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Self

from maild.policy import hash_password
from maild.settings import Database, load
from maild.store import Account, Alias, Credential, CredentialKind, Domain, Store, open_store
from maild.store import AliasDomain as AliasDomainRow
from tests.lib.certificates import write_pair
from tests.lib.ports import free_port
from tests.lib.programs import ROOT

TEST_NET, TEST_CO_KR = "xn--9t4b11yi5a.net", "xn--9t4b11yi5a.co.kr"
"""테스트.net and its alias domain 테스트.co.kr."""
HOSTNAME = f"smtp.{TEST_NET}"
PASSWORDS: Mapping[str, str] = {"id": "첫번째-비밀번호", "주문": "두번째-비밀번호", "other": "third-password"}
PORTS = {"smtp": ("smtp", 25, "starttls", "off"), "submissions": ("smtp", 465, "implicit", "required")} | {
    "submission": ("smtp", 587, "starttls-required", "required"),
    "imaps": ("imap", 993, "implicit", "required"),
    "pop3s": ("pop3", 995, "implicit", "required"),
}
READY_SECONDS = 60
"""Patience with a start on a loaded machine; nothing is judged by it."""


@dataclass
class Site:
    """A daemon's folder."""

    folder: Path
    hostname: str = HOSTNAME
    database: str = ""
    """The [database] table, SQLite in the folder when empty."""
    more: str = ""
    """Further settings."""
    never_ban: tuple[str, ...] = ("127.0.0.0/8", "::1/128")
    ports: dict[str, int] = field(default_factory=dict)

    def write(self) -> Path:
        """Certificates and the settings file."""
        write_pair(self.folder / "tls", self.hostname, (self.hostname, "smtp." + TEST_CO_KR, "localhost"))
        self.ports = {name: free_port() for name in PORTS}
        return self.write_settings()

    def write_settings(self) -> Path:
        """The settings file alone."""
        listeners = "".join(
            f'[[listeners]]\nname = "{name}"\nprotocol = "{protocol}"\nport = {port}\nbind = "127.0.0.1"\n'
            f'bind_port = {self.ports[name]}\ntls = "{tls}"\nauth = "{auth}"\n'
            for name, (protocol, port, tls, auth) in PORTS.items()
        )
        text = (
            f'hostname = "{self.hostname}"\ndefault_domain = "{TEST_NET}"\n{listeners}'
            f"[auto_ban]\nnever = {json.dumps(list(self.never_ban))}\nconnections_per_minute = 0\n"
            f"{self.database or '[database]'}\n{self.more}\n"
        )
        if "[policy]" not in self.more:
            text += "[policy]\nverify = false\n"
        self.settings.write_text(text, encoding="utf-8")
        return self.settings

    @property
    def settings(self) -> Path:
        """The settings file."""
        return self.folder / "maild.toml"

    @property
    def ca(self) -> Path:
        """What clients trust."""
        return self.folder / "tls" / f"{self.hostname}-chain.pem"

    def database_settings(self) -> Database:
        """The database as the daemon sees it."""
        return load(self.settings).database

    def seed(self) -> None:
        """The domains and people of the first mail: id and 주문 at 테스트.net, other, postmaster's alias."""
        asyncio.run(self._seed())

    async def _seed(self) -> None:
        store = await open_store(self.database_settings())
        try:
            await seed(store)
        finally:
            await store.close()


async def seed(store: Store) -> None:
    """Puts the people into a store."""
    directory = store.directory
    await directory.save_domain(Domain(name=TEST_NET))
    await directory.save_alias_domain(AliasDomainRow(name=TEST_CO_KR, domain=TEST_NET))
    for local, password in PASSWORDS.items():
        account = await directory.save_account(
            Account(domain=TEST_NET, local=local, admin="server" if local == "id" else "")
        )
        await store.credentials.add(
            Credential(account_id=account.id, kind=CredentialKind.PASSWORD, hash=hash_password(password))
        )
    await directory.save_alias(Alias(domain=TEST_NET, local="sales", targets=(f"other@{TEST_NET}",)))


@dataclass
class Running:
    """The process; entering starts it and waits until its ports answer."""

    site: Site
    environment: Mapping[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def start(self) -> None:
        """Starts and waits until port 25 greets."""
        self.launch()
        self.wait_ready()

    def launch(self) -> None:
        """Starts alone."""
        path = os.pathsep.join([str(ROOT), str(ROOT / "maild" / "src")])
        self.process = subprocess.Popen(
            [sys.executable, "-X", "utf8", "-m", "maild.cli", "serve", "--settings", str(self.site.settings)],
            env={**os.environ, "PYTHONPATH": path, **self.environment},
            stdout=(self.site.folder / "stdout").open("ab"),
            stderr=subprocess.STDOUT,
        )

    def wait_ready(self) -> None:
        """Returns when a session on port 25 is greeted with 220."""
        process = self.process
        assert process is not None
        wait_ready(self.site, lambda: process.poll() is not None)

    def stop(self) -> None:
        """SIGTERM, and SIGKILL when that is not enough."""
        if self.process is None or self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()

    def kill(self) -> None:
        """SIGKILL."""
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def log(self) -> str:
        """Today's log."""
        return "".join(
            path.read_text(encoding="utf-8") for path in sorted((self.site.folder / "logs").glob("maild_*.log"))
        )


def wait_ready(site: Site, ended: Callable[[], bool]) -> None:
    """Returns when a session on port 25 is greeted with 220; fails when the process has ended."""
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        assert not ended(), f"maild ended: {(site.folder / 'stdout').read_text()[-2000:]}"
        if greeting(site.ports["smtp"]).startswith(b"220"):
            return
        time.sleep(0.05)
    raise AssertionError("maild did not become ready")


def greeting(port: int) -> bytes:
    """The first bytes a port says, empty when it does not answer."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.settimeout(5)
            return connection.recv(512)
    except OSError:
        return b""
