"""Two daemons on one MySQL: one killed, one stopped past its lease, one with a clock ten minutes off."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import smtplib
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack, closing
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from pathlib import Path

from maild.delivery.runner import LEASE_SECONDS
from maild.mail import header
from maild.outgoing import owner_of
from maild.settings import load
from maild.store import Incoming, QueueEntry, QueueRecipient, Store, new_id, open_store
from maild.wrapping import read_wrap_key
from tests.lib.daemon import TEST_NET, Running, Site
from tests.lib.exchange import wait_for
from tests.lib.mysql import new_mysql
from tests.lib.nameserver import NameServer
from tests.lib.sink import Sink, sink

ABOUT = "Two daemons share one MySQL; kills, stops and wrong clocks lose nothing and double nothing here"
PATIENCE = 900.0
FAKETIME = Path("/usr/lib/x86_64-linux-gnu/faketime/libfaketimeMT.so.1")
TEN_MINUTES_AHEAD = {"LD_PRELOAD": str(FAKETIME), "FAKETIME": "+600s", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}
AHEAD_SECONDS = 300.0
"""How far the latest Received field is ahead of the end of the run, at the least, when the clock really was wrong."""
REMOTE = {"small": 1000, "full": 10_000}
DESTINATIONS = 20
PAUSE_SECONDS = LEASE_SECONDS + 10
"""Longer than a lease, so that the other daemon takes over what the stopped one had."""


def run(size: str) -> dict[str, object]:
    """Remote mail from a filled queue, local mail from clients at both daemons, three faults meanwhile."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="maild-two-")))
        server = new_mysql()
        stack.callback(server.discard)
        server.create("two")
        names = stack.enter_context(closing(NameServer()))
        records = "".join(f"d{n} 300 IN MX 10 mx.d{n}\nmx.d{n} 300 IN A 127.0.0.1\n" for n in range(DESTINATIONS))
        names.zone("test", records)
        there = stack.enter_context(sink())
        sites = [_site(folder / name, server.port, names, there.port) for name in ("one", "two")]
        # One database, one wrap key: the operator copies the file to every machine.
        read_wrap_key(sites[0].folder / "wrap.key", create=True)
        shutil.copy(sites[0].folder / "wrap.key", sites[1].folder / "wrap.key")
        sites[0].seed()
        asyncio.run(_fill(sites[0], REMOTE[size]))
        local = Writers([site.ports["smtp"] for site in sites])
        taken_over = _faults(sites, there, REMOTE[size], local)
        ids = there.identifiers()
        assert sum(ids.values()) == sum(there.taken().values()), "a remote message came without its Message-ID"
        wanted = {f"remote-{number}@{TEST_NET}" for number in range(REMOTE[size])}
        assert wanted <= set(ids), f"{len(wanted - set(ids))} remote messages were lost"
        assert set(ids) <= wanted
        kept, latest = asyncio.run(_local(sites[0]))
        lost = [name for name in local.accepted if name not in kept]
        doubled = [name for name, count in kept.items() if count > 1]
        assert not lost, f"{len(lost)} of {len(local.accepted)} accepted local messages were lost"
        assert not doubled, f"{len(doubled)} local messages are there twice"
        ahead = latest - local.ended
        assert ahead > AHEAD_SECONDS, f"no mail came in by a wrong clock: the latest is {ahead:.0f} s ahead"
    return {
        "engine": "mysql",
        "cases": REMOTE[size] + len(local.accepted),
        "remote": REMOTE[size],
        "in_work_at_the_stop_and_taken_over": taken_over,
        "remote_sent_more_than_once": sum(count > 1 for count in ids.values()),
        "local_accepted": len(local.accepted),
        "local_unanswered": local.unanswered,
        "seconds_ahead": round(ahead),
        "faults": ["killed", "stopped past its lease", "clock ten minutes ahead"],
    }


def _site(folder: Path, port: int, names: NameServer, peer: int) -> Site:
    folder.mkdir()
    (folder / "password").write_text("")
    site = Site(
        folder,
        database=f'[database]\nengine = "mysql"\nport = {port}\nuser = "root"\nschema = "two"\n'
        f'password_file = "{folder / "password"}"\n',
        more=f'[dns]\nservers = ["{names.address}#{names.port}"]\n[queue]\nport = {peer}\nworkers = 4\n',
    )
    site.write()
    return site


def _faults(sites: list[Site], there: Sink, remote: int, writers: Writers) -> int:
    """Kills the first at its work, starts it again with a wrong clock, stops the second for longer than a lease.

    Returns how many messages the second had in work then. They are taken over before it goes on.
    """
    one, two = (Running(site) for site in sites)
    # With the sink standing still each daemon has its share of the queue in work when the other one comes.
    there.hold()
    one.start()
    two.start()
    try:
        wait_for(lambda: [_in_work(site) for site in sites], all, PATIENCE)
        there.go_on()
        writers.start()
        wait_for(lambda: len(there.identifiers()), lambda count: count >= remote // 10, PATIENCE)
        there.hold()
        wait_for(lambda: [_in_work(site) for site in sites], all, PATIENCE)
        one.kill()
        assert two.process is not None
        os.kill(two.process.pid, signal.SIGSTOP)
        stopped = _in_work(sites[1])
        there.go_on()
        one = Running(sites[0], environment=TEN_MINUTES_AHEAD)
        one.start()
        time.sleep(PAUSE_SECONDS)
        wait_for(there.identifiers, lambda taken: stopped <= set(taken), PATIENCE)
        os.kill(two.process.pid, signal.SIGCONT)
        wait_for(lambda: len(there.identifiers()), lambda count: count >= remote, PATIENCE)
        wait_for(lambda: asyncio.run(_queued(sites[0])), lambda count: count == 0, PATIENCE)
    finally:
        writers.stop()
        one.stop()
        two.stop()
    return len(stopped)


def _in_work(site: Site) -> set[str]:
    """What this daemon has in work."""
    owner = owner_of(load(site.settings))
    return {name for name, each in asyncio.run(_leases(site)).items() if each == owner}


async def _leases(site: Site) -> dict[str, str]:
    """Who works on which remote message, by its Message-ID."""
    store = await open_store(site.database_settings(), migrate=False)
    found: dict[str, str] = {}
    last = 0
    try:
        await store.wait(60)
        now = await store.queue.now()
        while rows := await store.queue.items(after=last, limit=1000):
            last = rows[-1].id
            leased = [row for row in rows if row.leased_by and row.lease_until > now]
            found |= {_remote(row.recipients[0].address): row.leased_by for row in leased}
    finally:
        await store.close()
    return found


def _remote(recipient: str) -> str:
    """The Message-ID that ``_queue`` gave the message for this recipient."""
    return f"remote-{recipient.removeprefix('r').partition('@')[0]}@{TEST_NET}"


@dataclass
class Writers:
    """Clients that hand local mail in at every daemon all the time; each message has an id of its own."""

    ports: list[int]
    accepted: list[str] = field(default_factory=list)
    unanswered: int = 0
    ended: float = 0.0
    _stop: threading.Event = field(default_factory=threading.Event)
    _threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        """One client a daemon."""
        self._threads = [threading.Thread(target=self._write, args=(port,)) for port in self.ports]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Ends them."""
        self._stop.set()
        self.ended = time.time()
        for thread in self._threads:
            thread.join(120)

    def _write(self, port: int) -> None:
        number = 0
        while not self._stop.is_set():
            number += 1
            name = f"local-{port}-{number}@example.org"
            try:
                with smtplib.SMTP("127.0.0.1", port, timeout=PAUSE_SECONDS * 2) as client:
                    client.sendmail("a@example.org", [f"other@{TEST_NET}"], _message(name))
                self.accepted.append(name)
            except (OSError, smtplib.SMTPException):
                self.unanswered += 1
                time.sleep(0.2)
            time.sleep(0.05)


def _message(name: str) -> bytes:
    return f"From: a@example.org\r\nSubject: {name}\r\nMessage-ID: <{name}>\r\n\r\n본문\r\n".encode()


async def _fill(site: Site, count: int) -> None:
    store = await open_store(site.database_settings(), migrate=False)
    try:
        await store.wait(60)
        now = await store.queue.now()
        for start in range(0, count, 200):
            await asyncio.gather(*(_queue(store, number, now) for number in range(start, min(start + 200, count))))
    finally:
        await store.close()


async def _queue(store: Store, number: int, now: int) -> None:
    entry = QueueEntry(
        destination=f"mx:d{number % DESTINATIONS}.test",
        sender=f"id@{TEST_NET}",
        recipients=(QueueRecipient(address=f"r{number}@d{number % DESTINATIONS}.test"),),
        expires_at=now + 5 * 86_400_000_000,
    )
    await store.accept(Incoming(id=new_id(), body=_message(f"remote-{number}@{TEST_NET}"), queue=(entry,)))


async def _queued(site: Site) -> int:
    store = await open_store(site.database_settings(), migrate=False)
    try:
        await store.wait(60)
        return await store.queue.count()
    finally:
        await store.close()


async def _local(site: Site) -> tuple[Counter[str], float]:
    """How often each Message-ID lies in the INBOX of other, and the latest time in a Received field."""
    store = await open_store(site.database_settings(), migrate=False)
    found: Counter[str] = Counter()
    latest = 0.0
    try:
        await store.wait(60)
        account = await store.directory.account_named("other", TEST_NET)
        assert account is not None
        last = 0
        while rows := await store.messages.range(account.inbox_id, last + 1, 1 << 31):
            for row in rows:
                message = await store.messages.read(row.blob_id)
                found[(header.value(message, "Message-ID") or b"").decode().strip("<>")] += 1
                _, _, date = (header.value(message, "Received") or b"").decode().rpartition(";")
                latest = max(latest, parsedate_to_datetime(date.strip()).timestamp())
            last = rows[-1].uid
    finally:
        await store.close()
    return found, latest
