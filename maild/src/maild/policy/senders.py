"""Which addresses a user may send as: its own, in the envelope and in every header field that names an author.

Own are the account's address, aliases that lead to it alone, each in the alias domains, and what its settings add.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from maild.mail import header, mailboxes
from maild.mail.address import Address, AddressError
from maild.store import Account, Directory

AUTHOR_FIELDS = ("From", "Sender", "Resent-From", "Resent-Sender")
"""Fields that say who writes (RFC 5322 sections 3.6.2 and 3.6.6)."""


@dataclass(frozen=True, slots=True)
class Own:
    """The addresses of one user, compared by their key."""

    keys: frozenset[str]
    domains: frozenset[str] | None = None
    """Set: any address of these domains is allowed too."""

    def holds(self, address: Address) -> bool:
        """Whether the user may send as this address; a ``+detail`` behind an own one is own too."""
        if self.domains is not None and address.domain in self.domains:
            return True
        return address.key in self.keys or address.split_detail()[0].key in self.keys


async def own_addresses(directory: Directory, account: Account) -> Own:
    """Everything the account may send as."""
    keys = set[str]()
    for text in await directory.addresses_of(account.id):
        try:
            keys.add(Address.parse(text).key)
        except AddressError:
            continue
    domains = None
    if account.any_sender:
        names = {each.name for each in await directory.domains()}
        domains = frozenset(names | {each.name for each in await directory.alias_domains()})
    return Own(frozenset(keys), domains)


def foreign_author(message: bytes, own: Own) -> str | None:
    """What is wrong with the authors a message names, or None when all of them are the user's."""
    named = list(header.fields(message))
    for name in AUTHOR_FIELDS:
        values = [field.value for field in named if field.key == name.encode().lower()]
        if name == "From" and len(values) != 1:
            return "there must be one From field"
        if problem := _foreign(name, values, own):
            return problem
    return None


def _foreign(name: str, values: Iterable[bytes], own: Own) -> str | None:
    for value in values:
        found = list(mailboxes.flat(mailboxes.parse(value)))
        if not found:
            return f"the {name} field names no address"
        for mailbox in found:
            address = mailbox.address
            if address is None or not own.holds(address):
                return f"the {name} field names an address that is not yours"
    return None
