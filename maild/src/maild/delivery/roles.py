"""Role addresses: mail to them must reach somebody, whatever else holds (RFC 5321 section 4.5.1, RFC 2142).

Says which addresses these are and who reads their mail where nobody was named; following it there is the router's.
"""

from __future__ import annotations

from maild.mail.address import Address
from maild.store import Account, Directory

ROLES = frozenset({"postmaster", "abuse", "hostmaster"})


def is_role(address: Address) -> bool:
    """Whether this is one, at a domain of ours."""
    return address.local.casefold() in ROLES


def ignores_quota(recipient: Address, sender: Address | None) -> bool:
    """Whether a full mailbox takes it: an administrator must hear of trouble, and a refused bounce is lost for good."""
    return sender is None or is_role(recipient)


async def keeper(directory: Directory, domain: str) -> Account | None:
    """Whoever looks after a domain: its administrator, the server's, else its first account."""
    own = [each for each in await directory.accounts(domain) if each.active]
    chosen = next((each for each in own if each.admin), None)
    if chosen is None:
        everyone = await directory.accounts()
        chosen = next((each for each in everyone if each.admin == "server" and each.active), None)
    return chosen or next(iter(own), None)


async def server_postmaster(directory: Directory, default_domain: str) -> Address | None:
    """The postmaster of the default domain, or of the first other one where somebody can read it."""
    peopled = {each.domain for each in await directory.accounts() if each.active}
    names = [each.name for each in await directory.domains() if each.active and each.name in peopled]
    names.sort(key=lambda name: name != default_domain)
    return Address("postmaster", names[0]) if names else None
