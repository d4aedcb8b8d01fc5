r"""Paths as Windows writes them.

Settings use forward slashes; a host gets and reports backslashes. ``windows_path`` makes the one canonical form of
both and refuses what Windows would silently change.
"""

from __future__ import annotations

import re

from pyinfra_winrm.kinds.errors import InvalidResourceError

_FORBIDDEN = re.compile(r'[<>:"|?*\x00-\x1f]')
_DEVICE = re.compile(r"(?i)^(con|prn|aux|nul|com[1-9]|lpt[1-9])(\..*)?$")


def windows_path(path: str) -> str:
    """The absolute path with backslashes, an upper-case drive letter, and no trailing one.

    Raises ``InvalidResourceError`` for a relative path and for names that Windows would change silently.
    """
    parts = path.replace("/", "\\").split("\\")
    drive = parts[0]
    if not re.fullmatch(r"[A-Za-z]:", drive):
        raise InvalidResourceError(f"path {path!r} has no drive: write it as C:/folder/name")
    names = [part for part in parts[1:] if part]
    for name in names:
        if name in {".", ".."} or name[-1] in ". " or _FORBIDDEN.search(name) or _DEVICE.match(name):
            raise InvalidResourceError(f"path {path!r} has the part {name!r}, which Windows does not keep as written")
    return "\\".join([drive.upper(), *names]) if names else drive.upper() + "\\"
