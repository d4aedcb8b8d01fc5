"""A junction: a name for a folder elsewhere on the host, which programs follow as if it were that folder.

Only the name is made, moved and removed, never what it leads to; a real folder or file of that name is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from pyinfra_winrm.kinds.compare import Wanted, compare
from pyinfra_winrm.kinds.errors import InvalidResourceError
from pyinfra_winrm.kinds.paths import windows_path
from pyinfra_winrm.resource import Difference, Json, Kind, State


@dataclass(frozen=True, kw_only=True, slots=True)
class Junction:
    """A name for a folder.

    path: the name.
    target: the folder it leads to.
    state: ``absent`` removes the name.
    """

    kind: ClassVar[str] = "junction"
    path: str
    target: str = ""
    state: Wanted = "present"

    def __post_init__(self) -> None:
        windows_path(self.path)
        if self.state == "present":
            if not self.target:
                raise InvalidResourceError(f"junction {self.path} needs a target")
            windows_path(self.target)

    @property
    def label(self) -> str:
        """The name, with forward slashes."""
        return self.path


def _key(junction: Junction) -> Mapping[str, Json]:
    return {"path": windows_path(junction.path)}


def _desired(junction: Junction) -> Mapping[str, Json]:
    target = windows_path(junction.target) if junction.target else ""
    return {**_key(junction), "target": target, "state": junction.state}


def _differences(junction: Junction, state: State) -> tuple[Difference, ...]:
    wanted = {"target": windows_path(junction.target).casefold()} if junction.target else {}
    return compare(junction.state, state, wanted, lambda value: {"target": value["target"].casefold()})


KIND = Kind("junction", Junction, Path(__file__).with_suffix(".ps1"), _key, _desired, _differences)
