"""Files to and from a host: numbered chunks, hashed on the host while it writes, moved into place when the hash agrees.

It guarantees that the target is the old file or the new one and never a part. Which files travel is left to its
callers.
"""

from __future__ import annotations

import base64
import hashlib
import io
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import IO, Final

from pyinfra_winrm.errors import HostError
from pyinfra_winrm.protocol import encode_chunk
from pyinfra_winrm.session import Session

# 256 KiB make a line of 350 KB and an envelope of 468 KB; MaxEnvelopeSizekb is 500.
CHUNK: Final = 256 * 1024

# Seconds that the host waits for a target somebody holds open; scanners let go within a few.
PATIENCE: Final = 15


def _chunks(stream: IO[bytes]) -> Iterator[bytes]:
    while data := stream.read(CHUNK):
        yield data


def _lines(stream: IO[bytes]) -> Iterator[bytes]:
    """The chunks as lines, each made while the one before is on its way."""
    with ThreadPoolExecutor(max_workers=1, thread_name_prefix="chunks") as ahead:
        waiting: Future[bytes] | None = None
        for number, data in enumerate(_chunks(stream)):
            following = ahead.submit(encode_chunk, number, data)
            if waiting is not None:
                yield waiting.result()
            waiting = following
        if waiting is not None:
            yield waiting.result()


def upload(session: Session, source: Path | bytes, target: str, *, timeout: int = 0) -> str:
    """Puts a file, or bytes, at ``target`` on the host; returns the SHA-256 the host computed."""
    with source.open("rb") if isinstance(source, Path) else io.BytesIO(source) as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
        size = stream.tell()
        stream.seek(0)
        about = f"the upload of {target}"
        fields = {"path": target, "size": size, "sha256": sha256}
        session.change("upload.begin", fields, about=about, timeout=timeout)
        for line in _lines(stream):
            session.stream(line, about=about)
    reply = session.change("upload.end", {"patience": PATIENCE}, about=about, timeout=timeout)
    arrived = str(reply.fields.get("sha256"))
    if arrived != sha256:
        raise HostError(f"{session.name}: {about} arrived as {arrived}, sent was {sha256}: run again")
    return arrived


def download(session: Session, source: str, *, timeout: int = 0) -> Iterator[bytes]:
    """The pieces of a file of the host; raises when it changes its size on the way."""
    offset, size = 0, 1
    while offset < size:
        fields = {"path": source, "offset": offset, "length": CHUNK}
        reply = session.read("download", fields, timeout=timeout)
        data = base64.b64decode(reply.fields.get("data") or "")
        now = int(reply.fields.get("size") or 0)
        if (offset and now != size) or (not data and offset < now):
            raise HostError(f"{session.name}: {source} changed while it was read: try again")
        size = now
        offset += len(data)
        yield data
