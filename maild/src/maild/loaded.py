"""``loaded.json``: what a running daemon says it runs on, so that a plan can compare without asking it.

Written whole at start and after each reload. Certificates are not part of it: their renewal is no drift.
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import msgspec

from maild import __version__

NAME = "loaded.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """The hash of the settings that were loaded and what came of them."""

    settings_sha256: str
    version: str
    pid: int
    loaded_at: float
    ports: Mapping[str, int]
    """The bound port of each open listener."""
    problems: Sequence[str]
    waiting: Sequence[str] = ()
    """Settings that were changed and take effect at the next start."""

    @classmethod
    def of(
        cls, settings_sha256: str, ports: Mapping[str, int], problems: Sequence[str], waiting: Sequence[str]
    ) -> Loaded:
        """The state of this process."""
        return cls(
            settings_sha256=settings_sha256,
            version=__version__,
            pid=os.getpid(),
            loaded_at=time.time(),
            ports=dict(ports),
            problems=list(problems),
            waiting=list(waiting),
        )

    def write(self, folder: Path) -> None:
        """Replaces the file in one step."""
        folder.mkdir(parents=True, exist_ok=True)
        new = folder / f"{NAME}.new"
        new.write_bytes(msgspec.json.format(msgspec.json.encode(self), indent=2))
        new.replace(folder / NAME)


def read(folder: Path) -> Loaded | None:
    """What a daemon wrote, None when none did."""
    try:
        return msgspec.json.decode((folder / NAME).read_bytes(), type=Loaded)
    except (OSError, msgspec.MsgspecError):
        return None
