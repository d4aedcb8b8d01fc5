"""Downloads in the model: real ones, tried in order, accepted by their hash or their signer.

The signer is read out of the file's own signature; that the signature is good is Windows' to check.
"""

from __future__ import annotations

import struct
import urllib.request
from collections.abc import Mapping
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives.serialization import pkcs7
from cryptography.x509.oid import NameOID

from lab.model.errors import HostError
from lab.model.host import Host

PATIENCE = 60  # seconds without a byte before an address is given up


def staged(host: Host, download: Mapping[str, Any], *, signed: bool = False) -> str:
    """Has the file lie at its staged path, checked, and gives that path; ``signed`` looks at its own signature."""
    path = str(download["staged"])
    failures = [] if download["uploaded"] or _fits(host, download, path) else _fetch(host, download, path)
    if host.files.stat(path) is None:
        raise HostError(
            "not-found", "No address gave the file: " + "; ".join(failures or ["it was not uploaded"]), path
        )
    if download["sha256"] and not _fits(host, download, path):
        got = host.files.sha256(path)
        host.files.delete(path)
        raise HostError("other", f"'{path}' has the SHA-256 {got}, wanted is {download['sha256']}.", path)
    if signed:
        check_signer(host, path, str(download["publisher"]))
    return path


def check_signer(host: Host, path: str, publisher: str) -> None:
    """Refuses a file that somebody else signed, or nobody."""
    found = signer(host.files.read(path)) if publisher else ""
    if publisher and found != publisher:
        raise HostError("other", f"'{path}' is signed by '{found}', wanted is '{publisher}'.", path)


def _fits(host: Host, download: Mapping[str, Any], path: str) -> bool:
    return (
        bool(download["sha256"]) and host.files.stat(path) is not None and host.files.sha256(path) == download["sha256"]
    )


def _fetch(host: Host, download: Mapping[str, Any], path: str) -> list[str]:
    failures = []
    for url in download["urls"]:
        try:
            save(host, url, path)
        except HostError as error:
            failures.append(f"{url}: {error.message}")
            continue
        if not download["sha256"] or _fits(host, download, path):
            return []
        failures.append(f"{url}: another SHA-256")
        host.files.delete(path)
    return failures


def save(host: Host, url: str, path: str) -> None:
    """Fetches one address into a file."""
    try:
        with urllib.request.urlopen(url, timeout=PATIENCE) as answer:  # noqa: S310 - https, or pinned by hash
            data = answer.read()
    except (OSError, ValueError) as error:
        raise HostError("other", str(error), url) from error
    host.files.write(path, data)


def signer(data: bytes) -> str:
    """The common name of who signed a Windows program; empty when nobody did (PE format, certificate table)."""
    try:
        header = struct.unpack_from("<I", data, 0x3C)[0]
        magic = struct.unpack_from("<H", data, header + 24)[0]
        directory = header + 24 + (144 if magic == 0x20B else 128)
        offset, size = struct.unpack_from("<2I", data, directory)
        certificates = pkcs7.load_der_pkcs7_certificates(data[offset + 8 : offset + size])
    except (struct.error, ValueError):
        return ""
    issuers = {certificate.issuer for certificate in certificates if certificate.issuer != certificate.subject}
    leaves = [certificate for certificate in certificates if certificate.subject not in issuers]
    return _common_name(leaves[0]) if leaves else ""


def _common_name(certificate: x509.Certificate) -> str:
    names = certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(names[0].value) if names else ""
