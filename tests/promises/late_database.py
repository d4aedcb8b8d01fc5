"""A database that comes late, goes for a while and restarts under load: the daemon serves again by itself."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from tests.lib.daemon import Running
from tests.lib.databases import DatabaseServer
from tests.lib.mariadb import new_mariadb
from tests.lib.mysql import new_mysql
from tests.lib.outages import accepted_again, judged, mysql_site, sending

ABOUT = "a database a minute late, gone for a minute, restarted under load: 4xx or a clean close, then mail again"

SEED = 20261125
SENDERS = 16
AWAY_SECONDS = {"small": 6.0, "full": 60.0}
ANSWER_SECONDS = 10.0
BACK_SECONDS = 5.0
ENGINES: dict[str, dict[str, Callable[[], DatabaseServer]]] = {
    "small": {"mariadb": new_mariadb},
    "full": {"mariadb": new_mariadb, "mysql": new_mysql},
}


def run(size: str) -> dict[str, object]:
    """The promise on each server."""
    figures = {}
    for engine, new in ENGINES[size].items():
        with ExitStack() as stack:
            server = new()
            stack.callback(server.discard)
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="maild-late-")))
            figures[engine] = asyncio.run(_late(stack, server, folder, AWAY_SECONDS[size]))
    return {"cases": 3 * len(figures), "seed": SEED, "away_seconds": AWAY_SECONDS[size], "engines": figures}


async def _late(stack: ExitStack, server: DatabaseServer, folder: Path, away: float) -> dict[str, object]:
    database = server.create("maild")
    site = mysql_site(folder, server.port)
    await asyncio.to_thread(site.seed)
    await asyncio.to_thread(server.stop)
    daemon = Running(site)
    stack.callback(daemon.stop)
    daemon.launch()
    back = {}
    async with sending(site, SENDERS, SEED) as senders:
        ledger = senders.ledger
        await asyncio.sleep(away)
        assert not ledger.accepted
        await asyncio.to_thread(server.start)
        back["late"] = await accepted_again(ledger)
        await accepted_again(ledger, 50)
        await asyncio.to_thread(server.stop)
        await asyncio.sleep(away)
        await asyncio.to_thread(server.start)
        back["stopped"] = await accepted_again(ledger)
        await accepted_again(ledger, 50)
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.start)
        back["restarted"] = await accepted_again(ledger)
        await accepted_again(ledger, 50)
    assert daemon.process is not None
    assert daemon.process.poll() is None, "the daemon ended"
    await asyncio.to_thread(daemon.stop)
    counts = await judged(database, ledger)
    assert ledger.slowest <= ANSWER_SECONDS, f"an answer took {ledger.slowest:.1f} s"
    slow = {what: seconds for what, seconds in back.items() if seconds > BACK_SECONDS}
    assert not slow, f"mail was accepted again too late: {slow}"
    return {
        **counts,
        "slowest_answer_seconds": round(ledger.slowest, 2),
        "first_250_seconds": {what: round(seconds, 2) for what, seconds in back.items()},
        "replies": dict(ledger.replies.most_common(4)),
    }
