"""Leaving a list by mail: whoever asks is sent a letter, and an answer to that letter takes the member off the list.

An envelope sender is anybody's claim, so nobody is taken off on its word alone (Mailman and Majordomo ask back too).
The answer goes to an address of the list that holds the day and a keyed hash over list and member. Pure: who was asked
lately is the caller's to know.
"""

from __future__ import annotations

from maild.delivery.lists import UNSUBSCRIBE
from maild.delivery.membership import proof, proven
from maild.delivery.notices import Translate
from maild.mail import dates, header, message_id
from maild.mail.address import Address, AddressError
from maild.mail.mailboxes import write
from maild.store import MailingList

VALID_DAYS = 14
"""Days in which the letter may be answered."""
HASH_LENGTH = 12
"""Characters of the hash: 60 bits."""
MICROSECONDS_PER_DAY = 86_400_000_000


def answer_address(mailing_list: MailingList, member: str, key: bytes, now: int) -> Address | None:
    """Where this member's answer goes; None for a list whose name leaves no room for it."""
    day = now // MICROSECONDS_PER_DAY
    token = f"{day:x}-{proof(mailing_list, member, key, HASH_LENGTH, 'leave', str(day))}"
    try:
        return Address.of(f"{mailing_list.local}{UNSUBSCRIBE}+{token}", mailing_list.domain)
    except AddressError:
        return None


def is_answer(address: Address) -> bool:
    """Whether mail to this address of a list answers a letter, or at least claims to."""
    return address.split_detail()[1] is not None


def leaving_member(mailing_list: MailingList, address: Address, key: bytes, now: int) -> str | None:
    """The member whose answer goes to this address; None for one that is forged, too old or no member any more."""
    day, _, shown = (address.split_detail()[1] or "").rpartition("-")
    today = now // MICROSECONDS_PER_DAY
    for asked in range(today - VALID_DAYS, today + 1):
        if f"{asked:x}" == day.lower():
            return proven(mailing_list, shown, key, HASH_LENGTH, "leave", str(asked))
    return None


def letter(
    mailing_list: MailingList, member: Address, answer_to: Address, say: Translate, now: int, random: bytes
) -> bytes:
    """The question whether the member wants to leave."""
    name = Address(mailing_list.local, mailing_list.domain).unicode
    text = say(
        "Someone, probably you, asked to take {member} off the mailing list {list}.\n"
        "To leave the list, reply to this message; what you write does not matter. To stay, do nothing.\n"
        "A reply counts for {days} days."
    ).format(member=member.unicode, list=name, days=VALID_DAYS)
    wide = answer_to.needs_smtputf8 or member.needs_smtputf8
    fields = [
        header.field("From", write(mailing_list.title, answer_to, raw=wide), raw=True),
        header.field("To", f"<{member}>", raw=True),
        header.field("Subject", say("Do you want to leave {list}?").format(list=name)),
        header.field("Date", dates.write(dates.moment(now))),
        header.field("Message-ID", message_id.make(dates.moment(now), random, mailing_list.domain), raw=True),
        header.field("Auto-Submitted", "auto-replied"),
        # Exchange answers automatic mail unless this asks it not to; such an answer must not count.
        header.field("X-Auto-Response-Suppress", "All"),
        b"MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n",
    ]
    return b"".join(fields) + b"\r\n" + "\r\n".join(text.split("\n")).encode() + b"\r\n"
