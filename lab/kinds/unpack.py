"""ZIP archives and trees of files in the model.

What an archive holds is written below its folder and nowhere else; a tree is measured without what
programs cache in it.
"""

from __future__ import annotations

import io
import os
import zipfile
from pathlib import PurePosixPath

from lab.model.errors import HostError
from lab.model.host import Host

CACHES = ("__pycache__",)


def expand(host: Host, archive: str, folder: str, inside: str, *, strip: bool) -> None:
    """Unpacks into a new folder: only what lies in ``inside``, or without the one top folder."""
    with zipfile.ZipFile(io.BytesIO(host.files.read(archive))) as opened:
        names = [entry.filename for entry in opened.infolist() if not entry.is_dir()]
        prefix = inside.replace("\\", "/").strip("/") + "/" if inside else _top(names) if strip else ""
        chosen = [name for name in names if name.startswith(prefix)]
        if not chosen:
            raise HostError("other", f"'{archive}' holds nothing in '{prefix}'.", archive)
        host.files.create_directory(folder)
        for name in chosen:
            host.drive.real(folder)
            parts = PurePosixPath(name.removeprefix(prefix)).parts
            if ".." in parts or any(":" in part or "\\" in part for part in parts):
                raise HostError("other", f"'{archive}' holds '{name}', which lies outside of it.", archive)
            target = host.drive.real(folder + "\\" + "\\".join(parts))
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(opened.read(name))


def _top(names: list[str]) -> str:
    tops = {name.partition("/")[0] for name in names}
    return f"{tops.pop()}/" if len(tops) == 1 and all("/" in name for name in names) else ""


def measure(host: Host, folder: str, besides: str) -> dict[str, int]:
    """How many files a tree has and their bytes, the one named right below it left out."""
    top = host.drive.real(folder)
    files = size = 0
    for place, folders, names in os.walk(top):
        folders[:] = [name for name in folders if name not in CACHES and not os.path.islink(os.path.join(place, name))]
        for name in names:
            real = os.path.join(place, name)
            if os.path.islink(real) or (place == str(top) and name == besides):
                continue
            files += 1
            size += os.stat(real).st_size
    return {"files": files, "bytes": size}
