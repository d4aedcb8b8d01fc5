"""A folder and who may do what in it.

The folder is made with its access list in one step, so that it is never there with the rights its parent hands down.
What lies in it is left alone, unless its removal is asked for.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from pyinfra_winrm.kinds.acl import Acl, access_fields
from pyinfra_winrm.kinds.compare import Wanted, compare
from pyinfra_winrm.kinds.paths import windows_path
from pyinfra_winrm.resource import Difference, Json, Kind, State


@dataclass(frozen=True, kw_only=True, slots=True)
class Directory:
    """A folder.

    path: where, with forward slashes: ``C:/Mailhost/etc``.
    acl: who may do what; None leaves the access list alone.
    adopt: take over a folder that another account owns; False refuses it, for its owner can change its rights.
    purge: with ``state="absent"``, remove what is in it too.
    state: ``absent`` removes an empty folder.
    """

    kind: ClassVar[str] = "directory"
    path: str
    acl: Acl | None = None
    adopt: bool = True
    purge: bool = False
    state: Wanted = "present"

    def __post_init__(self) -> None:
        windows_path(self.path)

    @property
    def label(self) -> str:
        """The path as the settings write it."""
        return self.path


def _key(directory: Directory) -> Mapping[str, Json]:
    return {"path": windows_path(directory.path)}


def _desired(directory: Directory) -> Mapping[str, Json]:
    return {
        "state": directory.state,
        "path": windows_path(directory.path),
        "sddl": directory.acl.sddl(folder=True) if directory.acl else "",
        "adopt": directory.adopt,
        "purge": directory.purge,
    }


def _differences(directory: Directory, state: State) -> tuple[Difference, ...]:
    wanted = access_fields(directory.acl.sddl(folder=True)) if directory.acl else {}
    return compare(directory.state, state, wanted, lambda value: access_fields(value["sddl"]))


KIND = Kind("directory", Directory, Path(__file__).with_suffix(".ps1"), _key, _desired, _differences)
