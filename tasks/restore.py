"""Mail brought back from a backup, onto an empty server alone; the same backup again is no change.

The backup is uploaded as it is and opened on the host, with the operator's key as data of one request.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from pyinfra_winrm.kinds import File, Reconcile
from pyinfra_winrm.secret import Secret
from tasks import accounts, release
from tasks.facts import Facts
from tasks.paths import Paths
from tasks.settings import Settings, SettingsError

AGE = b"age-encryption.org/"  # what an encrypted backup begins with
SECONDS = 3600  # a large backup is read twice and written once


def resources(settings: Settings, _facts: Facts) -> list[File | Reconcile]:
    """The file, and what is in it; nothing unless a restore was asked for."""
    if settings.restore_from is None:
        return []
    paths = Paths(settings.root)
    source = _file("restore_from", settings.restore_from)
    identity = _identity(source, settings.restore_identity)
    # Named by its content: what is asked of one backup is never answered from another that lies there.
    target = f"{paths.private}/restore-{hashlib.sha256(source.read_bytes()).hexdigest()[:12]}.age"
    return [
        File(path=target, source=source, acl=accounts.CLOSED),
        Reconcile(
            name="restore",
            command=release.command(settings, "backup", "restore", "--settings", paths.settings),
            desired={"from": target, "identity": identity},
            folder=paths.private,
            timeout=SECONDS,
        ),
    ]


def _identity(source: Path, name: str | None) -> Secret | None:
    """The key that opens an encrypted backup; one made before an upgrade may be open."""
    if name:
        return Secret(_file("restore_identity", name).read_text(encoding="utf-8"))
    with source.open("rb") as stream:
        if stream.read(len(AGE)) == AGE:
            raise SettingsError("restore_identity", "this backup is encrypted", "name the age key file that opens it")
    return None


def _file(key: str, name: str) -> Path:
    path = Path(name).expanduser()
    if not path.is_file():
        raise SettingsError(
            key, "there is no file {file}", "name a file of the machine that runs the deploy", file=name
        )
    return path
