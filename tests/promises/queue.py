"""A queue full of dead destinations neither slows the living nor the door, and resumes at once after a crash."""

from __future__ import annotations

import asyncio
import json
import smtplib
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

from maild.store import Incoming, QueueEntry, QueueRecipient, Store, new_id, open_store
from tests.lib.daemon import TEST_NET, Running, Site
from tests.lib.exchange import wait_for
from tests.lib.nameserver import NameServer
from tests.lib.sink import Sink, sink

ABOUT = "200,000 messages to 2,000 destinations, half of them dead: the living are served at full rate"
DEAD_ADDRESS = "127.0.0.9"
"""Nobody listens there at the sink's port."""
ATTEMPTS_ALLOWED = 5
"""Attempts at a dead destination in ten minutes."""
WATCHED_SECONDS = 600
RESUMED_SECONDS = 10.0
"""After a restart, well below the lease that what was in work then would otherwise wait for."""
SAMPLES = 1000
"""Acceptances timed on the empty queue and during the work."""
PATIENCE = 1800.0
"""Seconds the full size may take on a loaded machine; nothing is judged by it."""
RATED = 20_000
"""Deliveries at most that the rate of the living is taken from; without the dead nothing is looked at beyond them."""
TOGETHER = 500
"""Messages queued by one group of calls while the queue is filled."""


@dataclass(frozen=True)
class Size:
    destinations: int
    each: int
    watched: float


SIZES = {"small": Size(40, 15, 0.0), "full": Size(2000, 100, WATCHED_SECONDS)}


def run(size: str) -> dict[str, object]:
    """Fills, serves with and without the dead, kills in the middle, counts attempts."""
    chosen = SIZES[size]
    living = [f"live{number}" for number in range(chosen.destinations // 2)]
    dead = [f"dead{number}" for number in range(chosen.destinations // 2)]
    with tempfile.TemporaryDirectory(prefix="maild-queue-") as name, ExitStack() as stack:
        zone = "".join([*(_mx(each, "127.0.0.1") for each in living), *(_mx(each, DEAD_ADDRESS) for each in dead)])
        names = stack.enter_context(_named(zone))
        alone = _serve(Path(name) / "alone", names, living, [], chosen)
        mixed = _serve(Path(name) / "mixed", names, living, dead, chosen)
    share = mixed.rate / alone.rate
    if size == "full":
        assert share >= 0.8, f"the living got {share:.2f} of their rate beside the dead"
        assert mixed.p99 <= 2 * mixed.p99_empty, (mixed.p99, mixed.p99_empty)
    assert max(mixed.attempts.values()) <= ATTEMPTS_ALLOWED, mixed.attempts.most_common(3)
    assert mixed.resumed <= RESUMED_SECONDS, f"the first delivery came {mixed.resumed:.1f} s after the restart"
    return {
        "cases": chosen.destinations * chosen.each,
        "destinations": chosen.destinations,
        "living_per_second": round(mixed.rate, 1),
        "living_per_second_without_dead": round(alone.rate, 1),
        "share": round(share, 2),
        "most_attempts_at_a_dead_one": max(mixed.attempts.values()),
        "p99_ms_empty": round(mixed.p99_empty * 1000, 2),
        "p99_ms_working": round(mixed.p99 * 1000, 2),
        "first_delivery_after_restart_s": round(mixed.resumed, 2),
    }


def _mx(name: str, address: str) -> str:
    return f"{name} 300 IN MX 10 mx.{name}\nmx.{name} 300 IN A {address}\n"


@contextmanager
def _named(zone: str) -> Iterator[str]:
    """A name server of ``test`` in a process of its own, where nothing that is measured here holds it up."""
    context = get_context("spawn")
    here, there = context.Pipe()
    process = context.Process(target=_serve_names, args=(zone, there), daemon=True)
    process.start()
    try:
        yield str(here.recv())
    finally:
        process.kill()
        process.join()


def _serve_names(zone: str, parent: Connection) -> None:
    with closing(NameServer()) as names:
        names.zone("test", zone)
        parent.send(f"{names.address}#{names.port}")
        parent.poll(None)


@dataclass
class Served:
    rate: float = 0.0
    p99_empty: float = 0.0
    p99: float = 0.0
    resumed: float = 0.0
    attempts: Counter[str] = field(default_factory=Counter)


def _serve(folder: Path, names: str, living: list[str], dead: list[str], size: Size) -> Served:
    folder.mkdir()
    site = Site(folder)
    with sink() as there:
        site.more = f'[dns]\nservers = ["{names}"]\n[queue]\nport = {there.port}\n'
        site.write()
        site.seed()
        served = Served()
        with Running(site):
            served.p99_empty = _p99(site, SAMPLES)
        asyncio.run(_fill(site, [*living, *dead], size.each))
        _work(site, there, living, size, served, whole=bool(dead))
        served.attempts = _attempts(site)
    return served


def _work(site: Site, there: Sink, living: list[str], size: Size, served: Served, *, whole: bool) -> None:
    """Serves the living until their rate is known; the whole goes on, with one SIGKILL in the middle."""
    wanted = len(living) * size.each
    running = Running(site)
    running.start()
    try:
        started = time.monotonic()
        half = threading.Event()
        sampler = threading.Thread(target=lambda: setattr(served, "p99", _p99(site, SAMPLES, half)))
        sampler.start()
        rated = min(wanted // 2, RATED)
        count = wait_for(lambda: sum(there.taken().values()), lambda count: count >= rated, PATIENCE)
        served.rate = count / (time.monotonic() - started)
        if whole:
            wait_for(lambda: sum(there.taken().values()), lambda count: count >= wanted // 2, PATIENCE)
        half.set()
        sampler.join()
        if whole:
            served.resumed = _killed(running, there, wanted)
            complete = wait_for(
                there.taken, lambda taken: all(taken.get(f"{name}.test", 0) >= size.each for name in living), PATIENCE
            )
            assert all(count >= size.each for count in complete.values())
            time.sleep(max(0.0, size.watched - (time.monotonic() - started)))
    finally:
        running.stop()


def _killed(running: Running, there: Sink, wanted: int) -> float:
    """Kills the daemon at its work and starts it again; returns the seconds until it delivers again."""
    running.kill()
    before = sum(there.taken().values())
    running.start()
    began = time.monotonic()
    if before < wanted:
        wait_for(lambda: sum(there.taken().values()), lambda count: count > before, PATIENCE)
    return time.monotonic() - began


async def _fill(site: Site, destinations: list[str], each: int) -> None:
    store = await open_store(site.database_settings(), migrate=False)
    try:
        now = await store.queue.now()
        entries = [(name, number) for number in range(each) for name in destinations]
        for start in range(0, len(entries), TOGETHER):
            await asyncio.gather(
                *(_queue(store, name, number, now) for name, number in entries[start : start + TOGETHER])
            )
    finally:
        await store.close()


async def _queue(store: Store, name: str, number: int, now: int) -> None:
    body = f"From: id@{TEST_NET}\r\nSubject: {number}\r\nMessage-ID: <{number}@{name}>\r\n\r\n본문\r\n".encode()
    entry = QueueEntry(
        destination=f"mx:{name}.test",
        sender=f"id@{TEST_NET}",
        recipients=(QueueRecipient(address=f"r{number}@{name}.test"),),
        expires_at=now + 5 * 86_400_000_000,
    )
    await store.accept(Incoming(id=new_id(), body=body, queue=(entry,)))


def _p99(site: Site, samples: int, ended: threading.Event | None = None) -> float:
    """Seconds from the end of DATA to 250 on port 25, for a mailbox here; so many samples, fewer when it has ended."""
    took: list[float] = []
    message = b"From: a@example.org\r\nSubject: p99\r\n\r\n" + b"x" * 2000
    with smtplib.SMTP("127.0.0.1", site.ports["smtp"], timeout=60) as client:
        for _ in range(samples):
            if ended is not None and ended.is_set():
                break
            client.ehlo_or_helo_if_needed()
            client.mail("a@example.org")
            client.rcpt(f"other@{TEST_NET}")
            started = time.monotonic()
            code, text = client.data(message)
            took.append(time.monotonic() - started)
            assert code == 250, text
    return sorted(took)[max(int(len(took) * 0.99) - 1, 0)]


def _attempts(site: Site) -> Counter[str]:
    """Connections tried at each dead host, from the log."""
    found: Counter[str] = Counter()
    for path in (site.folder / "logs").glob("*.jsonl"):
        for line in path.read_text(encoding="utf-8").splitlines():
            if f"Connecting to {DEAD_ADDRESS}" in line:
                found[str(json.loads(line)["host"])] += 1
    return found or Counter({"none": 0})
