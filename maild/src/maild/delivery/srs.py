"""SRS: a forwarded copy leaves with a sender of ours that leads bounces back to the real one.

``SRS0=HASH=TT=domain=local@ours`` as the SRS paper has it; HASH is an HMAC-SHA256 cut to 12 characters over everything
behind it, TT the day. The newest key signs, all verify. A wrong, strange or old one is refused, so nobody can relay
through it.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Sequence
from typing import Protocol

from maild.mail.address import Address, AddressError

HASH_LENGTH = 12
"""Characters of the hash: 60 bits."""
VALID_DAYS = 21
"""Days a bounce may take; queues of others give up after 5 to 14."""
MICROSECONDS_PER_DAY = 86_400_000_000
_BASE32 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_PERIOD = len(_BASE32) ** 2
"""Days after which the two letters of the day repeat."""


class SRSError(ValueError):
    """The address is no rewritten one of ours, or no longer a valid one."""


class Rewriting(Protocol):
    """SRS with this server's keys."""

    def rewrite(self, sender: Address, domain: str) -> Address:
        """The sender of a forwarded copy."""
        ...

    def restore(self, address: Address) -> Address:
        """The real sender; raises ``SRSError``."""
        ...


def is_rewritten(address: Address) -> bool:
    """Whether the address claims to be a rewritten one."""
    return address.local[:5].upper() in ("SRS0=", "SRS0+", "SRS0-")


def rewrite(sender: Address, domain: str, key: bytes, now: int) -> Address:
    """The sender for a forwarded copy; an address that would become too long keeps only our domain's postmaster."""
    day = _day(now // MICROSECONDS_PER_DAY)
    rest = f"{day}={sender.domain}={sender.local}"
    try:
        return Address.of(f"SRS0={_hash(key, rest)}={rest}", domain)
    except AddressError:
        return Address("postmaster", domain)


def restore(address: Address, keys: Sequence[bytes], now: int) -> Address:
    """The real sender behind one of ours; raises ``SRSError``."""
    parts = address.local[5:].split("=", 3)
    if not is_rewritten(address) or len(parts) != 4:
        raise SRSError("this is no rewritten address of this server")
    shown, day, domain, local = parts
    rest = f"{day}={domain}={local}"
    # Letters may have changed their case on the way (some servers fold local parts): the hash forgives that.
    if not any(hmac.compare_digest(_hash(key, rest).encode(), shown.upper().encode()) for key in keys):
        raise SRSError("this rewritten address was not made here")
    age = (now // MICROSECONDS_PER_DAY - _read_day(day)) % _PERIOD
    if age > VALID_DAYS:
        raise SRSError("this rewritten address has expired")
    try:
        return Address.of(local, domain)
    except AddressError as error:
        raise SRSError("this rewritten address holds no address") from error


def _hash(key: bytes, rest: str) -> str:
    digest = hmac.new(key, rest.casefold().encode(), hashlib.sha256).digest()
    return base64.b32encode(digest)[:HASH_LENGTH].decode()


def _day(days: int) -> str:
    inside = days % _PERIOD
    return _BASE32[inside // 32] + _BASE32[inside % 32]


def _read_day(text: str) -> int:
    letters = text.upper()
    if len(letters) != 2 or any(letter not in _BASE32 for letter in letters):
        raise SRSError("this rewritten address has no day")
    return _BASE32.index(letters[0]) * 32 + _BASE32.index(letters[1])
