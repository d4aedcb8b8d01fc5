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
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path

from maild.delivery.runner import LEASE_SECONDS
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
WATCHED_SECONDS = 600.0
RESUMED_SECONDS = 10.0
"""After a restart, until something is delivered again."""
IN_WORK_SECONDS = LEASE_SECONDS / 2
"""Until all that was in work at a crash has left: well below the lease it could wait for.

At full size it takes its turn among a thousand destinations, so it is only told there.
"""
PAGE = 5000
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
    assert size == "full" or mixed.in_work_left <= IN_WORK_SECONDS, (
        f"{mixed.in_work} messages in work at the crash left {mixed.in_work_left:.1f} s after the restart"
    )
    return {
        "engine": "sqlite",
        "cases": chosen.destinations * chosen.each,
        "destinations": chosen.destinations,
        "dead_destinations_tried": len(mixed.attempts),
        "living_per_second": round(mixed.rate, 1),
        "living_per_second_without_dead": round(alone.rate, 1),
        "share": round(share, 2),
        "most_attempts_at_a_dead_one": max(mixed.attempts.values()),
        "p99_ms_empty": round(mixed.p99_empty * 1000, 2),
        "p99_ms_working": round(mixed.p99 * 1000, 2),
        "in_work_at_the_crash": mixed.in_work,
        "first_delivery_after_restart_s": round(mixed.resumed, 2),
        "in_work_delivered_after_restart_s": round(mixed.in_work_left, 2),
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
    in_work: int = 0
    resumed: float = 0.0
    in_work_left: float = 0.0
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
        _work(site, there, living, dead, size, served)
        served.attempts = _attempts(site)
    return served


def _work(site: Site, there: Sink, living: list[str], dead: list[str], size: Size, served: Served) -> None:
    """Serves the living until their rate is known; beside the dead all goes on, with one SIGKILL in the middle."""
    wanted = len(living) * size.each
    running = Running(site)
    running.start()
    half = threading.Event()
    try:
        with ThreadPoolExecutor(1) as pool:
            started = time.monotonic()
            sampled = pool.submit(_p99, site, SAMPLES, half)
            try:
                _serve_half(there, wanted, served, whole=bool(dead))
            finally:
                half.set()
            served.p99 = sampled.result()
        if dead:
            _kill(running, there, served)
            complete = wait_for(
                there.taken, lambda taken: all(taken.get(f"{name}.test", 0) >= size.each for name in living), PATIENCE
            )
            assert all(count >= size.each for count in complete.values())
            wait_for(lambda: len(_attempts(site)), lambda tried: tried == len(dead), PATIENCE)
            time.sleep(max(0.0, size.watched - (time.monotonic() - started)))
    finally:
        running.stop()


def _serve_half(there: Sink, wanted: int, served: Served, *, whole: bool) -> None:
    """Notes the rate; with ``whole`` the sink stands still at the half, so that a crash then meets mail in work."""
    started = time.monotonic()
    rated = min(wanted // 2, RATED)
    count = wait_for(lambda: sum(there.taken().values()), lambda count: count >= rated, PATIENCE)
    served.rate = count / (time.monotonic() - started)
    if whole:
        wait_for(lambda: sum(there.taken().values()), lambda count: count >= wanted // 2, PATIENCE)
        there.hold()


def _kill(running: Running, there: Sink, served: Served) -> None:
    """Kills the daemon at its work and starts it again; notes how long what was in work took to leave then."""
    in_work = wait_for(lambda: asyncio.run(_in_work(running.site)), bool)
    running.kill()
    there.go_on()
    taken, before = sum(there.taken().values()), there.identifiers(in_work)
    running.start()
    began = time.monotonic()
    wait_for(lambda: sum(there.taken().values()), lambda count: count > taken, PATIENCE)
    served.in_work, served.resumed = len(in_work), time.monotonic() - began
    wait_for(
        lambda: there.identifiers(in_work), lambda now: all(now[each] > before[each] for each in in_work), PATIENCE
    )
    served.in_work_left = time.monotonic() - began


async def _in_work(site: Site) -> set[str]:
    """The Message-IDs of what is leased for a living destination."""
    store = await open_store(site.database_settings(), migrate=False)
    found: set[str] = set()
    last = 0
    try:
        now = await store.queue.now()
        while rows := await store.queue.items(after=last, limit=PAGE):
            last = rows[-1].id
            leased = [row for row in rows if row.lease_until > now and row.destination.startswith("mx:live")]
            found |= {_message_id(row.recipients[0].address) for row in leased}
    finally:
        await store.close()
    return found


def _message_id(recipient: str) -> str:
    """What ``_queue`` gave the message for this recipient."""
    number, _, domain = recipient.removeprefix("r").partition("@")
    return f"{number}@{domain.removesuffix('.test')}"


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
        while len(took) < samples and not (took and ended is not None and ended.is_set()):
            client.ehlo_or_helo_if_needed()
            client.mail("a@example.org")
            client.rcpt(f"other@{TEST_NET}")
            started = time.monotonic()
            code, text = client.data(message)
            took.append(time.monotonic() - started)
            assert code == 250, text
    return sorted(took)[max(int(len(took) * 0.99) - 1, 0)]


def _attempts(site: Site) -> Counter[str]:
    """Connections tried at each dead host, from the log: the most within ten minutes."""
    tried: dict[str, list[float]] = {}
    for path in sorted((site.folder / "logs").glob("*.jsonl")):
        for line in path.read_text(encoding="utf-8").splitlines(keepends=True):
            # The last line may be on its way to the file.
            if line.endswith("\n") and f"Connecting to {DEAD_ADDRESS}" in line:
                record = json.loads(line)
                tried.setdefault(str(record["host"]), []).append(float(record["at"]))
    return Counter({host: _most_within(WATCHED_SECONDS, times) for host, times in tried.items()})


def _most_within(seconds: float, times: list[float]) -> int:
    return max(sum(start <= at < start + seconds for at in times) for start in times)
