"""A release: a whole private Python with its packages in a folder named by version.

It is built beside its place and moved there when it is whole, so that a release that is there can be started. Services
and tasks name the versioned folder. The last few are kept; one that still runs is left and removed by a later run.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from pyinfra_winrm.kinds.compare import Wanted, compare
from pyinfra_winrm.kinds.download import Download, Upload
from pyinfra_winrm.kinds.errors import InvalidResourceError
from pyinfra_winrm.kinds.paths import windows_path
from pyinfra_winrm.resource import Difference, Json, Kind, State

# the longest path of a package below a release stays under Windows' 260 characters
LONGEST_ID = 12


@dataclass(frozen=True, kw_only=True, slots=True)
class PythonRelease:
    """A versioned Python with packages.

    id: the folder's name, at most 12 characters.
    folder: where releases lie.
    python: the archive of the interpreter.
    inside: the folder in that archive that holds ``python.exe``; ``tools`` in the nuget package.
    requirements: the lock, with a hash for every package.
    wheels: a ZIP of the wheels that the lock names.
    keep: so many releases stay, this one included.
    state: ``absent`` removes this release.
    """

    kind: ClassVar[str] = "python_release"
    id: str
    folder: str
    python: Download | None = None
    inside: str = "tools"
    requirements: str = ""
    wheels: Path | None = None
    keep: int = 3
    state: Wanted = "present"

    def __post_init__(self) -> None:
        windows_path(self.folder)
        if not re.fullmatch(rf"[A-Za-z0-9][A-Za-z0-9._-]{{0,{LONGEST_ID - 1}}}", self.id) or self.id.endswith("."):
            raise InvalidResourceError(f"release id {self.id!r}: 1 to {LONGEST_ID} letters, digits, dots and dashes")
        if self.state == "present" and (self.python is None or self.wheels is None):
            raise InvalidResourceError(f"release {self.id} needs a python and wheels")
        if self.keep < 1:
            raise InvalidResourceError("a release keeps at least itself")

    @property
    def label(self) -> str:
        """The id."""
        return self.id

    @property
    def path(self) -> str:
        """The release's own folder, with forward slashes: what services and tasks name."""
        return f"{self.folder.rstrip('/')}/{self.id}"

    @property
    def uploads(self) -> tuple[Upload, ...]:
        """The wheels, and the interpreter when it comes from the controller."""
        if self.state == "absent" or self.python is None or self.wheels is None:
            return ()
        return (*self.python.uploads(_staged(self, "python")), Upload(self.wheels, _staged(self, "wheels")))


def _staged(release: PythonRelease, part: str) -> str:
    return f"{windows_path(release.path)}.{part}.zip"


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _key(release: PythonRelease) -> Mapping[str, Json]:
    return {
        "folder": windows_path(release.folder),
        "id": release.id,
        "keep": release.keep,
    }


def _desired(release: PythonRelease) -> Mapping[str, Json]:
    wanted: dict[str, Json] = {**_key(release), "state": release.state}
    if release.python is None or release.wheels is None or release.state == "absent":
        return wanted
    return wanted | {
        "python": release.python.desired(_staged(release, "python")),
        "inside": release.inside.replace("/", "\\"),
        "requirements": release.requirements,
        "wheels": _staged(release, "wheels"),
        "record": _record(release),
    }


def _record(release: PythonRelease) -> dict[str, Json]:
    """What the release was made from, as its manifest keeps it."""
    if release.python is None or release.wheels is None:
        return {}
    return {
        "python": release.python.sha256 or release.python.publisher,
        "inside": release.inside,
        "requirements": hashlib.sha256(release.requirements.encode()).hexdigest(),
        "wheels": _sha256(release.wheels),
    }


def _differences(release: PythonRelease, state: State) -> tuple[Difference, ...]:
    wanted: dict[str, Json] = {}
    if release.state == "present":
        wanted = {**_record(release), "content": "as installed", "surplus": []}
    return compare(release.state, state, wanted, _current)


def _current(value: Mapping[str, Json]) -> Mapping[str, Json]:
    manifest = value["manifest"]
    installed = value["files"] == manifest.get("files")
    return {
        **{name: manifest.get(name) for name in ("python", "inside", "requirements", "wheels")},
        "content": "as installed" if installed else f"{value['files']} files of {manifest.get('files')}",
        "surplus": sorted(value["surplus"]),
    }


KIND = Kind("python_release", PythonRelease, Path(__file__).with_suffix(".ps1"), _key, _desired, _differences)
