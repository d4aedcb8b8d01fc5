"""Where the programs outside the tree are: the variable first, then PATH, then ``shared/tools`` beside the checkout.

Every lookup answers a path or None and starts nothing.
"""

from __future__ import annotations

import os
import shutil
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
BESIDE = ROOT.parent / "shared" / "tools"


def _found(variable: str, on_path: str | None, beside: str) -> Path | None:
    named = os.environ.get(variable)
    if named:
        return Path(named) if Path(named).exists() else None
    installed = shutil.which(on_path) if on_path else None
    if installed:
        return Path(installed)
    candidate = BESIDE / beside
    return candidate if candidate.exists() else None


def find_pwsh() -> Path | None:
    """A PowerShell 7 for Linux."""
    return _found("MAILHOST_PWSH", "pwsh", "pwsh/pwsh")


def find_mysql_maker() -> Path | None:
    """The script that lays a private MySQL into a folder."""
    return _found("MAILHOST_MYSQL", None, "mysql/make-mysql.sh")


def find_winpy_maker() -> Path | None:
    """The script that builds a Windows CPython for Wine."""
    return _found("MAILHOST_WINPY", None, "winpy/make-winpy.sh")


def find_server_program(name: str) -> Path | None:
    """A daemon that Debian keeps in ``/usr/sbin``, which is not on every user's PATH."""
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
    installed = shutil.which(name, path=path)
    return Path(installed) if installed else None
