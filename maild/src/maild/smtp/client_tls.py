"""Whom an outgoing connection trusts: known authorities (certifi), TLSA records, or, opportunistically, anyone.

Never the platform's own store: Windows fills it lazily, so a verification could fail there for a good certificate.
"""

from __future__ import annotations

import hashlib
import ssl
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path

import certifi
from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from maild.delivery.next_hop import Endpoint, Security
from maild.dns import TLSA

DANE_TA, DANE_EE = 2, 3
"""Certificate usages that SMTP may use (RFC 7672 section 3.1)."""


class Trust:
    """Contexts and checks for outgoing TLS. ``authorities`` replaces certifi's (a private CA, tests)."""

    def __init__(self, authorities: Path | None = None) -> None:
        self._authorities = authorities

    def context(self, security: Security) -> ssl.SSLContext:
        """The context of a handshake; names are checked by it where the rule is VERIFIED with one name."""
        return self._verifying if security is Security.VERIFIED else self._open

    def server_name(self, endpoint: Endpoint) -> str:
        """The name for SNI; with DANE the TLSA base domain, else the host (RFC 7672 section 8.1)."""
        if endpoint.rule.security is Security.DANE and endpoint.rule.names:
            return endpoint.rule.names[0]
        return "" if endpoint.host.startswith("[") else endpoint.host

    def check(self, endpoint: Endpoint, chain: Sequence[bytes]) -> None:
        """What the handshake did not check itself; raises ``ValueError`` with the reason."""
        rule = endpoint.rule
        if rule.security is Security.VERIFIED and not any(name_matches(chain[0], name) for name in rule.names):
            raise ValueError(f"the certificate is not for {' or '.join(rule.names)}")
        if rule.security is Security.DANE and not dane_matches(chain, rule.records, rule.names):
            raise ValueError("no TLSA record names the certificate")

    @cached_property
    def _verifying(self) -> ssl.SSLContext:
        context = ssl.create_default_context(cafile=str(self._authorities or certifi.where()))
        context.check_hostname = False  # the names of the rule count, and `check` compares them
        return context

    @cached_property
    def _open(self) -> ssl.SSLContext:
        context = ssl.create_default_context()
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        return context


def name_matches(certificate: bytes, wanted: str) -> bool:
    """Whether a DNS name of the certificate is the wanted one.

    ``wanted`` may be an MTA-STS pattern ``*.example.org``; a wildcard stands for one label on either side (RFC 6125
    section 6.4.3, RFC 8461 section 4.1).
    """
    try:
        extension = x509.load_der_x509_certificate(certificate).extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        )
    except (x509.ExtensionNotFound, ValueError):
        return False
    return any(_same(name.lower(), wanted.lower()) for name in extension.value.get_values_for_type(x509.DNSName))


def _same(shown: str, wanted: str) -> bool:
    if shown == wanted:
        return True
    if shown.startswith("*.") and not wanted.startswith("*."):
        return wanted.partition(".")[2] == shown[2:]
    if wanted.startswith("*."):
        return shown.partition(".")[2] == wanted[2:]
    return False


def dane_matches(chain: Sequence[bytes], records: Sequence[TLSA], names: Sequence[str]) -> bool:
    """Whether the chain is one that the records name (RFC 7671 section 5): 3 x x by itself, 2 x x by signatures."""
    if not chain:
        return False
    if any(record.usage == DANE_EE and _matches(chain[0], record) for record in records):
        return True  # names and dates do not count (RFC 7671 section 5.1)
    anchors = [record for record in records if record.usage == DANE_TA]
    if not anchors or not any(name_matches(chain[0], name) for name in names):
        return False
    return _leads_to_anchor(chain, anchors)


def _leads_to_anchor(chain: Sequence[bytes], anchors: Sequence[TLSA]) -> bool:
    """Follows the signatures upwards until a certificate is an anchor."""
    try:
        certificates = [x509.load_der_x509_certificate(each) for each in chain]
        for index, issuer in enumerate(certificates[1:]):
            certificates[index].verify_directly_issued_by(issuer)
            if any(_matches(chain[index + 1], record) for record in anchors):
                return True
    except (ValueError, TypeError, InvalidSignature):
        return False
    return False


def _matches(certificate: bytes, record: TLSA) -> bool:
    data = certificate
    if record.selector == 1:
        key = x509.load_der_x509_certificate(certificate).public_key()
        data = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    elif record.selector != 0:
        return False
    if record.matching == 0:
        return data == record.data
    digest = {1: hashlib.sha256, 2: hashlib.sha512}.get(record.matching)
    return digest is not None and digest(data).digest() == record.data
