"""Secrets as the database keeps them: AES-256-GCM under a key file of the host, bound to what they are for.

DKIM keys, SRS keys and passwords of routes all come through here. A row copied to another place, or read without the
key file, opens nowhere; daemons that share a database share that file.
"""

from __future__ import annotations

import base64
import os
import secrets
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

WRAP_OCTETS = 32
"""Octets of the wrap key (AES-256)."""
_VERSION = b"\x01"
_NONCE_OCTETS = 12


class WrappingError(ValueError):
    """A secret does not open, or the key file is no key; the message is for the administrator and holds no secret."""


def wrap(secret: bytes, key: bytes, purpose: str) -> bytes:
    """The secret for the database; ``purpose`` must be the same when it is opened."""
    nonce = secrets.token_bytes(_NONCE_OCTETS)
    return _VERSION + nonce + _cipher(key).encrypt(nonce, secret, purpose.encode())


def unwrap(wrapped: bytes, key: bytes, purpose: str) -> bytes:
    """The secret; raises ``WrappingError`` when row, purpose and key do not belong together."""
    if wrapped[:1] != _VERSION:
        raise WrappingError(f"the secret for {purpose} is wrapped in an unknown way")
    nonce, sealed = wrapped[1 : 1 + _NONCE_OCTETS], wrapped[1 + _NONCE_OCTETS :]
    try:
        return _cipher(key).decrypt(nonce, sealed, purpose.encode())
    except (InvalidTag, ValueError) as error:
        raise WrappingError(
            f"the secret for {purpose} does not open with this wrap key; bring back the key file"
        ) from error


def read_wrap_key(path: Path, *, create: bool = False) -> bytes:
    """The wrap key of this host; ``create`` makes it, readable by its owner alone, when there is none."""
    if create and not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(base64.b64encode(secrets.token_bytes(WRAP_OCTETS)) + b"\n")
    try:
        key = base64.b64decode(path.read_bytes().strip(), validate=True)
    except OSError as error:
        raise WrappingError(f"the wrap key {path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise WrappingError(f"the wrap key {path} is not base64") from error
    if len(key) != WRAP_OCTETS:
        raise WrappingError(f"the wrap key {path} has {len(key)} octets instead of {WRAP_OCTETS}")
    return key


def _cipher(key: bytes) -> AESGCM:
    if len(key) != WRAP_OCTETS:
        raise WrappingError(f"the wrap key has {len(key)} octets instead of {WRAP_OCTETS}")
    return AESGCM(key)
