"""Five ways for mail to run in circles between two servers: forwards, aliases, lists, catch-alls, automatic answers.

Each is set off by one mail; it must come to an end, with both queues empty and a bounded number of copies.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

from maild.store import Account, Alias, AutoReply, Domain, Forward, ListMode, MailingList, Store, open_store
from tests.lib.daemon import TEST_NET, Site
from tests.lib.exchange import OTHER, Exchange, exchange, wait_for
from tests.lib.nameserver import NameServer
from tests.lib.wire import Wire

HOPS = 30
"""The bound on Received fields, the smallest the settings allow, so that a loop ends soon."""
MOST_COPIES = 2 * HOPS + 10
PATIENCE = 240
LOOKS = 5
STRANGER = "stranger@stranger.example"
WAYS = ("forward", "alias", "list", "catch-all", "answer")


def run(folder: Path) -> dict[str, int]:
    """Sets all five off at once and returns how many copies lie in mailboxes at the end."""
    with exchange(folder, change=_bound) as both:
        for site, here, there in ((both.ours.site, TEST_NET, OTHER), (both.theirs.site, OTHER, TEST_NET)):
            asyncio.run(_with(site, _circles(here, there)))
        for way in WAYS[:4]:
            _from_outside(both.ours.site, way)
        both.submit(_message("answer"), f"answer@{OTHER}", user="other", sender=f"other@{TEST_NET}")
        wait_for(lambda: _left(both), lambda left: left == 0, PATIENCE)
        return {
            name: asyncio.run(_with(running.site, _copies))
            for name, running in (("ours", both.ours), ("theirs", both.theirs))
        }


def _left(both: Exchange) -> int:
    """Rows in both queues. A mail on its way from the second to the first may be missed once, but not in each look."""
    return sum(both.queued(each) for _ in range(LOOKS) for each in (both.ours, both.theirs))


def _bound(ours: Site, theirs: Site, names: NameServer) -> None:
    names.zone("stranger.example", "@ 60 IN MX 0 .\n")
    names.zone("circle.example", f"@ 60 IN MX 10 mx.{OTHER}.\n")
    for site in (ours, theirs):
        site.more = f"[limits]\nhops = {HOPS}\n{site.more}"


def _message(way: str) -> bytes:
    author = f"other@{TEST_NET}" if way == "answer" else STRANGER
    return f"From: {author}\r\nSubject: {way}\r\n\r\nround and round\r\n".encode()


def _from_outside(site: Site, way: str) -> None:
    """A stranger's mail, which nothing but the loop itself can stop."""
    with Wire(site.ports["smtp"]) as wire:
        wire.ask("EHLO stranger.example")
        assert wire.ask(f"MAIL FROM:<{STRANGER}>").startswith("250")
        assert wire.ask(f"RCPT TO:<{way}@{TEST_NET}>").startswith("250")
        assert wire.ask("DATA").startswith("354")
        wire.send(_message(way) + b".\r\n")
        assert wire.reply().startswith("250")


def _circles(here: str, there: str) -> Callable[[Store], Awaitable[None]]:
    async def make(store: Store) -> None:
        directory = store.directory
        await directory.save_account(
            Account(domain=here, local="forward", forward=Forward(targets=(f"forward@{there}",), keep=True))
        )
        await directory.save_alias(Alias(domain=here, local="alias", targets=(f"alias@{there}",)))
        await directory.save_list(
            MailingList(domain=here, local="list", members=(f"list@{there}",), mode=ListMode.PUBLIC)
        )
        if here == OTHER:
            await directory.save_domain(Domain(name="circle.example", catch_all=f"catch-all@{there}"))
            await directory.save_account(Account(domain=here, local="answer", reply=_reply()))
        else:
            await directory.save_alias(Alias(domain=here, local="catch-all", targets=("again@circle.example",)))
            found = await directory.account_named("other", here)
            assert found is not None
            await directory.save_account(replace(found, reply=_reply()))

    return make


def _reply() -> AutoReply:
    return AutoReply(subject="부재중", text="자리를 비웠습니다.", period_seconds=1)


async def _copies(store: Store) -> int:
    count = 0
    for account in await store.directory.accounts():
        count += sum(mailbox.messages for mailbox in await store.mailboxes.of(account.id))
    return count


async def _with(site: Site, work: Callable[[Store], Awaitable[object]]) -> int:
    store = await open_store(site.database_settings(), migrate=False)
    try:
        found = await work(store)
    finally:
        await store.close()
    return found if isinstance(found, int) else 0
