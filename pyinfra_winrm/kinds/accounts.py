r"""Accounts by security identifier, so that no localised name is ever sent or compared.

Well-known accounts have fixed identifiers and the one of ``NT SERVICE\name`` follows from the name alone, so both are
known before the host is asked and before the service exists. Any other account is given by its identifier.
"""

from __future__ import annotations

import hashlib
import re
import struct

from pyinfra_winrm.kinds.errors import InvalidResourceError

SYSTEM = "S-1-5-18"
ADMINISTRATORS = "S-1-5-32-544"

WELL_KNOWN = {
    "SYSTEM": SYSTEM,
    "Administrators": ADMINISTRATORS,
    "Users": "S-1-5-32-545",
    "Everyone": "S-1-1-0",
    "Authenticated Users": "S-1-5-11",
    "CREATOR OWNER": "S-1-3-0",
    "OWNER RIGHTS": "S-1-3-4",
    "LOCAL SERVICE": "S-1-5-19",
    "NETWORK SERVICE": "S-1-5-20",
    "TrustedInstaller": "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464",
}
# the two-letter names that security descriptors use for them (MS-DTYP 2.5.1.1)
SDDL_ALIASES = {
    "SY": SYSTEM,
    "BA": ADMINISTRATORS,
    "BU": "S-1-5-32-545",
    "WD": "S-1-1-0",
    "AU": "S-1-5-11",
    "CO": "S-1-3-0",
    "OW": "S-1-3-4",
    "LS": "S-1-5-19",
    "NS": "S-1-5-20",
    "IU": "S-1-5-4",
    "NU": "S-1-5-2",
    "SU": "S-1-5-6",
    "CG": "S-1-3-1",
    "PU": "S-1-5-32-547",
    "BG": "S-1-5-32-546",
    "AC": "S-1-15-2-1",
}
_NAMES = {sid: name for name, sid in WELL_KNOWN.items()}
_BY_NAME = {name.casefold(): sid for name, sid in WELL_KNOWN.items()}
_SERVICE = re.compile(r"(?i)^NT SERVICE\\(?P<name>[^\\/]+)$")


def service_sid(service: str) -> str:
    r"""The identifier of ``NT SERVICE\service``: SHA-1 of its upper-case UTF-16 name as five numbers."""
    digest = hashlib.sha1(service.upper().encode("utf-16-le"), usedforsecurity=False).digest()
    return "S-1-5-80-" + "-".join(str(number) for number in struct.unpack("<5I", digest))


def sid_of(account: str) -> str:
    r"""The identifier of a well-known account, of ``NT SERVICE\name``, or of an identifier itself."""
    if re.fullmatch(r"S-1(-\d+)+", account):
        return account
    if service := _SERVICE.match(account):
        return service_sid(service["name"])
    found = _BY_NAME.get(account.rpartition("\\")[2].casefold())
    if found is None:
        raise InvalidResourceError(
            f"account {account!r} is not well-known: give its SID (S-1-...), NT SERVICE\\name, or one of "
            f"{', '.join(WELL_KNOWN)}"
        )
    return found


def name_of(sid: str) -> str:
    """The name people know an identifier by; the identifier itself when there is none."""
    return _NAMES.get(sid, sid)
