"""A ZIP archive, fetched or uploaded, unpacked into a folder of its own.

It is checked before anything is unpacked, unpacked beside the folder and moved there whole. A record inside remembers
what it came from and how many files it had, so that a later archive and a damaged folder both show.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from pyinfra_winrm.kinds.compare import Wanted, compare
from pyinfra_winrm.kinds.download import Download, Upload
from pyinfra_winrm.kinds.errors import InvalidResourceError
from pyinfra_winrm.kinds.paths import windows_path
from pyinfra_winrm.resource import Difference, Json, Kind, State


@dataclass(frozen=True, kw_only=True, slots=True)
class Archive:
    """An unpacked archive.

    path: the folder it fills; nothing else belongs in there.
    download: where it comes from and how it is recognised.
    strip: leave out the one folder that everything in the archive lies in.
    signed: a file in it, ``bin/mysqld.exe``, that must carry the publisher's signature.
    state: ``absent`` removes the folder.
    """

    kind: ClassVar[str] = "archive"
    path: str
    download: Download | None = None
    strip: bool = True
    signed: str = ""
    state: Wanted = "present"

    def __post_init__(self) -> None:
        windows_path(self.path)
        if self.state == "absent":
            return
        if self.download is None:
            raise InvalidResourceError(f"archive {self.path} has no download")
        if bool(self.download.publisher) != bool(self.signed):
            raise InvalidResourceError(
                f"archive {self.path}: a publisher needs the signed file to look at, and the other way round"
            )

    @property
    def label(self) -> str:
        """The folder."""
        return self.path

    @property
    def uploads(self) -> tuple[Upload, ...]:
        """The archive itself, when it comes from the controller."""
        if self.state == "absent" or self.download is None:
            return ()
        return self.download.uploads(_staged(self))


def _staged(archive: Archive) -> str:
    return windows_path(archive.path) + ".zip"


def _key(archive: Archive) -> Mapping[str, Json]:
    return {"path": windows_path(archive.path)}


def _desired(archive: Archive) -> Mapping[str, Json]:
    wanted: dict[str, Json] = {"state": archive.state, **_key(archive)}
    if archive.download is None or archive.state == "absent":
        return wanted
    return wanted | {
        "download": archive.download.desired(_staged(archive)),
        "strip": archive.strip,
        "signed": archive.signed.replace("/", "\\"),
    }


def _differences(archive: Archive, state: State) -> tuple[Difference, ...]:
    wanted: dict[str, Json] = {}
    if archive.state == "present" and archive.download is not None:
        wanted = {"strip": archive.strip, "content": "as unpacked"}
        if archive.download.sha256:
            wanted["download.sha256"] = archive.download.sha256
        if archive.download.publisher:
            wanted |= {"download.publisher": archive.download.publisher, "signed": archive.signed.replace("/", "\\")}
    return compare(archive.state, state, wanted, _current)


def _current(value: Mapping[str, Json]) -> Mapping[str, Json]:
    record = value["record"]
    unpacked = (record.get("files"), record.get("bytes"))
    found = (value["files"], value["bytes"])
    return {
        "strip": record.get("strip"),
        "signed": record.get("signed"),
        "download.sha256": record.get("sha256"),
        "download.publisher": record.get("publisher"),
        "content": "as unpacked" if found == unpacked else f"{found[0]} files of {found[1]} bytes",
    }


KIND = Kind("archive", Archive, Path(__file__).with_suffix(".ps1"), _key, _desired, _differences)
