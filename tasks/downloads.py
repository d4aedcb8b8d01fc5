"""A file for the host: from the internet, or from this machine for a host that may not go there.

Recognised by the hash in the settings, by the hash of the file given, or by its publisher's signature.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from pyinfra_winrm.kinds import Download
from tasks.settings import SettingsError


def fetched(key: str, urls: tuple[str, ...], sha256: str | None, publisher: str, file: str | None) -> Download:
    """The download. A hash is stricter than a signature, and then stands alone."""
    if file is not None:
        path = Path(file).expanduser()
        if not path.is_file():
            raise SettingsError(
                key, "there is no file {file}", "name a file of the machine that runs the deploy", file=file
            )
        found = hashlib.sha256(path.read_bytes()).hexdigest()
        if sha256 and found != sha256:
            raise SettingsError(
                key, "{file} has the SHA-256 {found}", "it is not the file whose hash is set", file=file, found=found
            )
        return Download(source=path, sha256=found)
    return Download(urls=urls, sha256=sha256) if sha256 else Download(urls=urls, publisher=publisher)
