"""Leaving a list by mail: whoever asks is sent a letter, and an answer to that letter takes the member off the list.

An envelope sender is anybody's claim, so nobody is taken off on its word alone (Mailman and Majordomo ask back too).
The answer goes to an address of the list that holds the day and a keyed hash over list and member. Pure, but for the
key, which the store keeps; who was asked lately is the caller's to know.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
from collections.abc import Iterable

from maild.delivery.lists import UNSUBSCRIBE
from maild.delivery.notices import Translate
from maild.mail import dates, header, message_id
from maild.mail.address import Address, AddressError, key_of
from maild.mail.mailboxes import write
from maild.store import MailingList, State

VALID_DAYS = 14
"""Days in which the letter may be answered."""
HASH_LENGTH = 12
"""Characters of the hash: 60 bits."""
MICROSECONDS_PER_DAY = 86_400_000_000
KEY_NAME = "lists.leave"
"""Name in the store of the key that leaving members are known by, the same for all daemons."""


async def leave_key(state: State) -> bytes:
    """The key, made when there is none; read each time: of two daemons that make it, both use the one that stays."""
    kept = await state.get(KEY_NAME)
    if kept is None:
        await state.put(KEY_NAME, os.urandom(32).hex())
        kept = await state.get(KEY_NAME)
    return bytes.fromhex(kept or "")


def answer_address(mailing_list: MailingList, member: str, key: bytes, now: int) -> Address | None:
    """Where this member's answer goes; None for a list whose name leaves no room for it."""
    day = now // MICROSECONDS_PER_DAY
    token = f"{day:x}-{_hash(mailing_list, member, key, day)}"
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
            return _matching(mailing_list.members, mailing_list, shown, key, asked)
    return None


def _matching(members: Iterable[str], mailing_list: MailingList, shown: str, key: bytes, day: int) -> str | None:
    given = shown.lower().encode()
    for member in members:
        if hmac.compare_digest(_hash(mailing_list, member, key, day).encode(), given):
            return member
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


def _hash(mailing_list: MailingList, member: str, key: bytes, day: int) -> str:
    said = f"leave\0{mailing_list.local}@{mailing_list.domain}\0{key_of(member)}\0{day}"
    digest = hmac.digest(key, said.encode(), hashlib.sha256)
    return base64.b32encode(digest)[:HASH_LENGTH].decode().lower()
