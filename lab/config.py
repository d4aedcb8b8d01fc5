"""The lab's private file: where it listens, who may sign on, what it is. Written at each start, 0600."""

from __future__ import annotations

import json
import os
import secrets
import socket
import string
import tempfile
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

NAME = "lab.json"
ENGINES = ("model", "pwsh")
HOSTS = ("bare", "tutorial", "hmailserver", "korean")
# Below the ephemeral ports of Linux (32768) and Windows (49152). No two of a host's ports differ by a multiple of 1000,
# so labs on different bases never want the same port.
BASES: tuple[int, ...] = (*range(20_000, 29_000, 1_000), *range(10_000, 20_000, 1_000))
KOREAN_USER = "관리자"
PORTS_TAKEN = 75  # EX_TEMPFAIL: the exit status of a lab that finds its ports taken; another base may be free
USED = (0, 25, 80, 110, 143, 443, 465, 587, 993, 995, 3306)


@dataclass(frozen=True, slots=True)
class LabConfig:
    """Everything a client of the lab needs."""

    engine: str = "model"
    kind: str = "bare"
    host: str = "127.0.0.1"
    http: int = 0
    https: int = 0
    port_base: int = 0
    user: str = "Administrator"
    password: str = ""
    ca: str = ""
    fingerprint: str = ""
    control: int = 0
    token: str = ""
    pid: int = 0


def default_folder() -> Path:
    """``MAILHOST_LAB``, or ``.lab`` in the checkout."""
    given = os.environ.get("MAILHOST_LAB")
    return Path(given).absolute() if given else Path(__file__).resolve().parent.parent / ".lab"


def load(folder: Path) -> LabConfig | None:
    """The lab's file, None when there is no lab."""
    try:
        values: dict[str, Any] = json.loads((folder / NAME).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    known = {name: values[name] for name in LabConfig.__slots__ if name in values}
    return LabConfig(**known)


def save(folder: Path, config: LabConfig) -> None:
    """Writes the file for its owner alone."""
    folder.mkdir(parents=True, exist_ok=True)
    temporary = folder / (NAME + ".new")
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(asdict(config), file, indent=1)
        file.write("\n")
    temporary.replace(folder / NAME)


def completed(config: LabConfig, folder: Path) -> LabConfig:
    """With a password and a token of its own; a base of free ports when it has none yet."""
    alphabet = string.ascii_letters + string.digits
    user = KOREAN_USER if config.kind == "korean" else config.user
    password = config.password or "".join(secrets.choice(alphabet) for _ in range(24))
    base = config.port_base or free_base(folder)
    return replace(config, user=user, password=password, token=secrets.token_hex(16), port_base=base)


def free_base(folder: Path) -> int:
    """The first base whose ports are all free and that no other lab keeps; ``MAILHOST_LAB_PORT_BASE`` decides when set.

    A lab that is stopped keeps its base, since the host deployed on it listens above it; one whose folder is gone does
    not.
    """
    given = os.environ.get("MAILHOST_LAB_PORT_BASE", "")
    if given.isdigit():
        return int(given)
    bindable = [base for base in BASES if all(free(base + port) for port in USED)]
    kept = next((base for base in bindable if _keep(base, folder.absolute())), None)
    if kept is None and not bindable:
        raise OSError(f"no free ports for another lab above any of {len(BASES)} bases: stop one")
    return bindable[0] if kept is None else kept


def _keep(base: int, folder: Path) -> bool:
    """Notes that this lab has the base; False when another lab that still exists has it."""
    notes = Path(tempfile.gettempdir()) / f"mailhost-lab-bases-{os.getuid()}"
    notes.mkdir(mode=0o700, exist_ok=True)
    note = notes / str(base)
    try:
        with note.open("x", encoding="utf-8") as fresh:
            fresh.write(str(folder))
    except FileExistsError:
        owner = Path(note.read_text(encoding="utf-8") or "/nowhere")
        if owner != folder and owner.is_dir():
            return False
        note.write_text(str(folder), encoding="utf-8")
    return True


def free(port: int) -> bool:
    """Whether a port of 127.0.0.1 can be had."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
