"""Which attempts of ``tests.lib.senders`` a database holds, and whether it contradicts itself."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from maild.settings import Database
from maild.store import Finding, Store, open_store
from tests.lib.daemon import TEST_NET

ATTEMPT = re.compile(rb"^X-Attempt: (\S+)\r\n", re.MULTILINE)
HEAD_BYTES = 2000
PAGE = 500


@dataclass(frozen=True)
class Stored:
    """How often each attempt is in each account's INBOX, and what ``store check`` says."""

    attempts: list[Counter[str]]
    findings: list[Finding]


async def stored(database: Database, locals_: Sequence[str]) -> Stored:
    """Reads the INBOX of these accounts of the test domain."""
    store = await open_store(database)
    try:
        await store.wait(60)
        found = [await _inbox(store, local) for local in locals_]
        return Stored(found, await store.maintenance.check(bodies=True))
    finally:
        await store.close()


async def _inbox(store: Store, local: str) -> Counter[str]:
    account = await store.directory.account_named(local, TEST_NET)
    assert account is not None
    there: Counter[str] = Counter()
    view = await store.messages.view(account.inbox_id)
    for start in range(0, len(view.uids), PAGE):
        for row in await store.messages.get(account.inbox_id, view.uids[start : start + PAGE]):
            match = ATTEMPT.search(await store.messages.read(row.blob_id, 0, HEAD_BYTES))
            assert match is not None, row
            there[match[1].decode()] += 1
    return there
