"""Distribution lists: who may write to one, and the copy its members get.

The body and its signatures stay as they are; fields are only put before it: List-Id, List-Post, List-Unsubscribe, with
one click where there is a page for it (RFC 2369, 2919, 8058), and Precedence. Bounces go to the list's own address,
not to the writer.
"""

from __future__ import annotations

from collections.abc import Collection

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


def has_been_through(mailing_list: MailingList, message: bytes) -> bool:
    """Whether the message is a copy of this list that came back: members get no copy of it."""
    return str(Address(mailing_list.local, mailing_list.domain)).encode() in header.values(message, LOOP_FIELD)


def bounces_to(mailing_list: MailingList) -> Address:
    """The envelope sender of the copies."""
    return Address(mailing_list.local + BOUNCES, mailing_list.domain)


def fields_for_members(mailing_list: MailingList, link: str = "") -> bytes:
    """What is put before a message for its members. ``link`` takes one of them off the list with one click."""
    local, domain = mailing_list.local, mailing_list.domain
    address = Address(local, domain)
    title = f"{words.encode(mailing_list.title)} " if mailing_list.title else ""
    post = "NO" if mailing_list.mode is ListMode.ANNOUNCEMENTS else f"<mailto:{address}>"
    ways = [f"<{link}>", f"<mailto:{Address(local + UNSUBSCRIBE, domain)}>"][0 if link else 1 :]
    fields = [
        header.field(LOOP_FIELD, str(address), raw=True),
        header.field("List-Id", f"{title}<{_list_id(local, domain)}>", raw=True),
        header.field("List-Post", post, raw=True),
        header.field("List-Unsubscribe", ", ".join(ways), raw=True),
        header.field("Precedence", "list"),
    ]
    if link:
        fields.append(header.field("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"))
    return b"".join(fields)


def _list_id(local: str, domain: str) -> str:
    """The identifier (RFC 2919 section 2): ASCII, so a local part outside it goes in as an A-label."""
    try:
        label = names.to_ascii(local)
    except names.DomainError:
        label = local.encode("idna", "replace").decode("ascii", "replace") if local.isascii() else local.encode().hex()
    return f"{label}.{domain}"
