"""The lab's own key for backups: made once, kept beside the lab, so that a first backup needs nothing to be set up.

A real server is given the operator's public key; the one that opens backups never comes near it.
"""

from __future__ import annotations

import os
from pathlib import Path

import pyrage


def public_key(path: Path) -> str:
    """The public key of an age key file, which is made, readable by its owner alone, when it is not there."""
    try:
        identity = pyrage.x25519.Identity.from_str(_secret_line(path.read_text(encoding="utf-8")))
    except FileNotFoundError:
        identity = pyrage.x25519.Identity.generate()
        path.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as stream:
            stream.write(f"# public key: {identity.to_public()}\n{identity}\n")
    return str(identity.to_public())


def _secret_line(text: str) -> str:
    return next(line for line in text.splitlines() if line and not line.startswith("#"))
