"""A Korean Server 2019: code page 949, Korean output of native programs, a user whose folder has a Korean name."""

from __future__ import annotations

from lab.hosts.bare import bare
from lab.model.host import Host

USER = "관리자"


def korean(host: Host) -> None:
    """Prepares it."""
    values = {
        "code_page": 949,
        "ansi_code_page": 949,
        "culture": "ko-KR",
        "user": USER,
        "profile": f"C:\\Users\\{USER}",
    }
    for name, value in values.items():
        host.system.set(name, value)
    bare(host)
    for folder in ("Desktop", "AppData\\Local\\Temp", "문서"):
        host.files.create_directory(f"C:\\Users\\{USER}\\{folder}")
