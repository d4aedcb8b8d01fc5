"""Backups: encrypted files that a server can be rebuilt from, and the way back.

A backup is a tar of tables as of one moment and the host's key files, and packs of bodies, which the backups of a
folder share or, in one to be fetched, stand in the file: then that file alone is enough. All is encrypted with age to a
key the operator keeps; only one made before an upgrade may be left open, where administrators alone read. A manifest
at the end names everything with its hash.
"""

from __future__ import annotations

from maild.backup.container import BackupError, Manifest, is_encrypted
from maild.backup.keep import copy, join, prune, release
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
    "join",
    "prune",
    "release",
    "restore",
    "verify",
]
