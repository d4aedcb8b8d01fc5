"""Stand-ins for what a deploy fetches from the internet: the same file names, and nothing in them that runs.

On the lab Python, MySQL and the VC++ runtime are this machine's own (``lab.model.standins``); what is unpacked there
only has to lie where the real thing would. The same bytes each time, so that they can be pinned by their hash.
"""

from __future__ import annotations

import io
import tempfile
import zipfile
from collections.abc import Iterable
from pathlib import Path

TEXT = b"The lab's stand-in: a program of this machine runs in its place.\r\n"
EPOCH = (2020, 1, 1, 0, 0, 0)
PYTHON = "python.zip"
MYSQL = "mysql.zip"
RUNTIME = "vc_redist.x64.exe"


def make(folder: Path) -> Path:
    """Puts the stand-ins into a folder, unless they are there; returns it. Several runs may do it at once."""
    folder.mkdir(parents=True, exist_ok=True)
    programs = ("mysqld", "mysql", "mysqladmin", "mysqldump")
    _put(folder / PYTHON, _archive(["tools/python.exe"]))
    _put(folder / MYSQL, _archive([f"mysql-winx64/bin/{name}.exe" for name in programs]))
    _put(folder / RUNTIME, TEXT)
    return folder


def _archive(names: Iterable[str]) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        for name in names:
            archive.writestr(zipfile.ZipInfo(name, EPOCH), TEXT)
    return content.getvalue()


def _put(path: Path, content: bytes) -> None:
    """Whole or not at all, so that nobody who starts meanwhile finds half of it."""
    if path.exists():
        return
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=".making-", delete=False) as part:
        part.write(content)
    Path(part.name).replace(path)
