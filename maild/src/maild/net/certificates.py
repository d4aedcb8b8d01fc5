"""The certificates of a folder as TLS contexts, chosen by the name a client asks for, replaced while serving.

``NAME-chain.pem`` and ``NAME-key.pem`` are a pair. A reload builds everything anew and swaps it in one step; a pair
that cannot be used is named and leaves the others alone. Connections keep the certificate they were opened with.
"""

from __future__ import annotations

import datetime as dt
import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from cryptography import x509

from maild.net.errors import CertificateError

CHAIN, KEY = "-chain.pem", "-key.pem"


@dataclass(frozen=True, slots=True)
class Certificate:
    """One pair: the names it is for and what its owner wants to know of it."""

    name: str
    names: tuple[str, ...]
    serial: int
    not_after: dt.datetime
    context: ssl.SSLContext


@dataclass(frozen=True, slots=True)
class _Loaded:
    default: Certificate
    all: tuple[Certificate, ...]
    by_name: Mapping[str, Certificate]
    problems: tuple[str, ...] = ()


@dataclass(slots=True)
class Certificates:
    """What listeners show. ``load`` builds it, ``reload`` replaces its content."""

    folder: Path
    hostname: str
    default: str = ""
    minimum: Literal["1.2", "1.3"] = "1.2"
    _loaded: _Loaded | None = field(default=None, repr=False)

    def reload(self) -> tuple[str, ...]:
        """Reads the folder again; returns what could not be used. Raises when nothing could, and keeps what was."""
        found: list[Certificate] = []
        problems: list[str] = []
        for chain in sorted(self.folder.glob(f"*{CHAIN}")):
            name = chain.name.removesuffix(CHAIN)
            try:
                found.append(self._read(name, chain, self.folder / f"{name}{KEY}"))
            except (OSError, ValueError, CertificateError) as error:
                problems.append(f"certificate {name}: {error}")
        if not found:
            reason = "; ".join(problems) or f"there is no NAME{CHAIN} in it"
            raise CertificateError(f"{self.folder}: {reason}")
        by_name = {host: certificate for certificate in found for host in certificate.names}
        chosen = next((each for each in found if each.name == self.default), None) or by_name.get(self.hostname)
        self._loaded = _Loaded(chosen or found[0], tuple(found), by_name, tuple(problems))
        return tuple(problems)

    @property
    def loaded(self) -> bool:
        """Whether there is a certificate to show."""
        return self._loaded is not None

    @property
    def all(self) -> tuple[Certificate, ...]:
        """The certificates in use."""
        return self._loaded.all if self._loaded else ()

    def fingerprint(self) -> frozenset[tuple[str, int, int]]:
        """What changes when a file of the folder does."""
        try:
            found = [(path, path.stat()) for path in self.folder.glob("*.pem")]
        except OSError:
            return frozenset()
        return frozenset((path.name, stat.st_mtime_ns, stat.st_size) for path, stat in found)

    def context(self) -> ssl.SSLContext:
        """The context a new connection starts with."""
        if self._loaded is None:
            raise CertificateError("no certificate is loaded")
        return self._loaded.default.context

    def for_name(self, host: str | None) -> Certificate | None:
        """The certificate for a host name: the exact one, one for its wildcard, or the default."""
        if self._loaded is None:
            return None
        if host:
            name = host.lower().rstrip(".")
            found = self._loaded.by_name.get(name) or self._loaded.by_name.get(f"*.{name.partition('.')[2]}")
            if found:
                return found
        return self._loaded.default

    def _read(self, name: str, chain: Path, key: Path) -> Certificate:
        leaf = x509.load_pem_x509_certificates(chain.read_bytes())[0]
        try:
            alternative = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
            names = tuple(each.lower() for each in alternative.get_values_for_type(x509.DNSName))
        except x509.ExtensionNotFound:
            names = ()
        return Certificate(name, names, leaf.serial_number, leaf.not_valid_after_utc, self._context(chain, key))

    def _context(self, chain: Path, key: Path) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.minimum_version = ssl.TLSVersion.TLSv1_3 if self.minimum == "1.3" else ssl.TLSVersion.TLSv1_2
        context.options |= ssl.OP_NO_RENEGOTIATION | ssl.OP_CIPHER_SERVER_PREFERENCE
        context.num_tickets = 1
        context.load_cert_chain(chain, key, password=_no_password)
        context.sni_callback = self._choose
        return context

    def _choose(self, connection: ssl.SSLObject | ssl.SSLSocket, host: str | None, _: ssl.SSLContext) -> None:
        certificate = self.for_name(host)
        if certificate is not None and connection.context is not certificate.context:
            connection.context = certificate.context


def _no_password() -> str:
    raise CertificateError("the key is encrypted; store it in clear, readable by the daemon alone")
