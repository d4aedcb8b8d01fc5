"""Tells whoever looks after a domain that one of its users sends more than usual: a stolen password shows this way.

One message a day and user, whichever daemon sees it; it goes through the same routing as any other mail.
"""

from __future__ import annotations

import os
from collections.abc import Callable

from maild.delivery.dispatch import own_message
from maild.mail import dates, header, message_id
from maild.mail.address import Address
from maild.policy import Bound
from maild.smtp.context import Context
from maild.store import Account

DAY_US = 86_400_000_000


async def of_rate(context: Context, account: Account, bound: Bound) -> None:
    """Names the user in the log and writes to postmaster of the account's domain, once a day."""
    now = dates.micros(context.now())
    if not await context.store.state.once("rate", account.address, now + DAY_US, now):
        return
    user = account.address
    context.log.fault(f"{user} has reached {bound}: is the password known to someone else?", user=user)
    say = context.translator(context.language)
    postmaster = Address.of("postmaster", account.domain)
    title = say("{user} sends unusually much mail").format(user=user)
    text = say(
        "{user} has reached the limit of {bound}. Further mail of this user is put off until there is room again.\n"
        "If the user did not do this, someone else knows the password: change it."
    ).format(user=user, bound=_written(bound, say))
    random = os.urandom(8)
    fields = [
        header.field("From", f"<{postmaster}>", raw=True),
        header.field("To", f"<{postmaster}>", raw=True),
        header.field("Subject", title),
        header.field("Date", dates.write(context.now())),
        header.field("Message-ID", message_id.make(context.now(), random, context.hostname), raw=True),
        header.field("Auto-Submitted", "auto-generated"),
        b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n",
    ]
    body = b"".join(fields) + b"\r\n" + "\r\n".join(text.split("\n")).encode() + b"\r\n"
    expires_at = now + context.lifetime_hours * 3_600_000_000
    message = await own_message(
        context.router, body, [str(postmaster)], sender=None, origin="notice", expires_at=expires_at
    )
    if message is not None:
        await context.store.accept(message)


def _written(bound: Bound, say: Callable[[str], str]) -> str:
    """The bound in the reader's language."""
    text = say("{most} messages an hour") if bound.of == "messages an hour" else say("{most} recipients a day")
    return text.format(most=bound.most)
