"""Files to and from a host: numbered chunks, hashed on the host while it writes, moved into place when the hash agrees.

It guarantees that the target is the old file or the new one and never a part. Which files travel is left to its
callers.
"""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import IO, Final

from pyinfra_winrm.errors import HostError
from pyinfra_winrm.protocol import encode_chunk
from pyinfra_winrm.session import Session

# Raw bytes in one line. Its text stays below the 85,000 bytes from which on .NET leaves each copy of it to a full
# collection, which costs the host twice the time; a multiple of three, so that base64 fills no line up.
CHUNK: Final = 29_952

# Lines in one Send: 359,514 bytes, an envelope of 482 KB; MaxEnvelopeSizekb is 500.
LINES: Final = 9

# Bytes that a download asks for at a time: in two layers of base64 within the 8 MiB of a line.
PIECE: Final = 256 * 1024

# Seconds that the host waits for a target somebody holds open; scanners let go within a few.
PATIENCE: Final = 15


def _encoded(first: int, data: bytes) -> bytes:
    pieces = range(0, len(data), CHUNK)
    return b"".join(encode_chunk(first + number, data[at : at + CHUNK]) for number, at in enumerate(pieces))


def _sends(stream: IO[bytes], seen: Callable[[bytes], None]) -> Iterator[bytes]:
    """What each Send carries, made while the one before is on its way; ``seen`` is told the bytes in order."""

    def prepared(first: int, data: bytes) -> bytes:
        seen(data)
        return _encoded(first, data)

    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="chunks") as ahead:
        waiting: Future[bytes] | None = None
        first = 0
        while data := stream.read(CHUNK * LINES):
            following = ahead.submit(prepared, first, data)
            first += LINES
            if waiting is not None:
                yield waiting.result()
            waiting = following
        if waiting is not None:
            yield waiting.result()


def upload(session: Session, source: Path | bytes, target: str, *, timeout: int = 0) -> str:
    """Puts a file, or bytes, at ``target`` on the host; returns the SHA-256 the host computed."""
    about = f"the upload of {target}"
    digest = hashlib.sha256()
    session.change("upload.begin", {"path": target}, about=about, timeout=timeout)
    with source.open("rb") if isinstance(source, Path) else io.BytesIO(source) as stream:
        for lines in _sends(stream, digest.update):
            session.stream(lines, about=about)
    sha256 = digest.hexdigest()
    reply = session.change("upload.end", {"sha256": sha256, "patience": PATIENCE}, about=about, timeout=timeout)
    arrived = str(reply.fields.get("sha256"))
    if arrived != sha256:
        raise HostError(f"{session.name}: {about} arrived as {arrived}, sent was {sha256}: run again")
    return arrived


def download(session: Session, source: str, *, timeout: int = 0) -> Iterator[bytes]:
    """The pieces of a file of the host; raises when it changes its size on the way."""
    offset, size = 0, 1
    while offset < size:
        fields = {"path": source, "offset": offset, "length": PIECE}
        reply = session.read("download", fields, timeout=timeout)
        data = base64.b64decode(reply.fields.get("data") or "")
        now = int(reply.fields.get("size") or 0)
        if (offset and now != size) or (not data and offset < now):
            raise HostError(f"{session.name}: {source} changed while it was read: try again")
        size = now
        offset += len(data)
        yield data
