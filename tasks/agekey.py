"""Keys for backups. The lab's own is made once beside it; ``python -m tasks.agekey FILE`` makes an operator's.

A real server is given the public key alone; the file that opens backups never comes near it. One that is there is kept.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pyrage

from tasks.settings.secrets import TREE


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


def main(arguments: list[str]) -> int:
    """Makes the key file that is named, outside this project, and prints its public key; 64 for wrong usage."""
    if len(arguments) != 1 or Path(arguments[0]).expanduser().resolve().is_relative_to(TREE):
        sys.stderr.write("usage: python -m tasks.agekey FILE    (outside this project, where it cannot be committed)\n")
        return 64
    sys.stdout.write(f"{public_key(Path(arguments[0]).expanduser())}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
