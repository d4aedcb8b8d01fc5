"""A database gone, hung, slow, its disk full, under 500 clients: 4xx in time, nothing lost, no memory."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import mysql.connector
import psutil

from maild.settings import Database
from tests.lib.commitproxy import CommitProxy
from tests.lib.daemon import Running, Site
from tests.lib.databases import DatabaseServer
from tests.lib.mariadb import new_mariadb
from tests.lib.mysql import new_mysql
from tests.lib.outages import accepted_again, judged, mysql_site, sending

ABOUT = "database gone, hung, slow, disk full, 500 clients: 4xx within 10 s, mail 5 s after its return, nothing lost"

SEED = 20261125
SENDERS = {"small": 120, "full": 500}
AWAY_SECONDS = {"small": 6.0, "full": 30.0}
HUNG_SECONDS = {"small": 12.0, "full": 40.0}
"""Longer than the daemon's own patience, so that it has to give answers up."""
SLOW_SECONDS = 1.0
"""What a slow database takes for each answer; a transaction has several."""
FELT_SECONDS = 1.0
"""A fault under which no client waited so long, and none was told 4xx, was none."""
ANSWER_SECONDS = 10.0
LOADED_SECONDS = {"small": 3.0, "full": 0.0}
"""What a loaded test machine may add: the clients and both servers share its cores with the daemon."""
BACK_SECONDS = 5.0
SERVER_SECONDS = 150.0
"""Patience with a database that recovers; nothing is judged by it."""
MORE_MIB = 100
MIB = 1 << 20
DISK_MIB = 400


@dataclass(frozen=True)
class Fault:
    """A fault, how long it lasts, and what ends it."""

    name: str
    seconds: float
    holds: Callable[[], AbstractAsyncContextManager[None]]
    takes_chunks: bool = False
    """The database still works: what a large message consists of goes into it before its end can be answered."""


SERVERS: dict[str, dict[str, Callable[..., DatabaseServer]]] = {
    "small": {"mariadb": new_mariadb},
    "full": {"mariadb": new_mariadb, "mysql": new_mysql},
}


def run(size: str) -> dict[str, object]:
    """The promise on the servers and on SQLite."""
    figures = {}
    for engine, new in SERVERS[size].items():
        with ExitStack() as stack:
            figures[engine] = _server(stack, new, size)
    with ExitStack() as stack:
        figures["sqlite"] = _sqlite(stack, size)
    return {"cases": sum(len(each["faults"]) for each in figures.values()), "seed": SEED, "engines": figures}


def _server(stack: ExitStack, new: Callable[..., DatabaseServer], size: str) -> dict[str, dict[str, object]]:
    disk = stack.enter_context(small_disk())
    server = new(start=False)
    stack.callback(server.discard)
    subprocess.run(["mv", server.data, disk / "data"], check=True)
    server.data.symlink_to(disk / "data")
    server.start()
    proxy = stack.enter_context(CommitProxy(server.port))
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="maild-outage-")))
    database = server.create("maild")
    site = mysql_site(folder, proxy.port)

    @asynccontextmanager
    async def gone() -> AsyncIterator[None]:
        proxy.refusing = True
        proxy.drop()
        yield
        proxy.refusing = False

    @asynccontextmanager
    async def hung() -> AsyncIterator[None]:
        assert server.process is not None
        os.kill(server.process.pid, signal.SIGSTOP)
        yield
        os.kill(server.process.pid, signal.SIGCONT)

    @asynccontextmanager
    async def slow() -> AsyncIterator[None]:
        proxy.delay = SLOW_SECONDS
        yield
        proxy.delay = 0.0

    @asynccontextmanager
    async def full() -> AsyncIterator[None]:
        async with filled(disk):
            yield
        await asyncio.to_thread(_writing_again, server)

    faults = [
        Fault("gone", AWAY_SECONDS[size], gone),
        Fault("hung", HUNG_SECONDS[size], hung),
        Fault("slow", HUNG_SECONDS[size], slow, takes_chunks=True),
        Fault("disk full", AWAY_SECONDS[size], full),
    ]
    return asyncio.run(_outage(stack, site, database, faults, size))


def _writing_again(server: DatabaseServer) -> None:
    """Returns when the server writes again. InnoDB gives up when it cannot extend a file it must, be it a moment after
    there is room again; its service manager would start it then."""
    end = time.monotonic() + SERVER_SECONDS
    while time.monotonic() < end:
        try:
            server.execute("CREATE DATABASE writes", "DROP DATABASE writes")
        except mysql.connector.Error:
            if server.process is None or server.process.poll() is not None:
                server.start()
            time.sleep(0.1)
        else:
            return
    raise RuntimeError("the server does not write again")


def _sqlite(stack: ExitStack, size: str) -> dict[str, dict[str, object]]:
    disk = stack.enter_context(small_disk())
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="maild-outage-")))
    site = Site(
        folder,
        database=f'[database]\nfile = "{disk / "mail.db"}"\n',
        more="[limits]\nconnections_per_address = 2000\n",
    )
    site.write()

    @asynccontextmanager
    async def locked() -> AsyncIterator[None]:
        holder = await asyncio.create_subprocess_exec(
            sys.executable,
            "-c",
            "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], timeout=60, isolation_level=None);"
            "c.execute('BEGIN IMMEDIATE'); print(flush=True); sys.stdin.read()",
            str(disk / "mail.db"),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
        )
        assert holder.stdout is not None
        assert holder.stdin is not None
        await holder.stdout.readline()
        yield
        holder.stdin.close()
        await holder.wait()

    faults = [
        Fault("locked by another program", HUNG_SECONDS[size], locked),
        Fault("disk full", AWAY_SECONDS[size], lambda: filled(disk)),
    ]
    return asyncio.run(_outage(stack, site, site.database_settings(), faults, size))


@contextmanager
def small_disk() -> Iterator[Path]:
    """A small file system of its own, which can be filled without harm to anything else."""
    folder = Path(tempfile.mkdtemp(prefix="maild-disk-"))
    mount = ["mount", "-t", "tmpfs", "-o", f"size={DISK_MIB}m,mode=0755", "tmpfs", str(folder)]
    done = subprocess.run(mount, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"a file system cannot be mounted here: {done.stderr.strip()}")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)
        folder.rmdir()


@asynccontextmanager
async def filled(disk: Path) -> AsyncIterator[None]:
    """Not a byte is left on it."""
    filler = disk / "filler"
    await asyncio.to_thread(_fill, filler)
    yield
    filler.unlink()


def _fill(filler: Path) -> None:
    with filler.open("wb", buffering=0) as stream:
        for size in (MIB, 4096, 1):
            try:
                while True:
                    stream.write(bytes(size))
            except OSError:
                continue


async def _outage(
    stack: ExitStack, site: Site, database: Database, faults: list[Fault], size: str
) -> dict[str, dict[str, object]]:
    clients = SENDERS[size]
    await asyncio.to_thread(site.seed)
    daemon = Running(site)
    stack.callback(daemon.stop)
    await asyncio.to_thread(daemon.start)
    assert daemon.process is not None
    memory = psutil.Process(daemon.process.pid).memory_info
    figures: dict[str, dict[str, object]] = {}
    async with sending(site, clients, SEED) as senders:
        ledger = senders.ledger
        await accepted_again(ledger, clients)
        for fault in faults:
            before, most = memory().rss, 0
            told = ledger.replies.total()
            ledger.slowest = ledger.slowest_small = 0.0
            async with fault.holds():
                for _ in range(int(fault.seconds * 5)):
                    most = max(most, memory().rss)
                    await asyncio.sleep(0.2)
            back = await accepted_again(ledger)
            await accepted_again(ledger, clients)
            figures[fault.name] = {
                "slowest_answer_seconds": round(ledger.slowest_small if fault.takes_chunks else ledger.slowest, 2),
                "slowest_with_large_ones_seconds": round(ledger.slowest, 2),
                "first_250_seconds": round(back, 2),
                "more_memory_mib": round((max(most, memory().rss) - before) / MIB, 1),
                "told_to_come_again": ledger.replies.total() - told,
            }
    await asyncio.to_thread(daemon.stop)
    counts = await judged(database, ledger)
    for name, each in figures.items():
        assert each["told_to_come_again"] or float(str(each["slowest_answer_seconds"])) >= FELT_SECONDS, (name, each)
        assert float(str(each["slowest_answer_seconds"])) <= ANSWER_SECONDS + LOADED_SECONDS[size], (name, each)
        assert float(str(each["first_250_seconds"])) <= BACK_SECONDS + LOADED_SECONDS[size], (name, each)
        assert float(str(each["more_memory_mib"])) <= MORE_MIB, (name, each)
    return {"faults": figures, "counts": dict(counts), "replies": dict(ledger.replies.most_common(5))}
