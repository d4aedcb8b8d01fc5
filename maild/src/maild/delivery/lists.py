"""Distribution lists: who may write to one, and the copy its members get.

The body and its signatures stay as they are; fields are only put before it: List-Id, List-Post, List-Unsubscribe (RFC
2369, 2919) and Precedence. Bounces go to the list's own address, not to the writer.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from maild.mail import domain as names
from maild.mail import header, words
from maild.mail.address import Address, key_of
from maild.store import ListMode, MailingList

LOOP_FIELD = "X-Mailhost-List"
"""Names each list a copy went through: one that meets itself again is not sent out a second time."""
BOUNCES = "-bounces"
"""Suffix of the local part that takes a list's bounces."""
UNSUBSCRIBE = "-unsubscribe"
"""Suffix of the local part that takes a request to leave, and with a detail behind it the answer to our question."""


@dataclass(frozen=True, slots=True)
class Copy:
    """What is sent to the members: fields to put before the message, the envelope sender and the recipients."""

    prefix: bytes
    sender: str
    recipients: tuple[str, ...]


def may_post(mailing_list: MailingList, senders: Collection[Address], *, authenticated: bool) -> bool:
    """Whether a sender may write to the list (hMailServer's four modes); ``senders`` are the spellings of its address.

    A bounce has no sender and never may.
    """
    if not senders or (mailing_list.require_auth and not authenticated):
        return False
    if mailing_list.mode is ListMode.PUBLIC:
        return True
    if mailing_list.mode is ListMode.DOMAIN:
        return any(sender.domain == mailing_list.domain for sender in senders)
    entitled = mailing_list.announcers if mailing_list.mode is ListMode.ANNOUNCEMENTS else mailing_list.members
    return not {sender.key for sender in senders}.isdisjoint(map(key_of, entitled))


def copy_for_members(mailing_list: MailingList, message: bytes) -> Copy | None:
    """The copy, None for a message that has been through this list."""
    local, domain = mailing_list.local, mailing_list.domain
    address = Address(local, domain)
    if str(address).encode() in header.values(message, LOOP_FIELD):
        return None
    title = f"{words.encode(mailing_list.title)} " if mailing_list.title else ""
    post = "NO" if mailing_list.mode is ListMode.ANNOUNCEMENTS else f"<mailto:{address}>"
    fields = [
        header.field(LOOP_FIELD, str(address), raw=True),
        header.field("List-Id", f"{title}<{_list_id(local, domain)}>", raw=True),
        header.field("List-Post", post, raw=True),
        header.field("List-Unsubscribe", f"<mailto:{Address(local + UNSUBSCRIBE, domain)}>", raw=True),
        header.field("Precedence", "list"),
    ]
    prefix = b"".join(fields)
    members = tuple(dict.fromkeys(mailing_list.members))
    return Copy(prefix, str(Address(local + BOUNCES, domain)), members)


def _list_id(local: str, domain: str) -> str:
    """The identifier (RFC 2919 section 2): ASCII, so a local part outside it goes in as an A-label."""
    try:
        label = names.to_ascii(local)
    except names.DomainError:
        label = local.encode("idna", "replace").decode("ascii", "replace") if local.isascii() else local.encode().hex()
    return f"{label}.{domain}"
