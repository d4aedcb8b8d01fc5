"""A file, by its content: text, bytes, or a file of the controller.

Compared by SHA-256, so that a plan never carries content and a secret one is never printed. Text is written as
UTF-8 without a byte order mark; a change replaces the whole file at once and keeps its access list. A source over
256 KiB goes ahead as an upload.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import ClassVar

from pyinfra_winrm.kinds.acl import Acl, access_fields
from pyinfra_winrm.kinds.compare import Wanted, compare
from pyinfra_winrm.kinds.download import Upload
from pyinfra_winrm.kinds.errors import InvalidResourceError
from pyinfra_winrm.kinds.paths import windows_path
from pyinfra_winrm.resource import Difference, Json, Kind, State
from pyinfra_winrm.secret import Secret

# one request carries at most this many bytes of content: base64 twice stays under WinRM's envelope of 500 KB
INLINE_BYTES = 256 * 1024


@dataclass(frozen=True, kw_only=True, slots=True)
class File:
    """A file.

    path: where, with forward slashes.
    content: what is in it; text becomes UTF-8 as it is, line ends included.
    source: a file of the controller to take the content from, instead.
    acl: who may do what; None leaves the access list alone (a new file inherits its folder's).
    once: written only when the file is not there; later changes of it are somebody's own.
    state: ``absent`` removes the file.
    """

    kind: ClassVar[str] = "file"
    path: str
    content: str | bytes | Secret | None = None
    source: Path | None = None
    acl: Acl | None = None
    once: bool = False
    state: Wanted = "present"

    def __post_init__(self) -> None:
        windows_path(self.path)
        if self.state == "present" and (self.content is None) == (self.source is None):
            raise InvalidResourceError(f"file {self.path} has either content or source")

    @property
    def label(self) -> str:
        """The path as the settings write it."""
        return self.path

    @property
    def uploads(self) -> tuple[Upload, ...]:
        """The upload that has to come before the change, for a large source."""
        if self.state == "absent" or self.source is None or self.source.stat().st_size <= INLINE_BYTES:
            return ()
        return (Upload(self.source, windows_path(self.path) + ".upload"),)


@lru_cache(maxsize=256)
def _hash_of(path: Path, _changed: int, _size: int) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _content(file: File) -> bytes:
    if file.source is not None:
        return file.source.read_bytes()
    content = file.content
    if isinstance(content, Secret):
        content = content.reveal()
    return content if isinstance(content, bytes) else (content or "").encode()


def _sha256(file: File) -> str:
    if file.source is not None:
        status = file.source.stat()
        return _hash_of(file.source, status.st_mtime_ns, status.st_size)
    return hashlib.sha256(_content(file)).hexdigest()


def _key(file: File) -> Mapping[str, Json]:
    return {"path": windows_path(file.path)}


def _desired(file: File) -> Mapping[str, Json]:
    path = windows_path(file.path)
    if file.state == "absent":
        return {"state": "absent", "path": path}
    wanted: dict[str, Json] = {
        "state": "present",
        "path": path,
        "sddl": file.acl.sddl(folder=False) if file.acl else "",
        "sha256": _sha256(file),
        "once": file.once,
        "staged": "",
        "content": "",
    }
    if file.uploads:
        return wanted | {"staged": file.uploads[0].target}
    encoded = base64.b64encode(_content(file)).decode("ascii")
    return wanted | {"content": Secret(encoded) if isinstance(file.content, Secret) else encoded}


def _differences(file: File, state: State) -> tuple[Difference, ...]:
    wanted = dict(access_fields(file.acl.sddl(folder=False)) if file.acl else {})
    if file.state == "present" and not file.once:
        wanted["content"] = f"sha256 {_sha256(file)[:16]}"
    return compare(
        file.state,
        state,
        wanted,
        lambda value: {**access_fields(value["sddl"]), "content": f"sha256 {value['sha256'][:16]}"},
        secret={"content"} if isinstance(file.content, Secret) else (),
    )


KIND = Kind("file", File, Path(__file__).with_suffix(".ps1"), _key, _desired, _differences)
