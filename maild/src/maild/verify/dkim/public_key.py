"""Public keys as selectors publish them (RFC 6376 section 3.6.1, RFC 8463 section 3): fetched, read, used.

RSA below 1024 bits is never used (RFC 8301 section 3.2); above 8192 it would only cost time.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import padding, utils
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_public_key

from maild.dns import DNSError, NoData, NoName, Resolver
from maild.verify import tags
from maild.verify.dkim.signature import Reason, Result, Signature, SignatureError

MIN_BITS = 1024
"""RSA keys below do not count (RFC 8301 section 3.2)."""
MAX_BITS = 8192
"""RSA keys above are not tried; 4096 is the largest a verifier must take."""
MAX_RECORD = 8192
"""Octets of a key record we read; 4096 bits need about 800."""
ED25519_OCTETS = 32
"""Octets of an Ed25519 public key (RFC 8032)."""


@dataclass(frozen=True, slots=True)
class PublicKey:
    """A usable key and the wishes published with it."""

    key: RSAPublicKey | Ed25519PublicKey
    testing: bool = False
    strict_identity: bool = False

    @property
    def bits(self) -> int:
        """Size as people compare it."""
        return self.key.key_size if isinstance(self.key, RSAPublicKey) else 8 * ED25519_OCTETS

    def verifies(self, signature: bytes, digest: bytes) -> bool:
        """Whether the signature over this SHA-256 digest is this key's."""
        try:
            if isinstance(self.key, RSAPublicKey):
                self.key.verify(signature, digest, padding.PKCS1v15(), utils.Prehashed(SHA256()))
            else:
                self.key.verify(signature, digest)  # RFC 8463 section 3: Ed25519 signs the digest
        except InvalidSignature:
            return False
        return True


async def fetch(resolver: Resolver, signature: Signature) -> PublicKey:
    """The key of a signature; ``SignatureError`` when there is none that could verify it."""
    try:
        answer = await resolver.query(signature.key_name, "TXT")
    except (NoName, NoData) as error:
        raise SignatureError(Result.PERMERROR, Reason.NO_KEY, f"no key at {signature.key_name}") from error
    except DNSError as error:
        raise SignatureError(Result.TEMPERROR, Reason.DNS, str(error)) from error
    texts = [text for text in answer.records if isinstance(text, bytes)]
    fault = SignatureError(Result.PERMERROR, Reason.NO_KEY, f"no key at {signature.key_name}")
    for text in texts[:4]:  # several records are undefined (section 3.6.2.2): the first usable one counts
        try:
            return read(text, signature.algorithm)
        except SignatureError as error:
            fault = error
    raise fault


@lru_cache(maxsize=1024)
def read(record: bytes, algorithm: str) -> PublicKey:
    """The key of a record, if it is one for this algorithm and for mail."""
    if len(record) > MAX_RECORD:
        raise _unusable(f"the key record is longer than {MAX_RECORD} octets")
    try:
        found = tags.parse(record.decode("utf-8"))
    except (tags.TagError, UnicodeDecodeError) as error:
        raise _unusable(f"the key record is broken: {error}") from error
    if found.get("v", "DKIM1") != "DKIM1" or ("v" in found and next(iter(found)) != "v"):
        raise _unusable("the key record does not begin with v=DKIM1")
    kind = tags.squeezed(found.get("k", "rsa")).lower()
    if kind != algorithm.partition("-")[0]:
        raise SignatureError(Result.PERMERROR, Reason.KEY_MISMATCH, f"the key is of type {kind}")
    if "sha256" not in _listed(found.get("h", "sha256")):
        raise SignatureError(Result.PERMERROR, Reason.KEY_MISMATCH, "the key is not for SHA-256")
    if not _listed(found.get("s", "*")) & {"*", "email"}:
        raise SignatureError(Result.PERMERROR, Reason.KEY_MISMATCH, "the key is not for mail")
    if "p" not in found:
        raise _unusable("the key record has no p=")
    if not tags.squeezed(found["p"]):
        raise SignatureError(Result.PERMERROR, Reason.REVOKED, "the key has been revoked")
    flags = _listed(found.get("t", ""))
    return PublicKey(_key(found["p"], kind), "y" in flags, "s" in flags)


def _key(text: str, kind: str) -> RSAPublicKey | Ed25519PublicKey:
    try:
        data = tags.decoded(text)
        key = Ed25519PublicKey.from_public_bytes(data) if kind == "ed25519" else load_der_public_key(data)
    except (tags.TagError, ValueError, UnsupportedAlgorithm) as error:
        raise _unusable("p= holds no key of its type") from error
    if isinstance(key, RSAPublicKey):
        if not MIN_BITS <= key.key_size <= MAX_BITS:
            raise SignatureError(Result.POLICY, Reason.WEAK_KEY, f"an RSA key of {key.key_size} bits does not count")
        return key
    if isinstance(key, Ed25519PublicKey) and kind == "ed25519":
        return key
    raise _unusable("p= holds no key of its type")


def _listed(text: str) -> set[str]:
    return {word.strip().lower() for word in text.split(":")}


def _unusable(detail: str) -> SignatureError:
    return SignatureError(Result.PERMERROR, Reason.KEY_SYNTAX, detail)
