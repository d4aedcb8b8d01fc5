"""Two daemons and a name server on one machine: 테스트.net and example.org exchange mail over real connections."""

from __future__ import annotations

import asyncio
import base64
import smtplib
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from maild.policy import hash_password
from maild.store import Account, Credential, CredentialKind, Domain, Store, open_store
from tests.lib.daemon import PASSWORDS, TEST_NET, Running, Site
from tests.lib.nameserver import NameServer

OTHER = "example.org"
FRIEND_PASSWORD = "friend-password"
PATIENCE_SECONDS = 60
"""How long a loaded machine may take; nothing is judged by it."""
T = TypeVar("T")
PEOPLE = ("friend", "주문")
"""Accounts at example.org."""


@dataclass
class Exchange:
    """Both servers and the zones they see."""

    ours: Running
    theirs: Running
    names: NameServer

    def submit(self, message: bytes, *recipients: str, user: str = "id", sender: str = "") -> None:
        """Hands a message in at ours, port 587, as one of its people."""
        with smtplib.SMTP("localhost", self.ours.site.ports["submission"], timeout=PATIENCE_SECONDS) as client:
            client.starttls(context=ssl.create_default_context(cafile=str(self.ours.site.ca)))
            client.ehlo("client")
            secret = f"\0{user}@{TEST_NET}\0{PASSWORDS[user]}".encode()
            code, text = client.docmd("AUTH", "PLAIN " + base64.b64encode(secret).decode())
            assert code == 235, text
            options = ["SMTPUTF8", "BODY=8BITMIME"] if any(not each.isascii() for each in recipients) else []
            client.sendmail(sender or f"{user}@{TEST_NET}", recipients, message, mail_options=options)

    def inbox(self, running: Running, local: str, domain: str, count: int = 1) -> list[bytes]:
        """The messages in someone's INBOX, as soon as there are that many."""
        return wait_for(lambda: asyncio.run(_inbox(running.site, local, domain)), lambda found: len(found) >= count)

    def queued(self, running: Running) -> int:
        """Rows in a queue."""
        return asyncio.run(_queued(running.site))


def wait_for(ask: Callable[[], T], good: Callable[[T], bool], patience: float = PATIENCE_SECONDS) -> T:
    """Asks again and again until the answer is good; fails with the last one."""
    deadline = time.monotonic() + patience
    while True:
        answer = ask()
        if good(answer):
            return answer
        assert time.monotonic() < deadline, f"still {answer!r}"
        time.sleep(0.1)


async def _inbox(site: Site, local: str, domain: str) -> list[bytes]:
    store = await open_store(site.database_settings(), migrate=False)
    try:
        account = await store.directory.account_named(local, domain)
        assert account is not None
        rows = await store.messages.range(account.inbox_id, 1, 10_000)
        return [await store.messages.read(row.blob_id) for row in rows]
    finally:
        await store.close()


async def _queued(site: Site) -> int:
    store = await open_store(site.database_settings(), migrate=False)
    try:
        return await store.queue.count()
    finally:
        await store.close()


async def _seed_other(site: Site) -> None:
    store = await open_store(site.database_settings())
    try:
        await seed_other(store)
    finally:
        await store.close()


async def seed_other(store: Store) -> None:
    """The people of example.org."""
    await store.directory.save_domain(Domain(name=OTHER))
    for local in PEOPLE:
        account = await store.directory.save_account(Account(domain=OTHER, local=local))
        await store.credentials.add(
            Credential(account_id=account.id, kind=CredentialKind.PASSWORD, hash=hash_password(FRIEND_PASSWORD))
        )


@contextmanager
def exchange(
    folder: Path,
    *,
    more: str = "",
    secure: bool = False,
    change: Callable[[Site, Site, NameServer], None] | None = None,
) -> Iterator[Exchange]:
    """Both daemons running; ``change`` may edit the sites before they start.

    ``more`` are further keys of our [queue] table.
    """
    with ExitStack() as stack:
        names = stack.enter_context(closing(NameServer(secure=secure)))
        ours = Site(folder / "ours")
        theirs = Site(folder / "theirs", hostname=f"mx.{OTHER}")
        for site in (ours, theirs):
            site.folder.mkdir(parents=True)
            site.write()
        names.zone(OTHER, f"@ 60 IN MX 10 mx.{OTHER}.\nmx 60 IN A 127.0.0.1\n")
        names.zone(TEST_NET, f"@ 60 IN MX 10 smtp.{TEST_NET}.\nsmtp 60 IN A 127.0.0.1\n")
        for site, peer in ((ours, theirs), (theirs, ours)):
            site.more = (
                f'[dns]\nservers = ["{names.address}#{names.port}"]\nvalidating = {str(secure).lower()}\n'
                f"[queue]\nport = {peer.ports['smtp']}\n" + (more if site is ours else "")
            )
        if change is not None:
            change(ours, theirs, names)
        for site in (ours, theirs):
            site.write_settings()
        ours.seed()
        asyncio.run(_seed_other(theirs))
        yield Exchange(stack.enter_context(Running(ours)), stack.enter_context(Running(theirs)), names)
