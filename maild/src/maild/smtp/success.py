"""Success reports for what ends here: in a mailbox, at a list, at an alias of several (RFC 3461 sections 5.2.3, 5.2.7).

The queue reports on all others.

The report is a message of its own, made after the commit: the sender asked to be told of what has happened.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from maild.delivery import notices
from maild.delivery.dispatch import own_message
from maild.delivery.next_hop import Reply
from maild.delivery.notices import Told, Writer
from maild.delivery.routing import End, Reached
from maild.mail import dates, dsn
from maild.mail.dsn import MAX_RETURNED
from maild.smtp.context import Context
from maild.smtp.message import Message
from maild.smtp.transaction import Transaction
from maild.store import QueueItem, RecipientRow, RecipientState

HOUR_US = 3_600_000_000
REPLIES = {
    End.MAILBOX: Reply(250, "2.1.5", "delivered to the mailbox"),
    End.LIST: Reply(250, "2.1.5", "delivered to the mailing list"),
    End.EXPANDED: Reply(250, "2.1.5", "sent on to the addresses behind it"),
}


async def report(
    context: Context, transaction: Transaction, reached: Sequence[Reached], identifier: bytes, message: Message
) -> None:
    """Tells the sender of each end that was to be told of."""
    told = list(_told(reached))
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


def _told(reached: Sequence[Reached]) -> Iterator[Told]:
    for number, each in enumerate(reached, 1):
        row = RecipientRow(
            id=number,
            address=str(each.recipient.address),
            original=each.recipient.original or "",
            notify="SUCCESS",
            state=RecipientState.DELIVERED,
        )
        action: dsn.Action = "expanded" if each.end is End.EXPANDED else "delivered"
        yield Told(row=row, action=action, reply=REPLIES[each.end])
