"""First passwords: given ones are hashed, missing ones are made and written where only administrators can read.

The line is on the disk before the account is made, so a run that dies between the two leaves no account whose password
nobody knows; the next run takes the password of that line.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from maild.policy.passwords import MAX_PASSWORD, Kept, usable
from maild.reconcile.change import ReconcileError

WORDS_BYTES = 15
"""Random bytes of a made password: 120 bits, 20 characters."""


@dataclass(frozen=True, slots=True)
class FirstPasswords:
    """Where made passwords go and what is kept of any."""

    file: Path | None
    kept: Callable[[str], Kept]

    async def first(self, name: str, given: str | None) -> Kept:
        """What to keep of an account's first password; raises ``ReconcileError`` for one that nobody could use."""
        password = given if given is not None else self._made(name)
        if not usable(password):
            raise ReconcileError(f"{name}: its first password is empty or longer than {MAX_PASSWORD} bytes")
        return await asyncio.to_thread(self.kept, password)

    def _made(self, name: str) -> str:
        if self.file is None:
            raise ReconcileError(f"{name} has no password, and no file is named for one that is made (first_passwords)")
        known = dict(
            line.split("\t", 1) for line in self._text().splitlines() if "\t" in line and not line.startswith("#")
        )
        if name not in known:
            known[name] = secrets.token_urlsafe(WORDS_BYTES)
            self._append(f"{name}\t{known[name]}\n")
        return known[name]

    def _text(self) -> str:
        try:
            return self.file.read_text(encoding="utf-8") if self.file else ""
        except FileNotFoundError:
            return ""
        except OSError as error:
            raise ReconcileError(f"{self.file}: {error.strerror}") from error

    def _append(self, line: str) -> None:
        if self.file is None:
            return
        try:
            handle = os.open(self.file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        except OSError as error:
            raise ReconcileError(f"{self.file}: {error.strerror}") from error
        with os.fdopen(handle, "ab") as stream:
            stream.write(line.encode())
            stream.flush()
            os.fsync(stream.fileno())
