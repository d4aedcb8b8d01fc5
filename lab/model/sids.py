"""Security identifiers: the well-known ones, their SDDL aliases, and the SID a service has by its name.

Names are matched without case, with or without their authority, as LookupAccountName does.
"""

from __future__ import annotations

import hashlib
import struct

SYSTEM = "S-1-5-18"
LOCAL_SERVICE = "S-1-5-19"
NETWORK_SERVICE = "S-1-5-20"
ADMINISTRATORS = "S-1-5-32-544"
USERS = "S-1-5-32-545"
EVERYONE = "S-1-1-0"
AUTHENTICATED_USERS = "S-1-5-11"
SERVICE = "S-1-5-6"
NETWORK = "S-1-5-2"
CREATOR_OWNER = "S-1-3-0"
OWNER_RIGHTS = "S-1-3-4"
ALL_SERVICES = "S-1-5-80-0"

ALIASES = {
    "SY": SYSTEM,
    "LS": LOCAL_SERVICE,
    "NS": NETWORK_SERVICE,
    "BA": ADMINISTRATORS,
    "BU": USERS,
    "WD": EVERYONE,
    "AU": AUTHENTICATED_USERS,
    "SU": SERVICE,
    "NU": NETWORK,
    "CO": CREATOR_OWNER,
    "OW": OWNER_RIGHTS,
    "BG": "S-1-5-32-546",
    "IU": "S-1-5-4",
    "AC": "S-1-15-2-1",
}
ALIAS_OF = {sid: alias for alias, sid in ALIASES.items()}

WELL_KNOWN = {
    SYSTEM: "NT AUTHORITY\\SYSTEM",
    LOCAL_SERVICE: "NT AUTHORITY\\LOCAL SERVICE",
    NETWORK_SERVICE: "NT AUTHORITY\\NETWORK SERVICE",
    ADMINISTRATORS: "BUILTIN\\Administrators",
    USERS: "BUILTIN\\Users",
    "S-1-5-32-546": "BUILTIN\\Guests",
    "S-1-5-32-580": "BUILTIN\\Remote Management Users",
    EVERYONE: "Everyone",
    AUTHENTICATED_USERS: "NT AUTHORITY\\Authenticated Users",
    SERVICE: "NT AUTHORITY\\SERVICE",
    NETWORK: "NT AUTHORITY\\NETWORK",
    "S-1-5-4": "NT AUTHORITY\\INTERACTIVE",
    CREATOR_OWNER: "CREATOR OWNER",
    OWNER_RIGHTS: "OWNER RIGHTS",
    ALL_SERVICES: "NT SERVICE\\ALL SERVICES",
    "S-1-15-2-1": "APPLICATION PACKAGE AUTHORITY\\ALL APPLICATION PACKAGES",
}


def service_sid(service: str) -> str:
    """The SID of ``NT SERVICE\\<service>``: SHA-1 of the upper-case UTF-16LE name as five numbers.

    It exists by computation alone, before the service does.
    """
    digest = hashlib.sha1(service.upper().encode("utf-16-le"), usedforsecurity=False).digest()
    return "S-1-5-80-" + "-".join(str(number) for number in struct.unpack("<5I", digest))


TRUSTED_INSTALLER = service_sid("TrustedInstaller")


def well_known(name: str) -> str | None:
    """The SID of a well-known account, by full name or by its last part."""
    wanted = name.casefold()
    if wanted in ("localsystem", ".\\localsystem"):
        return SYSTEM
    for sid, full in WELL_KNOWN.items():
        if wanted in (full.casefold(), full.rpartition("\\")[2].casefold()):
            return sid
    for alone, sid in (("localservice", LOCAL_SERVICE), ("networkservice", NETWORK_SERVICE)):
        if wanted in (alone, f"nt authority\\{alone}"):
            return sid
    return None
