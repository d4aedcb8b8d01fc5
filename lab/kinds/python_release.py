"""Releases in the model: the lab's own interpreter with the packages of the lock.

The Windows interpreter is fetched and checked as it would be there, and then left unused: the release runs here.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from lab.kinds import fetch, unpack
from lab.kinds.archive import clear
from lab.kinds.states import ABSENT, Item, Request, present
from lab.model.errors import HostError
from lab.model.host import Host

MANIFEST = "manifest.json"


def read(host: Host, key: Request) -> Item:
    """The manifest, what is really there, which releases are one too many."""
    path = f"{key['folder']}\\{key['id']}"
    if host.files.stat(path) is None:
        return ABSENT
    surplus, held = _surplus(host, key)
    return present(
        manifest=manifest(host, path),
        files=unpack.measure(host, path, MANIFEST)["files"],
        surplus=surplus,
        held=held,
    )


def manifest(host: Host, path: str) -> dict[str, Any]:
    """What the release was made from; nothing for one that is not whole."""
    name = f"{path}\\{MANIFEST}"
    if host.files.stat(name) is None:
        return {}
    found: dict[str, Any] = json.loads(host.files.read(name))
    return found


def _surplus(host: Host, key: Request) -> tuple[list[str], list[str]]:
    """Older releases beyond the ones to keep, and leftovers; apart from them those that a process holds."""
    folder = key["folder"]
    others = [name for name in host.files.names(folder) if name.casefold() != key["id"].casefold()]
    folders = [name for name in others if (host.files.stat(f"{folder}\\{name}") or {})["type"] == "directory"]
    made = {name: manifest(host, f"{folder}\\{name}").get("installed", "") for name in folders}
    older = sorted((name for name in folders if made[name]), key=lambda name: (made[name], name), reverse=True)
    gone = [*older[key["keep"] - 1 :], *(name for name in folders if not made[name])]
    held = [name for name in gone if host.files.holders(f"{folder}\\{name}")]
    return [name for name in gone if name not in held], held


def apply(host: Host, desired: Request) -> None:
    """Builds the release and moves it to its place, removes what is one too many."""
    path = f"{desired['folder']}\\{desired['id']}"
    if desired["state"] == "absent":
        clear(host, path)
        return
    if not _whole(host, path, desired["record"]):
        _build(host, desired, path)
    for staged in (desired["wheels"], desired["python"]["staged"]):
        if host.files.stat(staged) is not None:
            host.files.delete(staged)
    for name in _surplus(host, desired)[0]:
        host.files.delete_directory(f"{desired['folder']}\\{name}", recursive=True)


def _whole(host: Host, path: str, record: Mapping[str, Any]) -> bool:
    if host.files.stat(path) is None:
        return False
    found = manifest(host, path)
    files = unpack.measure(host, path, MANIFEST)["files"]
    return found.get("files") == files and all(found.get(name) == value for name, value in record.items())


def _build(host: Host, desired: Request, path: str) -> None:
    fresh, old, wheels = path + ".new", path + ".old", path + ".wheels"
    fetch.staged(host, desired["python"])
    for folder in (fresh, old, wheels):
        clear(host, folder)
    host.programs.make_interpreter(fresh)
    unpack.expand(host, desired["wheels"], wheels, "", strip=False)
    host.files.write(f"{wheels}\\requirements.txt", desired["requirements"].encode())
    install(host, fresh, wheels)
    clear(host, wheels)
    made = {
        **desired["record"],
        "installed": datetime.now(UTC).isoformat(),
        "files": unpack.measure(host, fresh, MANIFEST)["files"],
    }
    host.files.write(f"{fresh}\\{MANIFEST}", json.dumps(made).encode())
    if host.files.stat(path) is not None:
        host.files.move(path, old)
    host.files.move(fresh, path)
    clear(host, old)


def install(host: Host, folder: str, wheels: str) -> None:
    """Puts the packages of the lock into the release, each checked against its hash."""
    real, source = host.drive.real(folder), host.drive.real(wheels)
    command = [
        sys.executable,
        "-m",
        "pip",
        "--python",
        str(real / "bin" / "python"),
        "install",
        "--quiet",
        "--no-index",
    ]
    command += ["--disable-pip-version-check", "--no-deps", "--require-hashes", "--find-links", str(source)]
    done = subprocess.run(
        [*command, "-r", str(source / "requirements.txt")], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        said = done.stderr.strip().splitlines()
        raise HostError("other", f"The packages of the release: {said[-1] if said else done.returncode}", folder)
