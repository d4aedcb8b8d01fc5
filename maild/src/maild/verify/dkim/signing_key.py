"""Private keys: made, read from a key in use, wrapped for the database, and the TXT record that publishes each.

A wrapped key is bound to its domain and selector, so a row cannot be passed off as another domain's; the wrapping
itself is that of all secrets.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from enum import StrEnum

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import padding, rsa, utils
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_private_key,
    load_pem_private_key,
)

from maild import wrapping
from maild.dns.names import to_query
from maild.wrapping import WrappingError

RSA_BITS = 2048
"""Bits of keys we make: what every verifier takes and one TXT record holds (RFC 8301 section 3.2)."""
ADVISED_BITS = 2048
"""A key taken over with fewer is warned of."""
LEAST_BITS = 1024
"""A key taken over with fewer is refused: receivers do not count it."""


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
    plain = key.private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    return wrapping.wrap(plain, wrap_key, _purpose(key.domain, key.selector))


def unwrap(domain: str, selector: str, wrapped: bytes, wrap_key: bytes) -> SigningKey:
    """The key of a row; fails when row, domain, selector and key file do not belong together."""
    purpose = _purpose(domain, selector)
    try:
        private = load_der_private_key(wrapping.unwrap(wrapped, wrap_key, purpose), password=None)
    except WrappingError as error:
        raise DKIMKeyError(str(error)) from error
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise DKIMKeyError(f"the secret for {purpose} is no private key") from error
    if not isinstance(private, RSAPrivateKey | Ed25519PrivateKey):
        raise DKIMKeyError(f"the key of {purpose} is of an unknown type")
    return _placed(domain, selector, private)


def _purpose(domain: str, selector: str) -> str:
    return f"{to_query(selector)}._domainkey.{to_query(domain)}"
