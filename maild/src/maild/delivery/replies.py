"""Automatic answers of an account (RFC 3834): whether a message gets one, and the answer.

Never to a null sender, another machine, a list or bulk mail, nor to mail that does not name the account; whether the
sender had one in this period is the caller's to remember.
"""

from __future__ import annotations

from collections.abc import Collection

from maild.mail import dates, header, message_id, words
from maild.mail.address import Address
from maild.mail.mailboxes import addresses, write
from maild.store import Account, AutoReply

_BULK = frozenset({b"bulk", b"list", b"junk"})
_MACHINES = ("mailer-daemon", "noreply", "no-reply", "owner-", "listserv", "majordomo", "mailman")
_LIST_FIELDS = ("List-Id", "List-Unsubscribe", "List-Post")


def is_automatic(message: bytes) -> bool:
    """Whether a machine wrote this or a list carried it: nothing automatic may answer it (RFC 3834 section 2)."""
    submitted = (header.value(message, "Auto-Submitted") or b"no").split(b";")[0].strip().lower()
    if submitted != b"no" or (header.value(message, "Precedence") or b"").strip().lower() in _BULK:
        return True
    return any(header.value(message, name) is not None for name in _LIST_FIELDS)


def answers(reply: AutoReply, sender: Address, own: Collection[str], message: bytes, now: int) -> bool:
    """Whether this message gets the answer; ``own`` are the account's addresses as keys."""
    if reply.starts_at is not None and now < reply.starts_at:
        return False
    if reply.ends_at is not None and now >= reply.ends_at:
        return False
    if sender.local.casefold().startswith(_MACHINES) or sender.local.casefold().endswith("-request"):
        return False
    if is_automatic(message):
        return False
    named = addresses(
        [value for name in ("To", "Cc", "Resent-To", "Resent-Cc") for value in header.values(message, name)]
    )
    return any(address is not None and address.key in own for address in named)


def write_reply(account: Account, reply: AutoReply, to: Address, message: bytes, now: int, random: bytes) -> bytes:
    """The answer (RFC 3834 section 3)."""
    own = Address(account.local, account.domain)
    subject = reply.subject or f"Auto: {words.decode(header.value(message, 'Subject') or b'')[:100]}"
    reference = (header.value(message, "Message-ID") or b"").decode("ascii", "replace")
    text = "\r\n".join(reply.text.splitlines()) + "\r\n"
    wide = not own.local.isascii() or not to.local.isascii()
    fields = [
        header.field("From", write(account.display_name, own, raw=wide), raw=True),
        header.field("To", f"<{to}>", raw=True),
        header.field("Subject", subject),
        header.field("Date", dates.write(dates.moment(now))),
        header.field("Message-ID", message_id.make(dates.moment(now), random, account.domain)),
        header.field("Auto-Submitted", "auto-replied"),
        b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n",
    ]
    if reference:
        fields.append(header.field("In-Reply-To", reference) + header.field("References", reference))
    return b"".join(fields) + b"\r\n" + text.encode("utf-8", "replace")
