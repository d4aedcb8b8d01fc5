r"""Who may do what: the accounts of an installation and the access lists made of them.

Everything is closed to ordinary users; each service account gets what it needs and nothing else.
"""

from __future__ import annotations

from pyinfra_winrm.kinds.acl import Acl, Allow

ADMINISTRATION = (Allow("SYSTEM", "full"), Allow("Administrators", "full"))
CLOSED = Acl(ADMINISTRATION)
IIS_READERS = ("S-1-5-32-568", "S-1-5-17")  # IIS_IUSRS, which runs a site, and IUSR, which stands for its visitors


def service_account(service: str) -> str:
    r"""The virtual account of a service: needs no password and is nobody else's."""
    return rf"NT SERVICE\{service}"


def opened(*allowed: Allow) -> Acl:
    """Administrators and SYSTEM, and beside them the ones named."""
    return Acl((*ADMINISTRATION, *allowed))


def readable_by(service: str) -> Acl:
    """Only administrators change it, the service reads it."""
    return opened(Allow(service_account(service), "read"))


def changeable_by(service: str) -> Acl:
    """The service keeps its own files here."""
    return opened(Allow(service_account(service), "modify"))
