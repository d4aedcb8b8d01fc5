"""Certificates of the machine's store, made as ``New-SelfSignedCertificate`` makes them.

The model keeps the certificate and its names, the lab's folder its key (``lab.certificates``), so that a listener which
is given it can show it.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from lab import certificates
from lab.model.host import Host

VALID = timedelta(days=365)  # the command's default, a year


def create(host: Host, bound: Mapping[str, Any]) -> dict[str, Any]:
    """A certificate for the names given, signed by itself."""
    names = bound["dnsname"] if isinstance(bound["dnsname"], list) else [bound["dnsname"]]
    now = datetime.now(UTC)
    until = datetime.fromisoformat(bound["notafter"]) if bound.get("notafter") else now + VALID
    key = rsa.generate_private_key(65537, int(bound.get("keylength") or 2048))
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0][:64])])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(minutes=10))
        .not_valid_after(until)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .sign(key, hashes.SHA256())
    )
    thumbprint = made.fingerprint(hashes.SHA1()).hex().upper()  # noqa: S303 - Windows' thumbprint is SHA-1
    raw = base64.b64encode(made.public_bytes(Encoding.DER)).decode()
    fields = {"subject": f"CN={names[0]}", "names": names, "not_after": until.isoformat(), "raw": raw}
    fields["friendly_name"] = bound.get("friendlyname", "")
    certificates.keep(host.root / "tls", thumbprint, made, key)
    host.listeners.add_certificate(thumbprint, fields)
    return store_row(thumbprint, fields)


def store_row(thumbprint: str, fields: Mapping[str, Any]) -> dict[str, Any]:
    """A certificate as the ``Cert:`` drive shows it."""
    return {
        "Thumbprint": thumbprint,
        "Subject": fields["subject"],
        "FriendlyName": fields.get("friendly_name", ""),
        "NotAfter": fields["not_after"],
        "DnsNameList": [{"Unicode": name, "Punycode": name} for name in fields["names"]],
        "RawData": {"base64": fields.get("raw", "")},
    }


def store(host: Host) -> list[dict[str, Any]]:
    r"""What lies in ``Cert:\LocalMachine\My``."""
    return [store_row(thumbprint, fields) for thumbprint, fields in host.listeners.certificates().items()]
