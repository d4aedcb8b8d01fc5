"""Windows paths and the folder that stands for drive C: names without case, backslashes only, the 260 limit.

``Drive.real`` finds the real path of a Windows path, whatever its case; it does not check access. What a path means to
a program that was started from a recorded command line is ``Drive.translate``'s.
"""

from __future__ import annotations

import re
from pathlib import Path

from lab.model.errors import ERROR_FILENAME_EXCED_RANGE, ERROR_INVALID_NAME, HostError

MAX_PATH = 260  # characters with the closing NUL; .NET 4.7.2 on Server 2019 without LongPathsEnabled
MAX_DIRECTORY = 248  # CreateDirectory leaves room for an 8.3 name
_FORBIDDEN = re.compile(r'[<>"|?*\x00-\x1f:]')
_DEVICES = re.compile(r"(?:con|prn|aux|nul|com\d|lpt\d)(?:\..*)?", re.IGNORECASE)
_ABSOLUTE = re.compile(r"[cC]:[\\/]")


def invalid(path: str, why: str) -> HostError:
    """The error for a name that Windows does not take."""
    return HostError("other", f"'{path}' is not a valid path here: {why}.", path, ERROR_INVALID_NAME)


def split(path: str) -> list[str]:
    """The names of an absolute path on drive C, checked as Windows checks them."""
    if "/" in path:
        raise invalid(path, "it has a forward slash")
    if path.startswith("\\\\?\\"):
        path = path[4:]
    elif len(path) >= MAX_PATH:
        raise HostError("other", f"The path '{path}' is too long.", path, ERROR_FILENAME_EXCED_RANGE)
    if not re.match(r"[A-Za-z]:\\", path):
        raise invalid(path, "it is not absolute")
    if path[0] not in "cC":
        raise HostError("not-found", f"Cannot find drive '{path[0]}'.", path)
    names = [name for name in path[3:].split("\\") if name]
    for name in names:
        if _FORBIDDEN.search(name) or name in (".", ".."):
            raise invalid(path, f"'{name}' cannot be a name")
        if name[-1] in ". " or _DEVICES.fullmatch(name):
            raise invalid(path, f"Windows would take '{name}' for another name")
    return names


def join(names: list[str]) -> str:
    """The Windows path of names below drive C."""
    return "C:\\" + "\\".join(names)


def parent(path: str) -> str:
    """The folder above."""
    return join(split(path)[:-1])


class Drive:
    """The folder that is drive C."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def real(self, path: str) -> Path:
        """The real path: existing names in the case they have, missing ones as written."""
        here = self.root
        for name in split(path):
            here = self._child(here, name)
        return here

    def windows(self, real: Path) -> str | None:
        """The Windows path of a real one, None outside the drive."""
        try:
            return join(list(real.relative_to(self.root).parts))
        except ValueError:
            return None

    def stored(self, path: str) -> str:
        """The path in the case that is on the disk."""
        return self.windows(self.real(path)) or path

    def translate(self, text: str) -> str:
        """The real path for an absolute Windows path in either slash; any other text stays."""
        if not _ABSOLUTE.match(text):
            return text
        try:
            return str(self.real(text.replace("/", "\\")))
        except HostError:
            return text

    @staticmethod
    def _child(directory: Path, name: str) -> Path:
        exact = directory / name
        if exact.exists() or exact.is_symlink():
            return exact
        folded = name.casefold()
        try:
            for other in directory.iterdir():
                if other.name.casefold() == folded:
                    return other
        except OSError:
            pass
        return exact
