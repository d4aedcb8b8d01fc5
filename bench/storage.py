"""What the store takes without SMTP before it: the bound that a database sets on the acceptance of mail.

A process of its own, put on the server's core: ``python -m bench.storage SETTINGS SENDERS BYTES SECONDS`` commits the
load's messages to the mailbox of the bench through ``Store.accept`` and prints how many there were a second.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path

import uvloop

from bench.load import BODIES, message
from maild.settings import load
from maild.store import Delivery, Incoming, Store, new_id, open_store


async def storage(settings: Path, senders: int, size: int, seconds: float) -> float:
    """Messages a second."""
    store = await open_store(load(settings).database, migrate=False)
    try:
        box = await store.directory.account_named("box", "bench.example")
        assert box is not None
        bodies = [message(number, size) for number in range(BODIES)]
        started = time.monotonic()
        counts = await asyncio.gather(*(_send(store, box.inbox_id, bodies, started + seconds) for _ in range(senders)))
        return sum(counts) / (time.monotonic() - started)
    finally:
        await store.close()


async def _send(store: Store, mailbox: int, bodies: list[bytes], until: float) -> int:
    done = 0
    while time.monotonic() < until:
        body = bodies[done % BODIES]
        await store.accept(Incoming(id=new_id(), body=body, deliveries=(Delivery(mailbox_id=mailbox),)))
        done += 1
    return done


if __name__ == "__main__":
    file, senders, size, seconds = sys.argv[1:]
    rate = uvloop.run(storage(Path(file), int(senders), int(size), float(seconds)))
    print(json.dumps({"rate": rate}))
