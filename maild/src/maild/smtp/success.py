"""Success reports for copies that a mailbox here has taken (RFC 3461 section 5.2.3); the queue reports on all others.

The report is a message of its own, made after the commit: the sender asked to be told of what has happened.
"""

from __future__ import annotations

from collections.abc import Iterator

from maild.delivery import notices
from maild.delivery.dispatch import own_message
from maild.delivery.next_hop import Reply
from maild.delivery.notices import Told, Writer
from maild.delivery.routing import Found
from maild.mail import dates
from maild.mail.dsn import MAX_RETURNED
from maild.smtp.context import Context
from maild.smtp.message import Message
from maild.smtp.transaction import Transaction
from maild.store import QueueItem, RecipientRow, RecipientState

HOUR_US = 3_600_000_000
DELIVERED = Reply(250, "2.1.5", "delivered to the mailbox")
MAILBOXES = frozenset({Found.ACCOUNT, Found.ROLE})
"""What ends in a mailbox here; what leads on is reported where it ends."""


async def report(context: Context, transaction: Transaction, identifier: bytes, message: Message) -> None:
    """Tells the sender of each local recipient that asked for it."""
    told = list(_told(transaction))
    if not told or transaction.sender is None:
        return
    now = dates.micros(context.now())
    expires_at = now + context.lifetime_hours * HOUR_US
    item = QueueItem(
        id=0,
        blob_id=identifier,
        destination="",
        sender=str(transaction.sender),
        size=message.size,
        envelope_id=transaction.mail.envelope_id or "",
        dsn_return=transaction.mail.returns or "",
        smtputf8=transaction.mail.smtputf8,
        eight_bit=transaction.mail.body == "8BITMIME",
        require_tls=False,
        origin="",
        created_at=now,
        expires_at=expires_at,
        next_at=now,
        attempts=1,
        held=False,
        delay_notified=False,
        leased_by="",
        lease_until=0,
        recipients=tuple(each.row for each in told),
    )
    writer = Writer(
        hostname=context.hostname,
        translate=context.translator(context.language),
        language=context.language,
        now=now,
        random=identifier[8:],
    )
    body = notices.notice(item, told, message.beginning(MAX_RETURNED + 1), now, writer)
    if body is None:
        return
    notice = await own_message(context.router, body, [item.sender], sender=None, origin="bounce", expires_at=expires_at)
    if notice is not None:
        await context.store.accept(notice)


def _told(transaction: Transaction) -> Iterator[Told]:
    for number, (recipient, target) in enumerate(transaction.recipients, 1):
        if "SUCCESS" in recipient.notify and target.found in MAILBOXES:
            row = RecipientRow(
                id=number,
                address=str(recipient.address),
                original=recipient.original or "",
                notify="SUCCESS",
                state=RecipientState.DELIVERED,
            )
            yield Told(row=row, action="delivered", reply=DELIVERED)
