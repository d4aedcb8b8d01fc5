"""A large message on its way in: staged while its data comes, gone when it is not accepted, whatever happens."""

from __future__ import annotations

import asyncio
import hashlib
import imaplib
import os
import shutil
import smtplib
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import apsw
import psutil
import pytest

from maild.settings import Database
from maild.store import open_store
from tests.lib.commitproxy import CommitProxy
from tests.lib.daemon import PASSWORDS, TEST_NET, Running, Site
from tests.lib.databases import DatabaseServer
from tests.lib.mariadb import new_mariadb
from tests.lib.mysql import new_mysql
from tests.promises.outage import filled, small_disk

ENGINES = [
    "sqlite",
    pytest.param("mariadb", marks=pytest.mark.mariadb),
    pytest.param("mysql", marks=pytest.mark.mysql),
]
PATIENCE = 60
"""Seconds for something that must come; nothing is judged by how long it takes."""
ANSWER_SECONDS = 10.0
LOADED_SECONDS = 6.0
"""What a loaded test machine may add."""
MIB = 1 << 20
HEAD = b"From: <stranger@example.org>\r\nSubject: large\r\n\r\n"
SENDERS = 32
MORE_MIB = 160
"""The budget of 64 MiB, and for each sender what the socket and the conversion of a chunk hold."""


@dataclass
class Scene:
    """A daemon on a database whose file system can be filled and whose connection can be cut."""

    site: Site
    daemon: Running
    database: Database
    disk: Path
    proxy: CommitProxy | None

    def rows(self, table: str) -> int:
        """Rows of a table, read beside the daemon."""
        if self.database.engine == "sqlite":
            connection = apsw.Connection(str(self.database.file), flags=apsw.SQLITE_OPEN_READWRITE)
            connection.set_busy_timeout(20_000)
            try:
                return int(next(iter(connection.execute(f"SELECT COUNT(*) FROM {table}")))[0])  # noqa: S608
            finally:
                connection.close()
        assert self.server is not None
        return int(self.server.execute(f"SELECT COUNT(*) FROM maild.{table}")[0][0])  # noqa: S608

    server: DatabaseServer | None = None

    @contextmanager
    def away(self) -> Iterator[None]:
        """The database does not take anything: its connections are cut, or its file is locked by another program."""
        if self.proxy is not None:
            self.proxy.refusing = True
            self.proxy.drop()
            yield
            self.proxy.refusing = False
            return
        lock = (
            "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], timeout=60, isolation_level=None);"
            "c.execute('BEGIN IMMEDIATE'); print(flush=True); sys.stdin.read()"
        )
        with subprocess.Popen(
            [sys.executable, "-c", lock, str(self.database.file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as holder:
            assert holder.stdout is not None
            holder.stdout.readline()
            yield
            assert holder.stdin is not None
            holder.stdin.close()


@pytest.fixture(params=ENGINES, scope="module")
def on(request: pytest.FixtureRequest) -> Iterator[Scene]:
    """A running daemon for each engine."""
    with ExitStack() as stack:
        disk = stack.enter_context(small_disk())
        folder = disk / "site"
        folder.mkdir()
        more = "[limits]\nmessage_bytes = 52428800\nconnections_per_address = 100\n"
        if request.param == "sqlite":
            site, server, proxy = Site(folder, more=more), None, None
        else:
            server = (new_mariadb if request.param == "mariadb" else new_mysql)(start=False)
            stack.callback(server.discard)
            # Its owner is the server's user.
            subprocess.run(["cp", "-a", server.data, disk / "data"], check=True)
            shutil.rmtree(server.data)
            server.data.symlink_to(disk / "data")
            server.start()
            server.create("maild")
            proxy = stack.enter_context(CommitProxy(server.port))
            (folder / "password").write_text("")
            database = f'[database]\nengine = "mysql"\nport = {proxy.port}\nuser = "root"\nschema = "maild"\n'
            site = Site(folder, database=f'{database}password_file = "{folder / "password"}"\n', more=more)
        site.write()
        site.seed()
        daemon = stack.enter_context(Running(site))
        yield Scene(site, daemon, site.database_settings(), disk, proxy, server)


def until(what: Callable[[], bool]) -> None:
    """Waits for something that must come."""
    deadline = time.monotonic() + PATIENCE
    while not what():
        assert time.monotonic() < deadline, "it did not come"
        time.sleep(0.05)


def lines(size: int) -> bytes:
    """Text of about that size that does not compress."""
    text = os.urandom(size // 2).hex().encode()
    return b"\r\n".join(text[start : start + 70] for start in range(0, len(text), 70)) + b"\r\n"


def in_data(on: Scene) -> smtplib.SMTP:
    """A client that was told to go on with its data."""
    client = smtplib.SMTP("127.0.0.1", on.site.ports["smtp"], timeout=PATIENCE)
    client.ehlo("client.example")
    client.mail("stranger@example.org")
    client.rcpt(f"id@{TEST_NET}")
    assert client.docmd("DATA")[0] == 354
    return client


def socket_of(client: smtplib.SMTP) -> socket.socket:
    assert client.sock is not None
    return client.sock


def newest(on: Scene) -> bytes:
    """The newest message of id's INBOX, read by IMAP."""
    context = ssl.create_default_context(cafile=str(on.site.ca))
    context.check_hostname = False
    with imaplib.IMAP4_SSL("127.0.0.1", on.site.ports["imaps"], ssl_context=context, timeout=PATIENCE) as imap:
        imap.authenticate("PLAIN", lambda _: f"\0id@{TEST_NET}\0{PASSWORDS['id']}".encode())
        imap.select("INBOX", readonly=True)
        _, found = imap.fetch("*", "(BODY.PEEK[])")
        assert isinstance(found[0], tuple)
        return bytes(found[0][1])


def test_it_is_in_the_store_before_its_end_and_whole_after_it(on: Scene) -> None:
    before = on.rows("blob_chunk")
    client, body = in_data(on), lines(5_000_000)
    socket_of(client).sendall(HEAD + body[:4_000_000])
    until(lambda: on.rows("blob_chunk") >= before + 3)
    socket_of(client).sendall(body[4_000_000:] + b".\r\n")
    assert client.getreply()[0] == 250
    client.close()
    read = newest(on)
    assert hashlib.sha256(read[read.index(b"\r\n\r\n") + 4 :]).digest() == hashlib.sha256(body).digest()
    assert b"Subject: large" in read[: read.index(b"\r\n\r\n")]


def test_a_client_cut_in_its_data_leaves_no_row(on: Scene) -> None:
    chunks, bodies = on.rows("blob_chunk"), on.rows("blob")
    client = in_data(on)
    socket_of(client).sendall(HEAD + lines(4_000_000))
    until(lambda: on.rows("blob_chunk") >= chunks + 3)
    client.close()
    until(lambda: (on.rows("blob_chunk"), on.rows("blob")) == (chunks, bodies))


def test_a_client_cut_between_two_chunks_of_bdat_leaves_no_row(on: Scene) -> None:
    chunks, bodies = on.rows("blob_chunk"), on.rows("blob")
    client = smtplib.SMTP("127.0.0.1", on.site.ports["smtp"], timeout=PATIENCE)
    client.ehlo("client.example")
    client.mail("stranger@example.org")
    client.rcpt(f"id@{TEST_NET}")
    data = HEAD + lines(3_000_000)
    socket_of(client).sendall(b"BDAT %d\r\n" % len(data) + data)
    assert client.getreply()[0] == 250
    assert on.rows("blob_chunk") > chunks
    client.close()
    until(lambda: (on.rows("blob_chunk"), on.rows("blob")) == (chunks, bodies))


def test_a_client_cut_in_append_leaves_no_row(on: Scene) -> None:
    chunks, bodies = on.rows("blob_chunk"), on.rows("blob")
    context = ssl.create_default_context(cafile=str(on.site.ca))
    context.check_hostname = False
    imap = imaplib.IMAP4_SSL("127.0.0.1", on.site.ports["imaps"], ssl_context=context, timeout=PATIENCE)
    imap.authenticate("PLAIN", lambda _: f"\0id@{TEST_NET}\0{PASSWORDS['id']}".encode())
    data = HEAD + lines(4_000_000)
    imap.send(b"a1 APPEND INBOX {%d+}\r\n" % (len(data) + 10_000))
    imap.send(data)
    until(lambda: on.rows("blob_chunk") >= chunks + 3)
    imap.shutdown()
    until(lambda: (on.rows("blob_chunk"), on.rows("blob")) == (chunks, bodies))


@pytest.mark.parametrize(("bad", "code"), [(b"a\nb\r\n", 550), (b"\0\r\n", 550)])
def test_one_that_is_refused_at_its_end_leaves_no_row(on: Scene, bad: bytes, code: int) -> None:
    chunks, bodies = on.rows("blob_chunk"), on.rows("blob")
    client = in_data(on)
    socket_of(client).sendall(HEAD + lines(3_000_000) + bad + b".\r\n")
    assert client.getreply()[0] == code
    assert (on.rows("blob_chunk"), on.rows("blob")) == (chunks, bodies)
    client.close()


def test_one_beyond_the_limit_is_refused_and_its_rows_go_before_it_ends(on: Scene) -> None:
    chunks, bodies = on.rows("blob_chunk"), on.rows("blob")
    client, line = in_data(on), b"x" * 998 + b"\r\n"
    socket_of(client).sendall(HEAD)
    for _ in range(55):
        socket_of(client).sendall(line * 1000)
    until(lambda: (on.rows("blob_chunk"), on.rows("blob")) == (chunks, bodies))
    socket_of(client).sendall(b".\r\n")
    assert client.getreply()[0] == 552
    client.close()


def test_a_database_that_goes_away_meanwhile_is_a_temporary_refusal_in_time(on: Scene) -> None:
    chunks = on.rows("blob_chunk")
    client = in_data(on)
    socket_of(client).sendall(HEAD + lines(3_000_000))
    until(lambda: on.rows("blob_chunk") >= chunks + 2)
    with on.away():
        began = time.monotonic()
        socket_of(client).sendall(lines(3_000_000) + b".\r\n")
        reply = client.getreply()
        assert reply[0] in {451, 452}, reply
        assert time.monotonic() - began < ANSWER_SECONDS + LOADED_SECONDS
    until(lambda: _accepted(on))
    client.close()


def _accepted(on: Scene) -> bool:
    try:
        smtplib.SMTP("127.0.0.1", on.site.ports["smtp"], timeout=PATIENCE).sendmail(
            "stranger@example.org", f"id@{TEST_NET}", HEAD + b"small\r\n"
        )
    except smtplib.SMTPException:
        return False
    return True


def test_a_full_disk_is_a_temporary_refusal_and_mail_is_taken_when_there_is_room(on: Scene) -> None:
    asyncio.run(_full(on))
    until(lambda: _accepted(on))


async def _full(on: Scene) -> None:
    def send() -> int:
        client = in_data(on)
        with client:
            socket_of(client).sendall(HEAD)
            for _ in range(40):
                socket_of(client).sendall(lines(MIB))
            socket_of(client).sendall(b".\r\n")
            return client.getreply()[0]

    async with filled(on.disk):
        assert await asyncio.to_thread(send) in {451, 452}
    if on.server is not None and (on.server.process is None or on.server.process.poll() is not None):
        # InnoDB gives up when it cannot extend a file it must; its service manager would start it again.
        await asyncio.to_thread(on.server.start)


def test_the_store_is_in_order_after_all_this(on: Scene) -> None:
    async def look() -> None:
        store = await open_store(on.database)
        try:
            await store.wait(PATIENCE)
            assert await store.maintenance.check(bodies=True) == []
        finally:
            await store.close()

    asyncio.run(look())


def test_what_a_stopping_daemon_cuts_leaves_no_row(on: Scene) -> None:
    chunks, bodies = on.rows("blob_chunk"), on.rows("blob")
    client = in_data(on)
    socket_of(client).sendall(HEAD + lines(4_000_000))
    until(lambda: on.rows("blob_chunk") >= chunks + 3)
    on.daemon.stop()
    assert (on.rows("blob_chunk"), on.rows("blob")) <= (chunks, bodies)
    client.close()
    on.daemon.start()
    assert _accepted(on)


def test_thirty_two_senders_of_50_mb_are_received_in_bounded_memory(tmp_path: Path) -> None:
    """Lines that compress: what is measured is the daemon's memory and not the disk."""
    site = Site(tmp_path, more="[limits]\nconnections_per_address = 100\n")
    site.write()
    site.seed()
    with Running(site) as daemon:
        assert daemon.process is not None
        memory = psutil.Process(daemon.process.pid).memory_info
        before = most = memory().rss
        work = subprocess.Popen(
            [sys.executable, "-c", _SENDERS, str(site.ports["smtp"]), f"id@{TEST_NET}", str(SENDERS)],
            stdout=subprocess.PIPE,
        )
        while work.poll() is None:
            most = max(most, memory().rss)
            time.sleep(0.02)
        assert work.communicate()[0].split() == [b"250"] * SENDERS
    more = (most - before) / MIB
    print(f"{more:.0f} MiB more with {SENDERS} senders of 50 MB")
    assert more < MORE_MIB


_SENDERS = """
import smtplib, sys, threading
port, recipient, count = int(sys.argv[1]), sys.argv[2], int(sys.argv[3])
block = (b"x" * 70 + b"\\r\\n") * 14_000
codes = []
def send():
    client = smtplib.SMTP("127.0.0.1", port, timeout=300)
    client.ehlo("c.example"); client.mail("stranger@example.org"); client.rcpt(recipient); client.docmd("DATA")
    client.sock.sendall(b"From: <stranger@example.org>\\r\\n\\r\\n")
    for _ in range(51):
        client.sock.sendall(block)
    client.sock.sendall(b".\\r\\n")
    codes.append(client.getreply()[0])
threads = [threading.Thread(target=send) for _ in range(count)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
print(*codes)
"""
