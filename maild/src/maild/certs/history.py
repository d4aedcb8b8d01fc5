"""What the last run knew of each certificate: names that wait, and why, for the status and for people.

One small JSON file beside the account key, written whole. It is a memory, not a truth: without it, the next run finds
everything out again.
"""

from __future__ import annotations

from pathlib import Path

import msgspec

from maild.certs import pairs

NAME = "certificates.json"


class Waiting(msgspec.Struct, frozen=True, kw_only=True):
    """A name that was left out: the reason in English and the values in it, so that it can be said in any language."""

    name: str
    text: str
    values: dict[str, str] = msgspec.field(default_factory=dict)


class Outcome(msgspec.Struct, frozen=True, kw_only=True):
    """What the last run came to for one certificate."""

    at: float
    waiting: tuple[Waiting, ...] = ()
    error: str = ""


def read(folder: Path) -> dict[str, Outcome]:
    """By certificate; empty when nothing is known."""
    try:
        return msgspec.json.decode((folder / NAME).read_bytes(), type=dict[str, Outcome])
    except (OSError, msgspec.MsgspecError):
        return {}


def write(folder: Path, outcomes: dict[str, Outcome]) -> None:
    """Replaces the file. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    pairs.replace(folder / NAME, msgspec.json.format(msgspec.json.encode(outcomes), indent=2), 0o644)
