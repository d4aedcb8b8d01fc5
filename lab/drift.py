"""Changes by hand that a deploy should find: what people do on a console at night, one each on what is there."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from lab.lifecycle import call

SETTINGS = "C:\\Mailhost\\etc\\maild.toml"
SERVICE = "maild"
KINDS = ("firewall", "service", "file", "acl", "task", "time")


def drift(folder: Path, kind: str) -> str:
    """Makes one change and says which; an empty text when there is nothing of that kind to change."""
    changes: dict[str, Callable[[Path], str]] = {
        "firewall": _firewall,
        "service": _service,
        "file": _file,
        "acl": _acl,
        "task": _task,
        "time": _time,
    }
    return changes[kind](folder)


def _firewall(folder: Path) -> str:
    for name, text in call(folder, "firewall.rules").items():
        if "EmbedCtxt=Mailhost|" in text and "Active=TRUE" in text:
            call(folder, "firewall.set", name=name, text=text.replace("Active=TRUE", "Active=FALSE"))
            return f"firewall rule {name}: switched off"
    return ""


def _service(folder: Path) -> str:
    if not call(folder, "services.exists", name=SERVICE):
        return ""
    call(folder, "services.configure", name=SERVICE, fields={"start": "manual"})
    return f"service {SERVICE}: start type set to manual"


def _file(folder: Path) -> str:
    found: dict[str, Any] | None = call(folder, "files.stat", path=SETTINGS)
    if found is None:
        return ""
    content: bytes = call(folder, "files.read", path=SETTINGS)
    call(folder, "files.write", path=SETTINGS, data=content + b"\n# changed by hand\n")
    return f"file {SETTINGS}: a line was added"


def _acl(folder: Path) -> str:
    place = "C:\\Mailhost"
    if call(folder, "files.stat", path=place) is None:
        return ""
    sddl: str = call(folder, "files.sddl", path=place)
    call(folder, "files.set_sddl", path=place, sddl=sddl + "(A;OICI;FA;;;WD)")
    return f"folder {place}: everyone may do everything"


def _task(folder: Path) -> str:
    for path in call(folder, "tasks.paths", folder="\\Mailhost"):
        call(folder, "tasks.delete", path=path)
        return f"task {path}: deleted"
    return ""


def _time(folder: Path) -> str:
    call(folder, "time.configure", servers="192.0.2.1,0x8")
    return "time: another server was set"
