"""Backups: one encrypted file that a server can be rebuilt from, and the way back.

The file is a tar of packs of bodies, tables as of one moment, and the host's key files, encrypted with age to a key the
operator keeps; only one made before an upgrade may be left open, where administrators alone read. Everything in it is
named with its hash in a manifest at its end.
"""

from __future__ import annotations

from maild.backup.container import BackupError, Manifest, is_encrypted
from maild.backup.keep import copy, prune
from maild.backup.places import Places
from maild.backup.restoring import Restored, restore, verify
from maild.backup.taking import Created, create

__all__ = [
    "BackupError",
    "Created",
    "Manifest",
    "Places",
    "Restored",
    "copy",
    "create",
    "is_encrypted",
    "prune",
    "restore",
    "verify",
]
