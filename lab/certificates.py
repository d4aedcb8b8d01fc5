"""The lab's own authority and the certificate of its WinRM listener, made when the lab is first started.

Kept in the lab's folder, so that a pinned fingerprint stays good for as long as the lab does.
"""

from __future__ import annotations

import datetime as dt
import ipaddress
import os
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

LIFETIME = dt.timedelta(days=825)  # the longest that clients accept of any authority
EARLIER = dt.timedelta(hours=1)  # for clients whose clock is a little behind


@dataclass(frozen=True, slots=True)
class Tls:
    """What the listener and its clients need."""

    authority: Path
    context: ssl.SSLContext
    fingerprint: str


def ensure(folder: Path, host_name: str) -> Tls:
    """Makes what is missing and loads it."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    authority, chain, key = folder / "ca.pem", folder / "server.pem", folder / "server-key.pem"
    if not chain.exists() or not key.exists():
        _make(authority, chain, key, host_name)
    return _loaded(authority, chain, key)


def _loaded(authority: Path, chain: Path, key: Path | None = None) -> Tls:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.maximum_version = ssl.TLSVersion.TLSv1_2  # Schannel of Server 2019 has no TLS 1.3
    context.load_cert_chain(chain, key)
    shown = x509.load_pem_x509_certificate(chain.read_bytes())
    return Tls(authority, context, shown.fingerprint(hashes.SHA256()).hex())


def load(folder: Path, thumbprint: str, before: Tls) -> Tls:
    """What the listener shows with another certificate of the machine's store; as before when its key is not here."""
    both = folder / f"{thumbprint.upper()}.pem"
    return _loaded(before.authority, both) if both.exists() else before


def keep(folder: Path, thumbprint: str, certificate: x509.Certificate, key: rsa.RSAPrivateKey) -> None:
    """Keeps a certificate with its key, for ``load``."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    target = folder / f"{thumbprint.upper()}.pem"
    with os.fdopen(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(certificate.public_bytes(pem) + private)


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common)])


def _make(authority: Path, chain: Path, key: Path, host_name: str) -> None:
    now = dt.datetime.now(dt.UTC)
    issuer_key, server_key = ec.generate_private_key(ec.SECP256R1()), ec.generate_private_key(ec.SECP256R1())
    issuer = _name("Mailhost lab authority")
    issuer_public = issuer_key.public_key()
    root = (
        x509.CertificateBuilder()
        .subject_name(issuer)
        .issuer_name(issuer)
        .public_key(issuer_public)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - EARLIER)
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(issuer_public), critical=False)
        .add_extension(_usage(issuing=True), critical=True)
        .sign(issuer_key, hashes.SHA256())
    )
    names: list[x509.GeneralName] = [x509.DNSName("localhost"), x509.DNSName(host_name)]
    names.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
    server = (
        x509.CertificateBuilder()
        .subject_name(_name(host_name))
        .issuer_name(issuer)
        .public_key(server_key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - EARLIER)
        .not_valid_after(now + LIFETIME)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_public), critical=False)
        .add_extension(_usage(issuing=False), critical=True)
        .sign(issuer_key, hashes.SHA256())
    )
    authority.write_bytes(root.public_bytes(serialization.Encoding.PEM))
    chain.write_bytes(server.public_bytes(serialization.Encoding.PEM))
    private = server_key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    with os.fdopen(os.open(key, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(private)


def _usage(*, issuing: bool) -> x509.KeyUsage:
    return x509.KeyUsage(
        digital_signature=not issuing,
        key_cert_sign=issuing,
        crl_sign=issuing,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
