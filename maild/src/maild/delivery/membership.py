"""What shows that a request comes from a member of a list: a keyed hash over the list, the member and what is asked.

Only who was sent the hash can know it, and it is good for nothing but what it was made for. How it travels, in an
address or in a link, is for ``leaving`` and ``one_click`` to say.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import os

from maild.mail.address import key_of
from maild.store import MailingList, State

KEY_NAME = "lists.leave"
"""Name in the store of the key that leaving members are known by, the same for all daemons."""


async def leave_key(state: State) -> bytes:
    """The key, made when there is none; read each time: of two daemons that make it, both use the one that stays."""
    kept = await state.get(KEY_NAME)
    if kept is None:
        await state.put(KEY_NAME, os.urandom(32).hex())
        kept = await state.get(KEY_NAME)
    return bytes.fromhex(kept or "")


def proof(mailing_list: MailingList, member: str, key: bytes, length: int, *asked: str) -> str:
    """The hash of so many characters, of five bits each, for what is asked; it outlives a change of case."""
    said = "\0".join((asked[0], f"{mailing_list.local}@{mailing_list.domain}", key_of(member), *asked[1:]))
    digest = hmac.digest(key, said.encode(), hashlib.sha256)
    return base64.b32encode(digest)[:length].decode().lower()


def proven(mailing_list: MailingList, shown: str, key: bytes, length: int, *asked: str) -> str | None:
    """The member whose ``proof`` is shown; None when it is nobody's who is on the list."""
    given = shown.lower().encode("utf-8", "replace")
    for member in mailing_list.members:
        if hmac.compare_digest(proof(mailing_list, member, key, length, *asked).encode(), given):
            return member
    return None
