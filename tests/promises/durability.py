"""Files rebuilt to the last sync before a 250 hold every message answered by then, on all three engines."""

from __future__ import annotations

import asyncio
import random
import shutil
import tempfile
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

from maild.settings import Database
from tests.lib.attempts import stored
from tests.lib.daemon import TEST_NET, Running, Site
from tests.lib.databases import DatabaseServer
from tests.lib.durable import MARK, Disk, Marks, environment, recorder, records
from tests.lib.mariadb import new_mariadb
from tests.lib.mysql import new_mysql
from tests.lib.senders import Senders

ABOUT = "what a power cut would leave, rebuilt from recorded writes and syncs, holds every message answered 250"

SEED = 20261125
SENDERS = 8
MESSAGES = {"small": 80, "full": 2000}
POINTS = {
    "small": {"sqlite": 10, "mariadb": 2, "mysql": 1},
    "full": {"sqlite": 200, "mariadb": 40, "mysql": 40},
}
"""Moments looked at; each is a start of the engine with its own recovery."""
RECORDED = ("--loose-innodb-log-file-mmap=OFF",)
"""A log that is mapped into memory would be written unseen."""


def run(size: str) -> dict[str, object]:
    """The promise on the three engines, one after the other."""
    found = {engine: prove(engine, MESSAGES[size], points) for engine, points in POINTS[size].items()}
    return {"cases": sum(POINTS[size].values()), "seed": SEED, "engines": found}


def prove(engine: str, messages: int, points: int) -> dict[str, int]:
    """Records a run of one engine and looks at some moments of it."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="maild-durable-")))
        folder.chmod(0o755)
        trace = folder / "trace"
        trace.touch()
        trace.chmod(0o666)
        if engine == "sqlite":
            root, server = _record_sqlite(folder, trace, messages), None
        else:
            server = new_mariadb() if engine == "mariadb" else new_mysql()
            stack.callback(server.discard)
            root = _record_server(folder, trace, server, messages)
        return _look(folder, trace, root, server, points)


def _record_sqlite(folder: Path, trace: Path, messages: int) -> Path:
    root = folder / "database"
    root.mkdir()
    site = Site(folder, database=f'[database]\nfile = "{root / "mail.db"}"\n')
    site.write()
    site.seed()
    shutil.copytree(root, folder / "copy")
    with Running(site, environment=environment(recorder(folder), root, trace)) as daemon:
        asyncio.run(_send(site, trace, messages))
        daemon.kill()
    return root


def _record_server(folder: Path, trace: Path, server: DatabaseServer, messages: int) -> Path:
    server.create("maild")
    (folder / "password").write_text("")
    site = Site(
        folder,
        database=f'[database]\nengine = "mysql"\nport = {server.port}\nuser = "root"\nschema = "maild"\n'
        f'password_file = "{folder / "password"}"\n',
    )
    site.write()
    site.seed()
    server.stop()
    shutil.copytree(server.data, folder / "copy")
    recording = replace(server, environment=environment(recorder(folder), server.data, trace))
    recording.start(*RECORDED)
    try:
        with Running(site) as daemon:
            asyncio.run(_send(site, trace, messages))
            daemon.kill()
    finally:
        recording.kill()
    return server.data


async def _send(site: Site, trace: Path, messages: int) -> None:
    """Sends until so many are accepted; each 250 is marked among the records as soon as it is read."""
    with closing(Marks(trace)) as marks:
        senders = Senders(site.ports["smtp"], [f"id@{TEST_NET}"], SENDERS, SEED, large_every=60, on_accepted=marks.put)
        senders.start()
        try:
            async with asyncio.timeout(300):
                while len(senders.ledger.accepted) < messages:  # noqa: ASYNC110 - its own tasks make it so
                    await asyncio.sleep(0.01)
        finally:
            await senders.stop()
        assert not senders.ledger.refused, senders.ledger.refused


def _look(folder: Path, trace: Path, root: Path, server: DatabaseServer | None, points: int) -> dict[str, int]:
    total = sum(record.kind == MARK for record in records(trace))
    chosen = set(random.Random(SEED).sample(range(1, total), points - 1)) | {total}
    disk = Disk(root, folder / "copy")
    answered: set[str] = set()
    unanswered_there = 0
    for record in records(trace):
        if record.kind != MARK:
            disk.apply(record)
            continue
        answered.add(record.path)
        if len(answered) in chosen:
            there = _after_power_cut(folder, disk, server)
            missing = answered - there
            assert not missing, (
                f"after answer {len(answered)} of {total}: {len(missing)} answered messages are not on the disk"
            )
            unanswered_there += len(there - answered)
    return {
        "answered": total,
        "moments": len(chosen),
        "syncs": disk.syncs,
        "there_before_their_answer": unanswered_there,
    }


def _after_power_cut(folder: Path, disk: Disk, server: DatabaseServer | None) -> set[str]:
    """Starts the engine on what is on the disk; returns the attempts it holds."""
    moment = folder / "moment"
    moment.mkdir()
    try:
        disk.snapshot(moment / "data")
        if server is None:
            return _names(Database(file=moment / "data" / "mail.db"))
        revived = server.on(moment)
        revived.start()
        try:
            return _names(revived.settings("maild"))
        finally:
            revived.kill()
    finally:
        shutil.rmtree(moment)


def _names(database: Database) -> set[str]:
    found = asyncio.run(stored(database, ("id",)))
    assert not found.findings, found.findings[:3]
    assert all(count == 1 for count in found.attempts[0].values())
    return set(found.attempts[0])
