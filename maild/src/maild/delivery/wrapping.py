"""Secrets as the database keeps them: AES-GCM under the host's wrap key, bound to what they are for.

A row copied to another place, or read without the key file, opens nowhere. DKIM keys have a form of their own, in
``verify``.
"""

from __future__ import annotations

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_VERSION = b"\x01"
_NONCE_BYTES = 12


class WrappingError(ValueError):
    """The secret does not open with this key."""


def wrap(secret: bytes, key: bytes, purpose: str) -> bytes:
    """The secret for the database; ``purpose`` must be the same when it is opened."""
    nonce = os.urandom(_NONCE_BYTES)
    return _VERSION + nonce + AESGCM(key).encrypt(nonce, secret, purpose.encode())


def unwrap(wrapped: bytes, key: bytes, purpose: str) -> bytes:
    """The secret; raises ``WrappingError``."""
    if wrapped[:1] != _VERSION:
        raise WrappingError(f"the secret for {purpose} is wrapped in an unknown way")
    nonce, sealed = wrapped[1 : 1 + _NONCE_BYTES], wrapped[1 + _NONCE_BYTES :]
    try:
        return AESGCM(key).decrypt(nonce, sealed, purpose.encode())
    except (InvalidTag, ValueError) as error:
        raise WrappingError(
            f"the secret for {purpose} does not open with this wrap key; bring back the key file"
        ) from error
