"""A program with an installer of its own, recognised by the version it leaves in the registry.

The installer is checked, run silently, and its exit codes understood: 0, 3010 and 1641 (done, restart needed), 1638
(a later version is there). A later version than the wanted one is left alone.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from pyinfra_winrm.kinds.compare import Wanted, compare
from pyinfra_winrm.kinds.download import Download, Upload
from pyinfra_winrm.kinds.errors import InvalidResourceError
from pyinfra_winrm.kinds.service import quoted
from pyinfra_winrm.resource import Difference, Json, Kind, State


@dataclass(frozen=True, kw_only=True, slots=True)
class Program:
    """An installed program.

    name: what it is called; also names the installer while it lies on the host.
    download: the installer, and how it is recognised.
    arguments: for a silent installation.
    detect_key: the registry key it leaves, with forward slashes.
    detect_value: the value there that holds its version.
    version: the lowest version that will do; empty for any.
    uninstall: arguments that make the installer remove it.
    state: ``absent`` removes it.
    """

    kind: ClassVar[str] = "program"
    name: str
    download: Download
    detect_key: str
    detect_value: str = "Version"
    version: str = ""
    arguments: tuple[str, ...] = ("/install", "/quiet", "/norestart")
    uninstall: tuple[str, ...] = ("/uninstall", "/quiet", "/norestart")
    state: Wanted = "present"

    def __post_init__(self) -> None:
        if not re.fullmatch(r"[A-Za-z0-9._-]+", self.name):
            raise InvalidResourceError(f"program name {self.name!r} is not of letters, digits, dots and dashes")

    @property
    def label(self) -> str:
        """The name."""
        return self.name

    @property
    def uploads(self) -> tuple[Upload, ...]:
        """The installer, when it comes from the controller."""
        return self.download.uploads(_staged(self))


def _staged(program: Program) -> str:
    return f"C:\\Windows\\Temp\\{program.name}-installer.exe"


def _key(program: Program) -> Mapping[str, Json]:
    return {
        "name": program.name,
        "detect_key": program.detect_key.replace("/", "\\"),
        "detect_value": program.detect_value,
    }


def _desired(program: Program) -> Mapping[str, Json]:
    arguments = program.arguments if program.state == "present" else program.uninstall
    return {
        **_key(program),
        "state": program.state,
        "download": program.download.desired(_staged(program)),
        "arguments": " ".join(quoted(argument) for argument in arguments),
    }


def version_of(text: str) -> tuple[int, ...]:
    """A version as numbers that compare: ``v14.38.33135.00`` is (14, 38, 33135)."""
    numbers = [int(number) for number in re.findall(r"\d+", text)]
    while numbers and numbers[-1] == 0:
        numbers.pop()
    return tuple(numbers)


def _differences(program: Program, state: State) -> tuple[Difference, ...]:
    wanted = {"version": f"{program.version} or later"} if program.version else {}

    def current(value: Mapping[str, Json]) -> Mapping[str, Json]:
        enough = version_of(value["version"]) >= version_of(program.version)
        return {"version": wanted["version"] if enough and wanted else value["version"]}

    return compare(program.state, state, wanted, current)


KIND = Kind("program", Program, Path(__file__).with_suffix(".ps1"), _key, _desired, _differences)
