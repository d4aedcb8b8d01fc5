"""An upload as the host script takes it: numbered chunks into a file beside the target, hashed, moved into place."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import time

from lab.model.errors import HostError
from lab.model.files import Files

SUFFIX = ".mailhost-part"
BLOCK = 256 * 1024  # bytes written at a time
PAUSE = 0.25  # seconds between two tries while another process holds the target


class Upload:
    """One upload that is under way; a failure is kept for the end, because chunks are not answered."""

    def __init__(self, files: Files, path: str) -> None:
        self._files = files
        self._path = path
        self._part = path + SUFFIX
        self._next = 0
        self._hash = hashlib.sha256()
        self._waiting = bytearray()
        self._failure: HostError | None = None
        self.drop()
        files.append(self._part, b"")

    def chunk(self, number: int, data: str) -> None:
        """Takes a chunk once; one that was sent again is ignored."""
        if self._failure is not None or number < self._next:
            return
        if number > self._next:
            self._failure = HostError("other", f"chunk {self._next} did not arrive", self._path)
            return
        try:
            raw = base64.b64decode(data)
        except ValueError as error:
            self._failure = HostError("other", f"chunk {number} is damaged: {error}", self._path)
            return
        self._hash.update(raw)
        self._waiting += raw
        self._next += 1
        if len(self._waiting) >= BLOCK:
            self._write()

    def _write(self) -> None:
        """What waits goes to the disk."""
        try:
            self._files.append(self._part, bytes(self._waiting))
        except HostError as error:
            self._failure = error
        self._waiting.clear()

    def end(self, sha256: str, patience: float) -> str:
        """Compares the hash and moves the file into place; returns the hash."""
        try:
            self._write()
            if self._failure is not None:
                raise self._failure
            if self._hash.hexdigest() != sha256:
                raise HostError("other", "what arrived is not what was sent", self._path)
            self._move(sha256, time.monotonic() + patience)
        finally:
            self.drop()
        return self._hash.hexdigest()

    def drop(self) -> None:
        """Removes what is only half there."""
        with contextlib.suppress(HostError):
            self._files.drive.real(self._part).unlink(missing_ok=True)

    def _move(self, sha256: str, until: float) -> None:
        while True:
            try:
                self._files.replace(self._part, self._path, sha256)
            except HostError as error:
                if error.code != "sharing-violation" or time.monotonic() >= until:
                    raise
                time.sleep(PAUSE)
            else:
                return
