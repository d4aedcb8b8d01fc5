"""Authenticode as far as the lab looks: who signed a Windows program, and whether it is still the file that was signed.

The digest of a program (Microsoft's "Windows Authenticode Portable Executable Signature Format") has to be in its
signature. Whether the signature itself holds and its authority is trusted is Windows' to check.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from typing import Literal

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from cryptography.x509.oid import NameOID

Status = Literal["Valid", "NotSigned", "HashMismatch"]
CHECKSUM = 24 + 64  # from the PE header
SECURITY = {0x20B: 24 + 144, 0x10B: 24 + 128}  # by the magic of the optional header: 64 and 32 bits


@dataclass(frozen=True, slots=True)
class Signature:
    """What Windows says of a file: the word of ``SignatureStatus``, and the signer's certificate where there is one."""

    status: Status
    certificate: x509.Certificate | None = None

    @property
    def signer(self) -> str:
        """The common name of who signed."""
        if self.certificate is None:
            return ""
        names = self.certificate.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        return str(names[0].value) if names else ""

    @property
    def raw(self) -> bytes:
        """The certificate as DER."""
        return b"" if self.certificate is None else self.certificate.public_bytes(Encoding.DER)


def signature(data: bytes) -> Signature:
    """The signature of a file; one that is no Windows program has none."""
    try:
        header = struct.unpack_from("<I", data, 0x3C)[0]
        entry = header + SECURITY[struct.unpack_from("<H", data, header + 24)[0]]
        offset, size = struct.unpack_from("<2I", data, entry)
        (length,) = struct.unpack_from("<I", data, offset)
        signed = data[offset + 8 : offset + min(size, length)]
        certificates = pkcs7.load_der_pkcs7_certificates(signed)
    except (struct.error, KeyError, ValueError):
        return Signature("NotSigned")
    issuers = {certificate.issuer for certificate in certificates if certificate.issuer != certificate.subject}
    leaves = [certificate for certificate in certificates if certificate.subject not in issuers]
    if not offset or not leaves:
        return Signature("NotSigned")
    return Signature("Valid" if _is_in(signed, image(data, header, entry, offset, size)) else "HashMismatch", leaves[0])


def image(data: bytes, header: int, entry: int, offset: int, size: int) -> bytes:
    """What is signed of a program: all but its checksum, the entry of its signature, and that signature."""
    checksum = header + CHECKSUM
    return data[:checksum] + data[checksum + 4 : entry] + data[entry + 8 : offset] + data[offset + size :]


def _is_in(signed: bytes, content: bytes) -> bool:
    """Whether the content's digest is one of the signature's octet strings."""
    digests = (hashlib.sha256(content).digest(), hashlib.sha1(content, usedforsecurity=False).digest())
    return any(bytes((4, len(digest))) + digest in signed for digest in digests)
