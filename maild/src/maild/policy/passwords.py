"""Passwords and their hashes: Argon2id for what we make, the formats of older servers for what was taken over.

Pure and slow (some 18 ms): callers run ``verify`` and ``hash_password`` in a thread. A password is compared as NFC,
so that it does not matter how a keyboard composes a syllable.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from maild.policy import scram
from maild.policy.saslprep import SASLprepError

ITERATIONS, MEMORY_KIB, LANES = 2, 19 * 1024, 1
"""Argon2id's cost: OWASP's second choice, 18 ms and 19 MiB a check here (t=3, 64 MiB: 146 ms)."""
MAX_PASSWORD = 1024
"""Bytes of a password; a longer one is refused unread."""

_hasher = PasswordHasher(time_cost=ITERATIONS, memory_cost=MEMORY_KIB, parallelism=LANES)
DUMMY_HASH = "$argon2id$v=19$m=19456,t=2,p=1$fUG+fyqxOQvrHnIJ29j4OA$p8BZ0adNChFpSLfUhKhFd2yvLjmVRptiSfUcYQuCtGo"
"""What an unknown user's password is checked against, so that its answer takes as long."""


def hash_password(password: str) -> str:
    """The hash to store."""
    return _hasher.hash(normal(password))


@dataclass(frozen=True, slots=True)
class Kept:
    """What the store keeps of a password: its hash, and a SCRAM verifier or nothing."""

    hash: str
    verifier: str = ""


def kept(password: str, *, scram: bool) -> Kept:
    """What to store of a new password; ``scram``: the settings offer it."""
    return Kept(hash_password(password), verifier_of(password) if scram else "")


def verifier_of(password: str) -> str:
    """The SCRAM verifier to store beside the hash; empty for a password that SCRAM cannot be used with."""
    try:
        return str(scram.verifier(password))
    except SASLprepError:
        return ""


def normal(password: str) -> str:
    """The form of a password that is hashed."""
    return unicodedata.normalize("NFC", password)


def usable(password: str) -> bool:
    """Whether it can be somebody's password: neither empty nor longer than ``MAX_PASSWORD``."""
    return 0 < len(password.encode("utf-8", "surrogatepass")) <= MAX_PASSWORD


def verify(stored: str, password: str) -> bool:
    """Whether the password is the hash's; False for a hash of no known form, and for what is not ``usable``."""
    if not usable(password):
        return False
    if stored.startswith("$argon2"):
        try:
            return _hasher.verify(stored, normal(password))
        except (VerificationError, InvalidHashError):
            return False
    scheme, _, rest = stored.removeprefix("{").partition("}")
    known = _OLDER.get(scheme.upper()) if stored.startswith("{") else None
    return known is not None and known(rest, normal(password).encode("utf-8", "surrogatepass"))


def needs_upgrade(stored: str) -> bool:
    """Whether a hash is weaker than what ``hash_password`` makes."""
    if not stored.startswith("$argon2"):
        return True
    try:
        return _hasher.check_needs_rehash(stored)
    except InvalidHashError:
        return True


def _hmailserver_sha256(rest: str, password: bytes) -> bool:
    """hMailServer's type 3: six characters of salt before one round of SHA-256 over salt and password."""
    salt, digest = rest[:6], rest[6:]
    return hmac.compare_digest(hashlib.sha256(salt.encode() + password).hexdigest(), digest.lower())


def _hmailserver_md5(rest: str, password: bytes) -> bool:
    """hMailServer's type 2: bare MD5."""
    return hmac.compare_digest(hashlib.md5(password, usedforsecurity=False).hexdigest(), rest.lower())


def _salted(name: str, size: int, rest: str, password: bytes) -> bool:
    """Dovecot's and OpenLDAP's form: base64 of digest and salt."""
    try:
        raw = base64.b64decode(rest, validate=True)
    except (binascii.Error, ValueError):
        return False
    return len(raw) > size and hmac.compare_digest(hashlib.new(name, password + raw[size:]).digest(), raw[:size])


_OLDER: dict[str, Callable[[str, bytes], bool]] = {
    "HMAIL-SHA256": _hmailserver_sha256,
    "HMAIL-MD5": _hmailserver_md5,
    "SSHA256": lambda rest, password: _salted("sha256", 32, rest, password),
    "SSHA512": lambda rest, password: _salted("sha512", 64, rest, password),
}
