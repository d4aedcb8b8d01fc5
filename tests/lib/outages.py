"""A daemon on a database that goes away and comes back, with clients that keep trying."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from maild.settings import Database
from tests.lib.attempts import stored
from tests.lib.daemon import TEST_NET, Site
from tests.lib.senders import Ledger, Senders

PATIENCE = 120.0


def mysql_site(folder: Path, port: int) -> Site:
    """A daemon's folder with its database at this port."""
    (folder / "password").write_text("")
    site = Site(
        folder,
        database=f'[database]\nengine = "mysql"\nport = {port}\nuser = "root"\nschema = "maild"\n'
        f'password_file = "{folder / "password"}"\n',
        more="[limits]\nconnections_per_address = 2000\n",
    )
    site.write()
    return site


@asynccontextmanager
async def sending(site: Site, count: int, seed: int) -> AsyncIterator[Senders]:
    """So many clients that send all the time."""
    senders = Senders(site.ports["smtp"], [f"id@{TEST_NET}"], count, seed, large_every=200)
    senders.start()
    try:
        yield senders
    finally:
        await senders.stop()


async def accepted_again(ledger: Ledger, more: int = 1) -> float:
    """Waits until so many more are accepted; returns the seconds it took."""
    began = time.monotonic()
    before = len(ledger.accepted)
    async with asyncio.timeout(PATIENCE):
        while len(ledger.accepted) < before + more:  # noqa: ASYNC110 - other tasks make it so
            await asyncio.sleep(0.02)
    return time.monotonic() - began


async def judged(database: Database, ledger: Ledger) -> dict[str, int]:
    """Nothing accepted is lost or there twice, all had an answer, none was refused for good, the store is in order."""
    there = await stored(database, ("id",))
    [attempts] = there.attempts
    lost = ledger.accepted - set(attempts)
    assert not lost, f"{len(lost)} of {len(ledger.accepted)} messages answered 250 are lost, such as {min(lost)}"
    doubled = [name for name, count in attempts.items() if count > 1]
    assert not doubled, f"{len(doubled)} messages are there twice"
    assert not ledger.refused, f"refused for good: {next(iter(ledger.refused.values()))}"
    assert not ledger.unanswered, f"{len(ledger.unanswered)} messages had no answer, such as {min(ledger.unanswered)}"
    assert not ledger.hung_up, f"{ledger.hung_up} connections ended without an answer"
    wrong = [reply for reply in ledger.replies if not reply.startswith("4")]
    assert not wrong, f"not a temporary answer: {wrong[0]}"
    assert not there.findings, f"store check: {there.findings[:3]}"
    return {"accepted": len(ledger.accepted), "deferred": len(ledger.deferred), "unanswered": len(ledger.unanswered)}
