"""The lab's private file: where it listens, who may sign on, what it is. Written at each start, 0600."""

from __future__ import annotations

import json
import os
import secrets
import string
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

NAME = "lab.json"
ENGINES = ("model", "pwsh")
HOSTS = ("bare", "tutorial", "hmailserver", "korean")
KOREAN_USER = "관리자"
PORTS_TAKEN = 75  # EX_TEMPFAIL: the exit status of a lab that finds its ports taken; another base may be free


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


def completed(config: LabConfig) -> LabConfig:
    """With a password and a token of its own."""
    alphabet = string.ascii_letters + string.digits
    user = KOREAN_USER if config.kind == "korean" else config.user
    password = config.password or "".join(secrets.choice(alphabet) for _ in range(24))
    return replace(config, user=user, password=password, token=secrets.token_hex(16))
