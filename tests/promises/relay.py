"""Nobody relays and nobody spoofs: at least 80 tries in named classes, each over the wire against a running daemon.

A try goes on whatever it is told, its last reply and the store decide. Good mail after each class shows that a server
that refuses everything, or nothing works of, is not taken for a safe one.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from maild.delivery.srs import VALID_DAYS
from maild.outgoing import SRS_PURPOSE
from maild.store import Account, Alias, Forward, ListMode, MailingList, Store, open_store
from maild.wrapping import read_wrap_key, wrap
from tests.lib import mail_loops
from tests.lib.daemon import PASSWORDS, TEST_CO_KR, TEST_NET, Running, Site
from tests.lib.relay_tries import CLASSES, OUT, PARTNER, PARTNER_TARGET, SRS_KEY, STRANGER, Try, rewritten
from tests.lib.wire import Wire

ABOUT = "at least 80 tries to relay or to spoof in 16 classes over the wire: none gets through, loops end"

T = TypeVar("T")

LEAST_CLASSES, LEAST_TRIES, LEAST_OF_A_CLASS = 16, 80, 5
MEMBERS = (PARTNER_TARGET, f"id@{TEST_NET}")
LOOPS = ("loop-a", "loop-b", "self", "circle", "round")
"""Addresses that lead back to themselves."""


@dataclass(frozen=True)
class Seen:
    """What the store holds."""

    messages: int
    queued: int


def run(_: str) -> dict[str, object]:
    """The promise; the size makes no difference."""
    with tempfile.TemporaryDirectory(prefix="mailhost-relay-") as name:
        site = Site(Path(name), more="[limits]\nconnections_per_address = 500\nerrors_per_session = 50")
        site.write()
        site.seed()
        sealed = wrap(SRS_KEY, read_wrap_key(site.folder / "wrap.key", create=True), SRS_PURPOSE)
        asyncio.run(_with_store(site, lambda store: store.keys.add_srs(sealed)))
        asyncio.run(_with_store(site, _add_targets))
        with Running(site):
            counts = {kind: _run_class(site, tries) for kind, tries in CLASSES.items()}
            seen = asyncio.run(_with_store(site, _look))
            assert seen == Seen(len(CLASSES), 0), f"something got in or out, or good mail did not: {seen}"
            _right_ways_out(site)
            counts["loops"] = _loops(site)
        copies = mail_loops.run(Path(name) / "two-servers")
        assert sum(copies.values()) <= mail_loops.MOST_COPIES, copies
        counts["loops-of-two-servers"] = len(mail_loops.WAYS)
    tries = sum(counts.values())
    assert len(counts) >= LEAST_CLASSES, counts
    assert tries >= LEAST_TRIES, tries
    assert min(counts.values()) >= LEAST_OF_A_CLASS, counts
    return {"cases": tries, "classes": counts, "copies_in_loops": copies, "engine": "sqlite"}


def _run_class(site: Site, tries: Callable[[], Iterator[Try]]) -> int:
    """Makes every try; none may end in an accepted message. A last good mail shows that the server still serves."""
    count = 0
    for each in tries():
        count += 1
        last = _attempt(site, each)
        assert last[:1] in {"5", ""}, f"{each.name}: {last}"
    good = Try("good mail", (STRANGER, f"RCPT TO:<other@{TEST_NET}>"))
    assert (said := _attempt(site, good)).startswith("250"), f"good mail: {said}"
    return count


def _right_ways_out(site: Site) -> None:
    """What the tries are wrong forms of is taken: a login's mail outside, a bounce to a fresh SRS address, an alias."""
    for each in (
        Try("login", (f"MAIL FROM:<id@{TEST_NET}>", f"RCPT TO:<{OUT}>"), None, "submissions", "id"),
        Try("bounce", ("MAIL FROM:<>", f"RCPT TO:<{rewritten(0)}>"), None),
        Try("late bounce", ("MAIL FROM:<>", f"RCPT TO:<{rewritten(VALID_DAYS - 1, TEST_CO_KR)}>"), None),
        Try("alias", (STRANGER, f"RCPT TO:<{PARTNER}@{TEST_NET}>"), None),
    ):
        assert (said := _attempt(site, each)).startswith("250"), f"{each.name}: {said}"


def _attempt(site: Site, each: Try) -> str:
    """The last reply that a try gets, to the end of its data when it gets so far; empty when it is thrown out."""
    with Wire(site.ports[each.port], tls=each.port == "submissions") as wire:
        wire.ask("EHLO client.example")
        if each.port == "submission" and each.tls:
            wire.start_tls()
        if each.user:
            said = wire.log_in(f"{each.user}@{TEST_NET}", PASSWORDS[each.user])
            assert said.startswith("235"), said
        for line in each.commands:
            said = wire.ask(line)
            assert line != STRANGER or said.startswith("250"), f"{each.name}: {said}"
        if each.message is None:
            return said
        said = wire.ask("DATA")
        if said.startswith("354"):
            wire.send(each.message + b"\r\n.\r\n")
            said = wire.reply()
        return said


def _loops(site: Site) -> int:
    """Mail to addresses that lead back to themselves is taken once or refused, and the server goes on."""
    for local in LOOPS:
        with Wire(site.ports["smtp"]) as wire:
            wire.ask("EHLO client.example")
            wire.ask("MAIL FROM:<stranger@example.org>")
            said = wire.ask(f"RCPT TO:<{local}@{TEST_NET}>")
            if said.startswith("250"):
                assert wire.ask("DATA").startswith("354")
                wire.send(b"From: stranger@example.org\r\nSubject: loop\r\n\r\nloop\r\n.\r\n")
                said = wire.reply()
            assert said[:1] in {"2", "4", "5"}, said
            assert wire.ask("NOOP").startswith("250")
    seen = asyncio.run(_with_store(site, _look))
    assert seen.messages <= len(CLASSES) + len(LOOPS), seen
    return len(LOOPS)


async def _add_targets(store: Store) -> None:
    """Aliases, lists and forwards that a try may aim at."""
    directory = store.directory
    await directory.save_alias(Alias(domain=TEST_NET, local="loop-a", targets=(f"loop-b@{TEST_NET}",)))
    await directory.save_alias(Alias(domain=TEST_NET, local="loop-b", targets=(f"loop-a@{TEST_CO_KR}",)))
    await directory.save_alias(Alias(domain=TEST_NET, local="self", targets=(f"self@{TEST_NET}",)))
    await directory.save_alias(Alias(domain=TEST_NET, local=PARTNER, targets=(PARTNER_TARGET,)))
    await directory.save_alias(Alias(domain=TEST_NET, local="former", targets=(PARTNER_TARGET,), active=False))
    for local, mode in (("members", ListMode.MEMBERS), ("news", ListMode.ANNOUNCEMENTS), ("all", ListMode.DOMAIN)):
        await directory.save_list(
            MailingList(domain=TEST_NET, local=local, members=MEMBERS, mode=mode, announcers=(f"id@{TEST_NET}",))
        )
    for local, target in (("circle", "round"), ("round", "circle")):
        await directory.save_account(
            Account(domain=TEST_NET, local=local, forward=Forward(targets=(f"{target}@{TEST_NET}",), keep=True))
        )


async def _look(store: Store) -> Seen:
    messages = 0
    for account in await store.directory.accounts():
        messages += sum(mailbox.messages for mailbox in await store.mailboxes.of(account.id))
    return Seen(messages, await store.queue.count())


async def _with_store(site: Site, work: Callable[[Store], Awaitable[T]]) -> T:
    store = await open_store(site.database_settings())
    try:
        return await work(store)
    finally:
        await store.close()
