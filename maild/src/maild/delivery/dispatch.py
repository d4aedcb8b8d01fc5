"""A message that this server writes itself, on its way: to a mailbox here or into the queue, as any other.

Used for bounces, notices, automatic answers and list copies; they enter through the same routing as mail from outside.
"""

from __future__ import annotations

from collections.abc import Iterable

from maild.delivery.router import Router
from maild.delivery.routing import Arrival
from maild.mail import return_path
from maild.mail.address import Address, lenient
from maild.mail.envelope import Notify, Recipient
from maild.store import Incoming, new_id


async def own_message(
    router: Router,
    body: bytes,
    recipients: Iterable[str],
    *,
    sender: Address | None,
    origin: str,
    expires_at: int,
    prefix: bytes = b"",
) -> Incoming | None:
    """The message with all its places; None when nobody would get it."""
    targets = []
    for text in recipients:
        address = lenient(text)
        if address is None:
            continue
        never: frozenset[Notify] = frozenset({"NEVER"}) if sender is None else frozenset()
        targets.append((Recipient(address, never), await router.classify(address)))
    arrival = Arrival(
        sender=sender,
        origin=origin,
        expires_at=expires_at,
        smtputf8=not body[:1_000_000].partition(b"\r\n\r\n")[0].isascii(),
        eight_bit=not body.isascii(),
        automatic=True,
    )
    plan = await router.plan(targets, arrival)
    if not plan.deliveries and not plan.queue:
        return None
    if plan.deliveries:
        prefix = return_path.field(sender) + prefix
    return Incoming(
        id=new_id(), prefix=prefix, body=body, deliveries=plan.deliveries, queue=plan.queue, check_quota=False
    )
