"""Where a file comes from that a host needs: addresses to try in order, or a file of the controller.

Either way it is accepted only by its SHA-256, or by who signed it. Fetching is left to the host's script and to the
session's upload.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from pyinfra_winrm.kinds.errors import InvalidResourceError
from pyinfra_winrm.resource import Json


@dataclass(frozen=True, slots=True)
class Upload:
    """A file of the controller that has to be on the host before the change: where it lies and where it goes."""

    source: Path
    target: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Download:
    """One file and how it is recognised.

    urls: addresses the host tries in order.
    source: a file of the controller, uploaded instead.
    sha256: the hash the file must have.
    publisher: who must have signed it (the certificate's common name), for a file whose hash changes with each release.
    """

    urls: tuple[str, ...] = ()
    source: Path | None = None
    sha256: str = ""
    publisher: str = ""

    def __post_init__(self) -> None:
        if bool(self.urls) == (self.source is not None):
            raise InvalidResourceError("a download has either addresses (urls) or a file to upload (source)")
        if self.sha256 and not re.fullmatch(r"[0-9a-f]{64}", self.sha256):
            raise InvalidResourceError(f"sha256 {self.sha256!r} is not 64 lower-case hexadecimal digits")
        if not self.sha256 and not self.publisher:
            raise InvalidResourceError("a download is pinned by its sha256 or by its publisher: give one")
        if insecure := [url for url in self.urls if not url.startswith("https://") and not self.sha256]:
            raise InvalidResourceError(f"{insecure[0]} is fetched without TLS: give its sha256")

    def desired(self, staged: str) -> Mapping[str, Json]:
        """What the host's script is told; ``staged`` is where an upload or a download lies until it is used."""
        return {
            "urls": list(self.urls),
            "staged": staged,
            "uploaded": self.source is not None,
            "sha256": self.sha256,
            "publisher": self.publisher,
        }

    def uploads(self, staged: str) -> tuple[Upload, ...]:
        """The upload that has to come first, if any."""
        return (Upload(self.source, staged),) if self.source is not None else ()
