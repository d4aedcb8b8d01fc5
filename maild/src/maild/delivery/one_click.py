"""Leaving a list with one click (RFC 8058): the link in a member's own copy, and what happens when it is followed.

The link names the list and holds a keyed hash over list and member, so it takes that member off that list and does
nothing else; it is good as long as the member is one. Showing pages is the web's.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import urllib.parse
from dataclasses import dataclass, replace

from maild.delivery.leaving import leave_key
from maild.mail.address import key_of
from maild.store import Directory, MailingList, State

HASH_LENGTH = 26
"""Characters of the hash: 130 bits."""
_LISTS, _LEAVE = "lists", "leave"


@dataclass(frozen=True, slots=True)
class Membership:
    """Whose link it is."""

    mailing_list: MailingList
    member: str


def link(base: str, mailing_list: MailingList, member: str, key: bytes) -> str:
    """The member's link. ``base`` is the web server's ``https://host[:port]``."""
    local = urllib.parse.quote(mailing_list.local, safe="")
    return f"{base}/{_LISTS}/{mailing_list.domain}/{local}/{_LEAVE}/{_hash(mailing_list, member, key)}"


async def membership(path: str, directory: Directory, state: State) -> Membership | None:
    """What a link's path stands for; None for one that was never given out, or whose member is none any more."""
    parts = path.split("/")
    if len(parts) != 6 or (parts[0], parts[1], parts[4]) != ("", _LISTS, _LEAVE):
        return None
    local, shown = urllib.parse.unquote(parts[3]), parts[5].lower().encode("utf-8", "replace")
    mailing_list = (await directory.resolve(local, parts[2])).mailing_list
    if mailing_list is None:
        return None
    key = await leave_key(state)
    for member in mailing_list.members:
        if hmac.compare_digest(_hash(mailing_list, member, key).encode(), shown):
            return Membership(mailing_list, member)
    return None


async def leave(found: Membership, directory: Directory) -> None:
    """Takes the member off the list."""
    kept = tuple(member for member in found.mailing_list.members if member != found.member)
    await directory.save_list(replace(found.mailing_list, members=kept))


def _hash(mailing_list: MailingList, member: str, key: bytes) -> str:
    said = f"one-click\0{mailing_list.local}@{mailing_list.domain}\0{key_of(member)}"
    digest = hmac.digest(key, said.encode(), hashlib.sha256)
    return base64.b32encode(digest)[:HASH_LENGTH].decode().lower()
