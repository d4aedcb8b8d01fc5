"""Durable acceptance of mail beside Postfix: rates, ratios, answer times, and memory of an idle session.

The server and its database have core 0, the client core 1; then both share both. Bodies are incompressible, each side
answers 250 only when the message is safe, and both run in the same minutes of the same machine.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

from bench.cpu import cpu_seconds
from bench.load import message
from bench.postfix import Postfix
from maild.store import Account, Domain, open_store
from tests.lib.daemon import Running, Site
from tests.lib.mariadb import find_mariadbd, new_mariadb
from tests.lib.mysql import new_mysql
from tests.lib.programs import ROOT, find_mysql_maker
from tests.lib.wire import Wire, client_context

ABOUT = "durable acceptance beside Postfix to a maildir, with SQLite, MariaDB and MySQL; memory of an idle session"

IDLE_SESSIONS = {"small": 200, "full": 2000}
SECONDS = {"small": 2.0, "full": 10.0}
INSTALLED = ("--skip-log-bin", "--mysqlx=OFF", "--mysqlx-cache-cleaner=OFF")
"""How the bundle's my.ini differs from MySQL's own defaults where that costs or saves time."""
STORAGE_ABOVE = 64 * 1024
"""Messages above this are also given to the store without SMTP: there the database is most of the work."""
LARGE_BYTES = 49 * 1024 * 1024
SERVER, CLIENT, BOTH = {0}, {1}, {0, 1}


@dataclass(frozen=True)
class Row:
    """One comparison."""

    name: str
    sessions: int
    size: int
    apart: bool
    """Server and client each have a core of their own."""


ROWS = (
    Row("4 KB, 16 sessions, cores apart", 16, 4096, apart=True),
    Row("4 KB, 16 sessions, cores shared", 16, 4096, apart=False),
    Row("4 KB, 1 session, cores apart", 1, 4096, apart=True),
    Row("100 KB, 16 sessions, cores apart", 16, 100 * 1024, apart=True),
)


def run(size: str) -> dict[str, object]:
    """All rows for Postfix and each engine, and the ratios."""
    figures: dict[str, Any] = {}
    for row in ROWS:
        with _cores(SERVER if row.apart else BOTH), Postfix(SERVER if row.apart else BOTH) as postfix:
            before = postfix.delivered()
            found = _load(postfix.port, row, SECONDS[size], {"postfix": postfix.pid})
            found["delivered_rate"] = round((postfix.delivered() - before) / found["seconds"])
        figures[row.name] = {"postfix": _short(found)}
        for engine in _engines():
            with _maild(engine, row) as (site, processes):
                found = _short(_load(site.ports["smtp"], row, SECONDS[size], processes))
                if row.size > STORAGE_ABOVE:
                    alone = _storage(site.settings, row, SECONDS[size])
                    found |= {"storage_rate": round(alone), "of_storage": round(found["rate"] / alone, 2)}
            found["ratio"] = round(found["rate"] / max(1, figures[row.name]["postfix"]["rate"]), 2)
            figures[row.name][engine] = found
    return {"rows": figures, "idle": _idle(IDLE_SESSIONS[size]), "loop_lag": _lag()}


def _engines() -> list[str]:
    """The databases that are there."""
    wanted = os.environ.get("MAILHOST_BENCH_ENGINES", "sqlite,mariadb,mysql").split(",")
    there = {"sqlite": True, "mariadb": find_mariadbd() is not None, "mysql": find_mysql_maker() is not None}
    return [name for name in wanted if there.get(name)]


@contextmanager
def _cores(cores: set[int]) -> Iterator[None]:
    """What is started within runs on these cores."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores & before or before)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@contextmanager
def _maild(engine: str, row: Row) -> Iterator[tuple[Site, dict[str, int]]]:
    """A daemon with one mailbox on an engine; yields it and the ids of the processes that do the work."""
    with ExitStack() as stack:
        stack.enter_context(_cores(SERVER if row.apart else BOTH))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mailhost-bench-")))
        site, processes = Site(folder, more=MORE), {}
        if engine != "sqlite":
            site.database, processes["database"] = _database(engine, stack, folder)
        site.write()
        _seed(site)
        daemon = stack.enter_context(Running(site)).process
        assert daemon is not None
        yield site, {"daemon": daemon.pid, **processes}


MORE = """\
[limits]
connections = 10000
connections_per_address = 5000
messages_per_session = 1000000
"""


def _database(engine: str, stack: ExitStack, folder: Path) -> tuple[str, int]:
    """The settings that lead to a new server, and its process id."""
    server = new_mariadb() if engine == "mariadb" else new_mysql(*INSTALLED)
    stack.callback(server.discard)
    assert server.process is not None
    database = server.create("bench")
    password = folder / "password"
    password.touch()
    return (
        f'[database]\nengine = "mysql"\nhost = "{database.host}"\nport = {database.port}\nuser = "{database.user}"\n'
        f'schema = "{database.schema}"\npassword_file = "{password}"\n'
    ), server.process.pid


def _seed(site: Site) -> None:
    async def work() -> None:
        store = await open_store(site.database_settings())
        await store.directory.save_domain(Domain(name="bench.example"))
        await store.directory.save_account(Account(domain="bench.example", local="box"))
        await store.close()

    asyncio.run(work())


def _load(port: int, row: Row, seconds: float, processes: dict[str, int]) -> dict[str, Any]:
    """The load's own figures, and the CPU time a message costs each of these processes."""
    before = {name: cpu_seconds(pid) for name, pid in processes.items()}
    with _cores(CLIENT if row.apart else BOTH):
        found = _figures("bench.load", port, row.sessions, row.size, seconds)
    assert not found["problems"], found["problems"]
    found["cpu_us"] = {
        name: round((cpu_seconds(pid) - before[name]) / max(1, found["done"]) * 1_000_000)
        for name, pid in processes.items()
    }
    return found


def _storage(settings: Path, row: Row, seconds: float) -> float:
    """Messages a second that the store takes from a program beside the idle daemon, on the server's core."""
    with _cores(SERVER if row.apart else BOTH):
        return float(_figures("bench.storage", settings, row.sessions, row.size, seconds)["rate"])


def _figures(module: str, *arguments: object) -> dict[str, Any]:
    """What a program of this package prints."""
    path = os.pathsep.join([str(ROOT), str(ROOT / "maild" / "src")])
    done = subprocess.run(
        [sys.executable, "-m", module, *map(str, arguments)],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=True,
    )
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


def _short(found: dict[str, Any]) -> dict[str, Any]:
    kept = {name: found[name] for name in ("p50_ms", "p99_ms", "delivered_rate", "cpu_us") if name in found}
    return {"rate": round(found["rate"]), **kept}


def _lag() -> dict[str, object]:
    """How long a small command waits while one client sends, and the server stores, a message of 50 MB."""
    with tempfile.TemporaryDirectory(prefix="mailhost-bench-") as name:
        site = Site(Path(name), more=MORE)
        site.write()
        _seed(site)
        with Running(site), Wire(site.ports["smtp"]) as large, Wire(site.ports["smtp"]) as small:
            large.ask("EHLO large.example")
            large.ask("MAIL FROM:<sender@example.org>")
            large.ask("RCPT TO:<box@bench.example>")
            large.ask("DATA")
            body = message(0, LARGE_BYTES) + b".\r\n"
            sending = threading.Thread(target=large.send, args=(body,))
            sending.start()
            done = threading.Thread(target=large.reply)
            done.start()
            waits: list[float] = []
            while done.is_alive():
                started = time.monotonic()
                small.ask("NOOP")
                waits.append(time.monotonic() - started)
                time.sleep(0.002)
            waits.sort()
            return {
                "asked": len(waits),
                "p50_ms": round(waits[len(waits) // 2] * 1000, 1),
                "p99_ms": round(waits[int(len(waits) * 0.99)] * 1000, 1),
                "worst_ms": round(waits[-1] * 1000, 1),
            }


def _idle(count: int) -> dict[str, object]:
    """Memory a session costs while it does nothing, in clear and under TLS."""
    with tempfile.TemporaryDirectory(prefix="mailhost-bench-") as name:
        site = Site(Path(name), more=MORE)
        site.write()
        _seed(site)
        with Running(site) as running:
            assert running.process is not None
            process = psutil.Process(running.process.pid)
            figures: dict[str, object] = {"sessions": count}
            for label, port in (("clear_kb", "smtp"), ("tls_kb", "submissions")):
                before = process.memory_info().rss
                held: list[socket.socket] = []
                for _ in range(count):
                    plain = socket.create_connection(("127.0.0.1", site.ports[port]), timeout=60)
                    held.append(client_context().wrap_socket(plain) if label == "tls_kb" else plain)
                    held[-1].recv(512)
                time.sleep(1)
                figures[label] = round((process.memory_info().rss - before) / count / 1024, 1)
                for each in held:
                    each.close()
            return figures
