"""A virtual directory of IIS: a path of a site that is served from a folder of its own.

Read and written through IIS' own configuration library, so that sites, bindings and everything else stay as they are.
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
class IISVirtualDirectory:
    """A path of a site.

    path: the path in addresses, from the site's root; it may be several folders deep.
    folder: the folder on the host that is served there.
    site: the site's name in the IIS manager.
    state: ``absent`` removes the path from the site; the folder stays.
    """

    kind: ClassVar[str] = "iis_virtual_directory"
    path: str
    folder: str = ""
    site: str = "Default Web Site"
    state: Wanted = "present"

    def __post_init__(self) -> None:
        if not self.path.startswith("/") or self.path.endswith("/") or "\\" in self.path:
            raise InvalidResourceError(f"virtual directory {self.path!r}: a path such as /downloads")
        if self.state == "present":
            if not self.folder:
                raise InvalidResourceError(f"virtual directory {self.path} needs a folder")
            windows_path(self.folder)

    @property
    def label(self) -> str:
        """Site and path, as IIS writes them."""
        return f"{self.site}{self.path}"


def _key(directory: IISVirtualDirectory) -> Mapping[str, Json]:
    return {"site": directory.site, "path": directory.path}


def _desired(directory: IISVirtualDirectory) -> Mapping[str, Json]:
    folder = windows_path(directory.folder) if directory.folder else ""
    return {**_key(directory), "folder": folder, "state": directory.state}


def _differences(directory: IISVirtualDirectory, state: State) -> tuple[Difference, ...]:
    wanted = {"folder": windows_path(directory.folder).casefold()} if directory.folder else {}
    return compare(directory.state, state, wanted, lambda value: {"folder": value["folder"].casefold()})


KIND = Kind(
    "iis_virtual_directory", IISVirtualDirectory, Path(__file__).with_suffix(".ps1"), _key, _desired, _differences
)
