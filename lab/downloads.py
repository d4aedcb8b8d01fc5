"""Stand-ins for what a deploy fetches from the internet: the same file names, and nothing in them that runs.

On the lab Python, MySQL and the VC++ runtime are this machine's own (``lab.model.standins``); what is unpacked there
only has to lie where the real thing would. The same bytes each time, so that they can be pinned by their hash.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable
from pathlib import Path

TEXT = b"The lab's stand-in: a program of this machine runs in its place.\r\n"
EPOCH = (2020, 1, 1, 0, 0, 0)
PYTHON = "python.zip"
MYSQL = "mysql.zip"
RUNTIME = "vc_redist.x64.exe"


def make(folder: Path) -> Path:
    """Puts the stand-ins into a folder, unless they are there; returns it."""
    folder.mkdir(parents=True, exist_ok=True)
    _archive(folder / PYTHON, ["tools/python.exe"])
    programs = ("mysqld", "mysql", "mysqladmin", "mysqldump")
    _archive(folder / MYSQL, [f"mysql-winx64/bin/{name}.exe" for name in programs])
    _write(folder / RUNTIME, TEXT)
    return folder


def _archive(path: Path, names: Iterable[str]) -> None:
    if path.exists():
        return
    part = path.with_suffix(".part")
    with zipfile.ZipFile(part, "w") as archive:
        for name in names:
            archive.writestr(zipfile.ZipInfo(name, EPOCH), TEXT)
    part.replace(path)


def _write(path: Path, content: bytes) -> None:
    if not path.exists():
        path.write_bytes(content)
