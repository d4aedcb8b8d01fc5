"""NAME-chain.pem and NAME-key.pem: what a pair holds, and how one is put into place without a half-written moment.

A renewal keeps the key that is there when it is one we would make, so that changing the chain changes the pair, and a
TLSA record for the key stays true. Chains are checked against their key before anything is written.
"""

from __future__ import annotations

import contextlib
import datetime as dt
import os
import time
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from maild.certs.errors import CertsError

SELF_SIGNED_DAYS = 397
"""Life of a self-signed certificate; browsers refuse longer ones."""

REPLACE_ATTEMPTS, REPLACE_PAUSE_SECONDS = 20, 0.1
"""Windows refuses to replace a file that someone is reading at this moment, the daemon for one."""

Key = ec.EllipticCurvePrivateKey


@dataclass(frozen=True, slots=True)
class Pair:
    """The two files of one name."""

    folder: Path
    name: str

    @property
    def chain(self) -> Path:
        """The certificate and those above it."""
        return self.folder / f"{self.name}-chain.pem"

    @property
    def key(self) -> Path:
        """The private key."""
        return self.folder / f"{self.name}-key.pem"


@dataclass(frozen=True, slots=True)
class Found:
    """What a pair's certificate says."""

    names: tuple[str, ...]
    serial: int
    not_before: dt.datetime
    not_after: dt.datetime
    issuer: str
    self_signed: bool


def read(pair: Pair) -> Found | None:
    """The certificate in place; None when there is none. Raises ``CertsError`` for a file that holds no certificate."""
    try:
        data = pair.chain.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise CertsError(f"{pair.chain}: {error.strerror or error}") from error
    try:
        leaf = x509.load_pem_x509_certificates(data)[0]
    except ValueError as error:
        raise CertsError(f"{pair.chain} holds no certificate: {error}") from error
    return describe(leaf)


def describe(leaf: x509.Certificate) -> Found:
    """What a certificate says."""
    try:
        alternative = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        names = tuple(sorted(name.lower() for name in alternative.get_values_for_type(x509.DNSName)))
    except x509.ExtensionNotFound:
        names = ()
    common = leaf.issuer.get_attributes_for_oid(NameOID.COMMON_NAME)
    return Found(
        names=names,
        serial=leaf.serial_number,
        not_before=leaf.not_valid_before_utc,
        not_after=leaf.not_valid_after_utc,
        issuer=str(common[0].value) if common else leaf.issuer.rfc4514_string(),
        self_signed=leaf.issuer == leaf.subject,
    )


def key_of(pair: Pair) -> Key | None:
    """The key in place when it is one to keep: ECDSA P-256, readable, not encrypted."""
    try:
        key = serialization.load_pem_private_key(pair.key.read_bytes(), None)
    except (OSError, ValueError, TypeError):
        return None
    return key if isinstance(key, ec.EllipticCurvePrivateKey) and isinstance(key.curve, ec.SECP256R1) else None


def write(pair: Pair, key: Key, chain: bytes) -> None:
    """Puts a chain and its key into place; raises ``CertsError`` when they are no pair or cannot be written."""
    try:
        leaf = x509.load_pem_x509_certificates(chain)[0]
    except ValueError as error:
        raise CertsError(f"the chain for {pair.name} holds no certificate: {error}") from error
    if leaf.public_key() != key.public_key():
        raise CertsError(f"the certificate for {pair.name} is not for our key")
    try:
        pair.folder.mkdir(parents=True, exist_ok=True)
        kept = key_of(pair)
        if kept is None or kept.private_numbers() != key.private_numbers():
            # Without its chain a key is not a pair: whoever looks meanwhile finds nothing rather than halves.
            with contextlib.suppress(FileNotFoundError):
                pair.chain.unlink()
            replace(pair.key, pem_of(key), 0o600)
        replace(pair.chain, chain, 0o644)
    except OSError as error:
        raise CertsError(f"{pair.folder}: {error.strerror or error}") from error


def replace(path: Path, data: bytes, mode: int) -> None:
    """Writes a file whole or not at all, and durably."""
    temporary = path.with_name(f".{path.name}.new")
    with contextlib.suppress(FileNotFoundError):
        temporary.unlink()
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), mode)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    for attempt in range(REPLACE_ATTEMPTS):
        try:
            temporary.replace(path)
        except PermissionError:
            if attempt == REPLACE_ATTEMPTS - 1:
                raise
            time.sleep(REPLACE_PAUSE_SECONDS)
        else:
            return


def new_key() -> Key:
    """A new ECDSA P-256 key."""
    return ec.generate_private_key(ec.SECP256R1())


def pem_of(key: Key) -> bytes:
    """A key as PKCS 8, not encrypted: the daemon reads it without anyone there."""
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def request(key: Key, names: tuple[str, ...]) -> bytes:
    """A certificate signing request for these names, the first one its subject."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])] if len(names[0]) <= 64 else [])
    return (
        x509.CertificateSigningRequestBuilder()
        .subject_name(subject)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
        .sign(key, hashes.SHA256())
        .public_bytes(serialization.Encoding.PEM)
    )


def self_signed(key: Key, names: tuple[str, ...], now: dt.datetime) -> bytes:
    """A certificate that only says what it is for: TLS works with it, trust does not."""
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(hours=1))
        .not_valid_after(now + dt.timedelta(days=SELF_SIGNED_DAYS))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    return certificate.public_bytes(serialization.Encoding.PEM)
