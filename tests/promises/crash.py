"""Kills of the daemon and of its database, and cuts between COMMIT and its answer, under 32 senders."""

from __future__ import annotations

import asyncio
import random
import tempfile
from collections import Counter
from collections.abc import Callable, Coroutine
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from maild.settings import Database
from tests.lib.attempts import stored
from tests.lib.commitproxy import CommitProxy
from tests.lib.daemon import TEST_NET, Site
from tests.lib.databases import DatabaseServer
from tests.lib.mariadb import new_mariadb
from tests.lib.mysql import new_mysql
from tests.lib.parented import each
from tests.lib.preloaded import Preloaded
from tests.lib.senders import Ledger, Senders

ABOUT = "kills and cuts under load: what was answered 250 is there once, what was not at most once, on three engines"

SENDERS = 32
SEED = 20261125
KILLS = {
    "small": {"sqlite": 3, "mariadb": 3, "mysql": 2},
    "full": {"sqlite": 200, "mariadb": 200, "mysql": 200},
}
CUTS = {"small": 6, "full": 40}
"""Cuts between COMMIT and its answer, among the kills; they cost no restart."""
BETWEEN_SECONDS = (0.1, 0.6)


@dataclass
class Scene:
    """One engine with a daemon on it."""

    site: Site
    daemon: Preloaded
    database: Database
    server: DatabaseServer | None = None
    proxy: CommitProxy | None = None
    done: Counter[str] = field(default_factory=Counter)
    open: dict[str, set[str]] = field(default_factory=dict)
    """The attempts that each kind of fault left without a 250: nobody outside knows whether they are there."""


def run(size: str) -> dict[str, object]:
    """The promise on the three engines, each in a process of its own: most of a kill is waiting for a start."""
    found = each({engine: (_engine, (engine, count, CUTS[size])) for engine, count in KILLS[size].items()})
    unknown = sum(int(str(figures["unanswered"])) for figures in found.values())
    if size == "full":
        assert unknown > 20, f"only {unknown} outcomes were unknown: the kills did not hit"
    return {
        "cases": sum(int(str(figures["attempts"])) for figures in found.values()),
        "seed": SEED,
        "senders": SENDERS,
        "unknown": unknown,
        "engines": found,
    }


def _engine(engine: str, kills: int, cuts: int) -> dict[str, object]:
    with ExitStack() as stack:
        scene = _scene(stack, engine)
        return asyncio.run(_crash(scene, kills, cuts if scene.proxy else 0))


def _scene(stack: ExitStack, engine: str) -> Scene:
    folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="maild-crash-")))
    if engine == "sqlite":
        site = Site(folder)
        site.write()
        site.seed()
        database = site.database_settings()
        return Scene(site, stack.enter_context(Preloaded(site)), database)
    server = new_mariadb() if engine == "mariadb" else new_mysql()
    stack.callback(server.discard)
    database = server.create("maild")
    proxy = stack.enter_context(CommitProxy(server.port))
    (folder / "password").write_text("")
    site = Site(
        folder,
        database=f'[database]\nengine = "mysql"\nport = {proxy.port}\nuser = "root"\nschema = "maild"\n'
        f'password_file = "{folder / "password"}"\n',
    )
    site.write()
    site.seed()
    return Scene(site, stack.enter_context(Preloaded(site)), database, server, proxy)


async def _crash(scene: Scene, kills: int, cuts: int) -> dict[str, object]:
    drawn = random.Random(SEED)
    recipients = [f"{local}@{TEST_NET}" for local in ("id", "sales")]
    senders = Senders(scene.site.ports["smtp"], recipients, SENDERS, SEED, large_every=40)
    senders.start()
    faults: list[Callable[[Scene], Coroutine[Any, Any, str]]] = [_kill_daemon] * kills
    if scene.server is not None:
        faults = [_kill_daemon] * (kills - kills // 2) + [_kill_server] * (kills // 2) + [_cut] * cuts
    drawn.shuffle(faults)
    try:
        await _some_accepted(senders.ledger)
        for fault in faults:
            await asyncio.sleep(drawn.uniform(*BETWEEN_SECONDS))
            before = senders.ledger.unanswered | senders.ledger.deferred
            name = await fault(scene)
            await _some_accepted(senders.ledger)
            left = (senders.ledger.unanswered | senders.ledger.deferred) - before
            scene.done[name] += 1
            scene.open.setdefault(name, set()).update(left)
    finally:
        await senders.stop()
    await asyncio.to_thread(scene.daemon.stop)
    return await _judge(scene, senders.ledger)


async def _some_accepted(ledger: Ledger) -> None:
    """Waits until mail flows again: a fault that hits an idle server proves nothing."""
    before = len(ledger.accepted)
    async with asyncio.timeout(120):
        while len(ledger.accepted) < before + SENDERS:  # noqa: ASYNC110 - other tasks and processes make it so
            await asyncio.sleep(0.02)


async def _kill_daemon(scene: Scene) -> str:
    await asyncio.to_thread(scene.daemon.kill)
    await asyncio.to_thread(scene.daemon.start)
    return "daemon killed"


async def _kill_server(scene: Scene) -> str:
    assert scene.server is not None
    await asyncio.to_thread(scene.server.kill)
    await asyncio.to_thread(scene.server.start)
    return "database killed"


async def _cut(scene: Scene) -> str:
    assert scene.proxy is not None
    cuts = scene.proxy.cuts
    scene.proxy.arm()
    async with asyncio.timeout(60):
        while scene.proxy.cuts == cuts:  # noqa: ASYNC110 - a thread counts them
            await asyncio.sleep(0.01)
    return "cut in COMMIT"


async def _judge(scene: Scene, ledger: Ledger) -> dict[str, object]:
    there = await stored(scene.database, ("id", "other"))
    first, second = there.attempts
    assert first == second, "a message is in one of its two mailboxes only"
    lost = ledger.accepted - set(first)
    assert not lost, f"{len(lost)} of {len(ledger.accepted)} messages answered 250 are lost, such as {min(lost)}"
    doubled = [name for name, count in first.items() if count > 1]
    assert not doubled, f"{len(doubled)} messages are there twice, such as {doubled[0]}"
    assert not ledger.refused, f"refused for good: {next(iter(ledger.refused.values()))}"
    assert not there.findings, f"store check: {there.findings[:3]}"
    unanswered = ledger.unanswered
    return {
        "attempts": len(ledger.accepted) + len(ledger.deferred) + len(unanswered),
        "accepted": len(ledger.accepted),
        "deferred": len(ledger.deferred),
        "deferred_but_there": len(ledger.deferred & set(first)),
        "unanswered": len(unanswered),
        "unanswered_and_there": len(unanswered & set(first)),
        "unanswered_and_not_there": len(unanswered - set(first)),
        "faults": {
            name: {"times": times} | _resolved(scene.open[name], ledger, first) for name, times in scene.done.items()
        },
    }


def _resolved(left: set[str], ledger: Ledger, there: Counter[str]) -> dict[str, int]:
    """What became of the attempts that one kind of fault left open."""
    return {
        "unanswered_and_there": len(left & ledger.unanswered & set(there)),
        "unanswered_and_not_there": len(left & ledger.unanswered - set(there)),
        "deferred_but_there": len(left & ledger.deferred & set(there)),
        "deferred_and_not_there": len(left & ledger.deferred - set(there)),
    }
