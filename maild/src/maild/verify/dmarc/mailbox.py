"""Takes reports out of the report mailboxes: every new message once, by UID, the mailbox itself unchanged.

Our own reports that came back are noticed here too: their targets get none for a while.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass

from maild.dns.records import REPORTS
from maild.store import Store
from maild.verify.dmarc.bounced import KEPT_AWAY, bounced_targets
from maild.verify.dmarc.intake import MAX_MESSAGE, reports_of
from maild.verify.dmarc.packed import ReportError

PREFIX = "reports-seen:"
BATCH = 200
"""Rows asked for at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Collected:
    """How many reports came in, and what could not be read."""

    reports: int
    broken: tuple[str, ...]


async def collect(store: Store, secret: bytes | None = None) -> Collected:
    """Takes in what has come to ``dmarc-reports@`` of every domain since the last time.

    With the secret that marks our own reports, the targets of those that bounced go on the suppression list.
    """
    count = 0
    broken: list[str] = []
    for domain in await store.directory.domains():
        resolved = await store.directory.resolve(REPORTS, domain.name)
        if resolved.account is None or not resolved.account.inbox_id:
            continue
        taken, faults = await _from_mailbox(store, resolved.account.inbox_id, secret)
        count += taken
        broken += [f"{REPORTS}@{domain.name}: {fault}" for fault in faults]
    return Collected(reports=count, broken=tuple(broken))


async def _from_mailbox(store: Store, mailbox_id: int, secret: bytes | None) -> tuple[int, list[str]]:
    name = f"{PREFIX}{mailbox_id}"
    seen, count = int(await store.state.get(name) or 0), 0
    faults: list[str] = []
    while rows := await store.messages.range(mailbox_id, seen + 1, 0xFFFFFFFF, BATCH):
        for row in rows:
            try:
                if row.size > MAX_MESSAGE:
                    raise ReportError("the message is too large")  # noqa: TRY301 - told like any other fault
                message = b"".join([piece async for piece in store.messages.chunks(row.blob_id)])
                for report in reports_of(message):
                    await store.state.add_report(report)
                    count += 1
                await _leave_alone(store, bounced_targets(message, secret) if secret else [])
            except ReportError as error:
                faults.append(f"UID {row.uid}: {error}")
            seen = row.uid
        await store.state.put(name, str(seen))
    return count, faults


async def _leave_alone(store: Store, targets: Sequence[str]) -> None:
    until = (int(time.time()) + KEPT_AWAY) * 1_000_000
    for target in targets:
        await store.queue.suppress(target, "a DMARC report to it came back", until)
