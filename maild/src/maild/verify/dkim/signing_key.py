"""Private keys: made, read from a key in use, wrapped for the database, and the TXT record that publishes each.

A wrapped key is AES-256-GCM under a key file of the host and bound to its domain and selector, so a copied database
alone signs nothing and a row cannot be passed off as another domain's.
"""

from __future__ import annotations

import base64
import os
import secrets
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import padding, rsa, utils
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_pem_private_key,
)

from maild.dns.names import to_query

RSA_BITS = 2048
"""Bits of keys we make: what every verifier takes and one TXT record holds (RFC 8301 section 3.2)."""
ADVISED_BITS = 2048
"""A key taken over with fewer is warned of."""
LEAST_BITS = 1024
"""A key taken over with fewer is refused: receivers do not count it."""
WRAP_OCTETS = 32
"""Octets of the wrap key (AES-256)."""
_NONCE = 12
_VERSION = b"\x01"


class Algorithm(StrEnum):
    """The signing algorithms that count today."""

    RSA = "rsa-sha256"
    ED25519 = "ed25519-sha256"


class DKIMKeyError(ValueError):
    """A key cannot be read, used or unwrapped; the message is for the administrator and holds no key."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key with where its public half is published; names in A-labels."""

    domain: str
    selector: str
    private: RSAPrivateKey | Ed25519PrivateKey

    @property
    def algorithm(self) -> Algorithm:
        """What it signs with."""
        return Algorithm.RSA if isinstance(self.private, RSAPrivateKey) else Algorithm.ED25519

    @property
    def bits(self) -> int:
        """Size as people compare it."""
        return self.private.key_size if isinstance(self.private, RSAPrivateKey) else 256

    @property
    def is_weak(self) -> bool:
        """Shorter than advised."""
        return isinstance(self.private, RSAPrivateKey) and self.private.key_size < ADVISED_BITS

    @property
    def record(self) -> str:
        """The TXT value to publish (RFC 6376 section 3.6.1, RFC 8463 section 4.2)."""
        public = self.private.public_key()
        if isinstance(self.private, RSAPrivateKey):
            der = public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
            return f"v=DKIM1; k=rsa; p={base64.b64encode(der).decode('ascii')}"
        raw = public.public_bytes(Encoding.Raw, PublicFormat.Raw)
        return f"v=DKIM1; k=ed25519; p={base64.b64encode(raw).decode('ascii')}"

    def sign(self, digest: bytes) -> bytes:
        """The signature over a SHA-256 digest."""
        if isinstance(self.private, RSAPrivateKey):
            return self.private.sign(digest, padding.PKCS1v15(), utils.Prehashed(SHA256()))
        return self.private.sign(digest)  # RFC 8463 section 3: Ed25519 signs the digest

    def pem(self) -> bytes:
        """PKCS #8, unencrypted; for backups that encrypt it themselves."""
        return self.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def generate(domain: str, selector: str, algorithm: Algorithm) -> SigningKey:
    """A new key."""
    if algorithm is Algorithm.RSA:
        return _placed(domain, selector, rsa.generate_private_key(65537, RSA_BITS))
    return _placed(domain, selector, Ed25519PrivateKey.generate())


def from_pem(domain: str, selector: str, pem: bytes) -> SigningKey:
    """A key in use, such as the tutorial's dkim_private.pem; PKCS #1 and PKCS #8 both."""
    try:
        private = load_pem_private_key(pem, password=None)
    except TypeError as error:
        raise DKIMKeyError("the key is encrypted with a password; write it out without one") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        raise DKIMKeyError("the file holds no private key in PEM form") from error
    if isinstance(private, RSAPrivateKey):
        if private.key_size < LEAST_BITS:
            raise DKIMKeyError(f"an RSA key of {private.key_size} bits is not counted by receivers; make a new one")
        return _placed(domain, selector, private)
    if isinstance(private, Ed25519PrivateKey):
        return _placed(domain, selector, private)
    raise DKIMKeyError("only RSA and Ed25519 keys sign mail")


def _placed(domain: str, selector: str, private: RSAPrivateKey | Ed25519PrivateKey) -> SigningKey:
    wires = to_query(domain), to_query(selector)
    if wires[0] is None or wires[1] is None:
        raise DKIMKeyError(f"{selector}._domainkey.{domain} is no DNS name")
    return SigningKey(wires[0], wires[1], private)


def wrap(key: SigningKey, wrap_key: bytes) -> bytes:
    """The key as the database keeps it."""
    nonce = secrets.token_bytes(_NONCE)
    plain = key.private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return _VERSION + nonce + _cipher(wrap_key).encrypt(nonce, plain, _bound(key.domain, key.selector))


def unwrap(domain: str, selector: str, wrapped: bytes, wrap_key: bytes) -> SigningKey:
    """The key of a row; fails when row, domain, selector and key file do not belong together."""
    if wrapped[:1] != _VERSION:
        raise DKIMKeyError(f"the key of {selector}._domainkey.{domain} is wrapped in an unknown way")
    nonce, sealed = wrapped[1 : 1 + _NONCE], wrapped[1 + _NONCE :]
    try:
        plain = _cipher(wrap_key).decrypt(nonce, sealed, _bound(domain, selector))
        private = load_der_private_key(plain, password=None)
    except (InvalidTag, ValueError) as error:
        raise DKIMKeyError(
            f"the key of {selector}._domainkey.{domain} does not open with this wrap key; bring back the key file"
        ) from error
    if not isinstance(private, RSAPrivateKey | Ed25519PrivateKey):
        raise DKIMKeyError(f"the key of {selector}._domainkey.{domain} is of an unknown type")
    return _placed(domain, selector, private)


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
        raise DKIMKeyError(f"the wrap key {path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise DKIMKeyError(f"the wrap key {path} is not base64") from error
    if len(key) != WRAP_OCTETS:
        raise DKIMKeyError(f"the wrap key {path} has {len(key)} octets instead of {WRAP_OCTETS}")
    return key


def _cipher(wrap_key: bytes) -> AESGCM:
    if len(wrap_key) != WRAP_OCTETS:
        raise DKIMKeyError(f"the wrap key has {len(wrap_key)} octets instead of {WRAP_OCTETS}")
    return AESGCM(wrap_key)


def _bound(domain: str, selector: str) -> bytes:
    return f"{to_query(selector)}._domainkey.{to_query(domain)}".encode()
