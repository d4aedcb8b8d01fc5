"""Report files as they arrive: plain, gzip or zip, unpacked within a bound whatever they claim to hold."""

from __future__ import annotations

import io
import zipfile
import zlib

MAX_PACKED = 10 * 1_048_576
"""Octets of a report as it arrives; the advised most is 10 MB (RFC 9990 section 3.2)."""
MAX_PLAIN = 50 * 1_048_576
"""Octets of an unpacked report; the largest honest ones have some 20 MB."""
_STEP = 65_536
_GZIP, _ZIP = b"\x1f\x8b", b"PK\x03\x04"


class ReportError(ValueError):
    """The report cannot be used; the message says why."""


def unpacked(data: bytes, limit: int = MAX_PLAIN) -> bytes:
    """The report itself."""
    if len(data) > MAX_PACKED:
        raise ReportError(f"the report is larger than {MAX_PACKED} octets")
    if data.startswith(_GZIP):
        return _gunzipped(data, limit)
    if data.startswith(_ZIP):
        return _unzipped(data, limit)
    return data


def _gunzipped(data: bytes, limit: int) -> bytes:
    stream = zlib.decompressobj(31)
    out = bytearray()
    try:
        while data and not stream.eof:
            out += stream.decompress(data, _STEP)
            data = stream.unconsumed_tail
            if len(out) > limit:
                raise ReportError(f"the report unpacks to more than {limit} octets")
    except zlib.error as error:
        raise ReportError("the gzip data is broken") from error
    if not stream.eof:
        raise ReportError("the gzip data ends too early")
    return bytes(out)


def _unzipped(data: bytes, limit: int) -> bytes:
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            names = [entry for entry in archive.infolist()[:16] if not entry.is_dir()]
            if not names:
                raise ReportError("the zip file is empty")
            with archive.open(names[0]) as file:
                plain = file.read(limit + 1)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, RuntimeError, EOFError, OSError) as error:
        raise ReportError("the zip file is broken or encrypted") from error
    if len(plain) > limit:
        raise ReportError(f"the report unpacks to more than {limit} octets")
    return plain
