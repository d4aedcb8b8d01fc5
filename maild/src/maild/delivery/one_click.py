"""Leaving a list with one click (RFC 8058): the link in a member's own copy, and what happens when it is followed.

The link names the list and holds a keyed hash over list and member, so it takes that member off that list and does
nothing else; it is good as long as the member is one. Showing pages is the web's.
"""

from __future__ import annotations

import urllib.parse
from dataclasses import dataclass, replace

from maild.delivery.membership import leave_key, proof, proven
from maild.store import Directory, MailingList, State

HASH_LENGTH = 26
"""Characters of the hash: 130 bits."""
_LISTS, _LEAVE, _ASKED = "lists", "leave", "one-click"


@dataclass(frozen=True, slots=True)
class Membership:
    """Whose link it is."""

    mailing_list: MailingList
    member: str


def link(base: str, mailing_list: MailingList, member: str, key: bytes) -> str:
    """The member's link. ``base`` is the web server's ``https://host[:port]``."""
    local = urllib.parse.quote(mailing_list.local, safe="")
    shown = proof(mailing_list, member, key, HASH_LENGTH, _ASKED)
    return f"{base}/{_LISTS}/{mailing_list.domain}/{local}/{_LEAVE}/{shown}"


async def membership(path: str, directory: Directory, state: State) -> Membership | None:
    """What a link's path stands for; None for one that was never given out, or whose member is none any more."""
    parts = path.split("/")
    if len(parts) != 6 or (parts[0], parts[1], parts[4]) != ("", _LISTS, _LEAVE):
        return None
    mailing_list = (await directory.resolve(urllib.parse.unquote(parts[3]), parts[2])).mailing_list
    if mailing_list is None:
        return None
    member = proven(mailing_list, parts[5], await leave_key(state), HASH_LENGTH, _ASKED)
    return None if member is None else Membership(mailing_list, member)


async def leave(found: Membership, directory: Directory) -> None:
    """Takes the member off the list."""
    kept = tuple(member for member in found.mailing_list.members if member != found.member)
    await directory.save_list(replace(found.mailing_list, members=kept))
