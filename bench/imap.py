"""IMAP beside Dovecot: sessions that log in and read headers, APPEND, a large mailbox, memory of an idle connection.

Server and client have a core each. Both servers use Argon2id with the same cost, TLS with an ECDSA key and durable
writes, hold the same messages, and are driven by the same client in the same minutes.
"""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psutil

from bench.dovecot import PASSWORD, STRANGERS, USER, Dovecot
from maild.policy import hash_password
from maild.store import Account, Credential, CredentialKind, Delivery, Domain, Incoming, new_id, open_store
from tests.lib.daemon import Running, Site
from tests.lib.programs import ROOT

ABOUT = "IMAP beside Dovecot: login and 50 headers, APPEND, a large mailbox, memory of an idle connection"

MESSAGES, FEW = 1000, 10
LARGE = {"small": 20_000, "full": 1_000_000}
SECONDS = {"small": 2.0, "full": 10.0}
IDLE = {"small": 100, "full": 1000}
SERVER, CLIENT = {0}, {1}
AT_ONCE = 64
"""Deliveries under way while a mailbox is filled."""

MORE = """\
[limits]
connections = 20000
connections_per_address = 20000
"""


def message(number: int) -> bytes:
    """A message of about 3 KB; few of them are alike."""
    head = (
        f"From: Sender {number % 97} <s{number % 97}@bench.example>\r\nTo: {USER}\r\n"
        f"Subject: =?UTF-8?B?7KO866y4?= {number}\r\nDate: Wed, 25 Nov 2026 03:00:00 +0000\r\n"
        f"Message-ID: <{number}@bench.example>\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n"
    )
    return head.encode() + b"".join(b"%d %s\r\n" % (number * line, b"x" * 60) for line in range(40))


def small(number: int) -> bytes:
    """A message of the large mailbox."""
    return b"From: a@bench.example\r\nSubject: %d\r\nMessage-ID: <%d@b>\r\n\r\nx\r\n" % (number, number)


def run(size: str) -> dict[str, object]:
    """Every row for both servers, and ours over theirs."""
    everyday, large = _everyday(size), _large(size)
    return {"rows": _ratios(everyday | large), "idle_kb": _idle(size)}


def _everyday(size: str) -> dict[str, dict[str, float]]:
    seconds = SECONDS[size]
    rows: dict[str, dict[str, float]] = {}
    for name, server in (("maild", _maild), ("dovecot", _dovecot)):
        with server(MESSAGES, message) as port:
            for row in ("session", "headers", "append"):
                rows.setdefault(row, {})[name] = _client(port, row, seconds)["rate"]
    for name, server in (("maild", _maild), ("dovecot", _dovecot)):
        with server(FEW, message) as port:
            rows.setdefault("login_cold", {})[name] = _client(port, "cold", seconds)["rate"]
    return rows


def _large(size: str) -> dict[str, dict[str, float]]:
    rows: dict[str, dict[str, float]] = {}
    for name, server in (("maild", _maild), ("dovecot", _dovecot)):
        with server(LARGE[size], small, large=True) as port:
            found = _client(port, "large", 0)
        for row, milliseconds in found.items():
            rows.setdefault(f"large_{row}", {})[name] = milliseconds
    return rows


def _ratios(rows: dict[str, dict[str, float]]) -> dict[str, dict[str, float]]:
    for name, row in rows.items():
        # Rates: ours over theirs. Times: theirs over ours. More than 1 is faster either way.
        over, under = ("dovecot", "maild") if name.startswith("large_") else ("maild", "dovecot")
        row["ratio"] = round(row[over] / max(row[under], 1e-9), 2)
    return rows


@contextmanager
def _maild(count: int, make: Callable[[int], bytes], *, large: bool = False) -> Iterator[int]:  # noqa: ARG001
    with ExitStack() as stack:
        stack.enter_context(_cores(SERVER))
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="mailhost-bench-")))
        site = Site(folder, more=MORE)
        site.write()
        asyncio.run(_fill(site, count, make))
        stack.enter_context(Running(site))
        yield site.ports["imaps"]


async def _fill(site: Site, count: int, make: Callable[[int], bytes]) -> None:
    store = await open_store(site.database_settings())
    user, _, domain = USER.partition("@")
    await store.directory.save_domain(Domain(name=domain))
    account = await store.directory.save_account(Account(domain=domain, local=user))
    hashed = hash_password(PASSWORD)
    others = [Account(domain=domain, local=f"{user}{number}") for number in range(STRANGERS if count == FEW else 0)]
    for each in [account, *[await store.directory.save_account(other) for other in others]]:
        await store.credentials.add(Credential(account_id=each.id, kind=CredentialKind.PASSWORD, hash=hashed))
    delivery = (Delivery(mailbox_id=account.inbox_id),)
    for start in range(0, count, AT_ONCE):
        bodies = [make(number) for number in range(start, min(start + AT_ONCE, count))]
        await asyncio.gather(
            *(store.accept(Incoming(id=new_id(), body=body, deliveries=delivery, check_quota=False)) for body in bodies)
        )
    await store.close()


@contextmanager
def _dovecot(count: int, make: Callable[[int], bytes], *, large: bool = False) -> Iterator[int]:
    with _cores(SERVER), Dovecot(mbox=large) as dovecot:
        dovecot.fill([make(number) for number in range(count)])
        dovecot.start()
        yield dovecot.port


@contextmanager
def _cores(cores: set[int]) -> Iterator[None]:
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, cores & before or before)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def _client(port: int, row: str, seconds: float) -> dict[str, float]:
    """The client's figures, from a process on its own core."""
    path = os.pathsep.join([str(ROOT), str(ROOT / "maild" / "src")])
    with _cores(CLIENT):
        done = subprocess.run(
            [sys.executable, "-m", "bench.imap_load", str(port), row, str(seconds), USER, PASSWORD],
            cwd=ROOT, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True, check=False,
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found: dict[str, float] = json.loads(done.stdout)
    return found


def _idle(size: str) -> dict[str, float]:
    """Memory of a connection in IDLE under TLS, in KB."""
    count = IDLE[size]
    with tempfile.TemporaryDirectory(prefix="mailhost-bench-") as name:
        site = Site(Path(name), more=MORE)
        site.write()
        asyncio.run(_fill(site, 100, message))
        with Running(site) as running:
            assert running.process is not None
            ours = _grown(site.ports["imaps"], count, lambda: [psutil.Process(running.process.pid)])  # type: ignore[union-attr]
    with Dovecot() as dovecot:
        dovecot.fill([message(number) for number in range(100)])
        dovecot.start()
        theirs = _grown(dovecot.port, count, lambda: [psutil.Process(pid) for pid in dovecot.pids()])
    return {"connections": count, "maild": ours, "dovecot": theirs}


def _grown(port: int, count: int, processes: Callable[[], list[psutil.Process]]) -> float:
    def used() -> int:
        """Memory of their own: what processes share is not counted twice."""
        return sum(each.memory_full_info().uss for each in processes())

    path = os.pathsep.join([str(ROOT), str(ROOT / "maild" / "src")])
    command = [sys.executable, "-m", "bench.imap_load", str(port), "idle", str(count), USER, PASSWORD]
    with subprocess.Popen(
        [sys.executable, "-m", "bench.imap_load", str(port), "idle", "1", USER, PASSWORD],
        cwd=ROOT, env=os.environ | {"PYTHONPATH": path}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as first:  # fmt: skip
        assert first.stdout is not None
        first.stdout.readline()
        before = used()
        with subprocess.Popen(
            command, cwd=ROOT, env=os.environ | {"PYTHONPATH": path}, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        ) as client:
            assert client.stdout is not None
            client.stdout.readline()
            time.sleep(1)
            grown = used() - before
            client.communicate(b"\n")
        first.communicate(b"\n")
    return round(grown / count / 1024, 1)
