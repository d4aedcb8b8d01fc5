"""The PowerShell that a session sends: the command line that starts it, and the scripts it then loads.

The command line stays below what cmd.exe takes; everything longer travels over stdin. Comments and indentation stay
in the files, so that what fails on a host can be found here.
"""

from __future__ import annotations

import base64
import json
import re
from functools import cache
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).resolve().parent

# cmd.exe, through which WinRS starts every program, takes 8,191 characters.
LONGEST_COMMAND: Final = 8191

_LANGUAGE_MODE: Final = (
    "PowerShell is in constrained language mode for this account; application control (AppLocker, WDAC) "
    "decides that: allow the account full language, or manage the host with another one"
)


def shorten(script: str) -> str:
    """The script without comment lines and indentation; here-strings are not used in it."""
    lines = (line.strip() for line in script.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("#"))


def bootstrap() -> str:
    """The script of the command line; it can do no more than load the others."""
    failure = {"id": 0, "ok": False, "error": {"code": "language-mode", "message": _LANGUAGE_MODE, "what": ""}}
    constant = base64.b64encode(json.dumps(failure).encode()).decode()
    text = (HERE / "bootstrap.ps1").read_text(encoding="utf-8")
    return shorten(text.replace("<LANGUAGE-MODE>", constant))


@cache
def command_line() -> str:
    """What WinRS starts: one PowerShell that reads requests until its input ends."""
    encoded = base64.b64encode(bootstrap().encode("utf-16-le")).decode()
    line = f"powershell.exe -NoProfile -NonInteractive -OutputFormat Text -EncodedCommand {encoded}"
    if len(line) > LONGEST_COMMAND:
        raise ValueError(f"the bootstrap makes a command line of {len(line)} characters, {LONGEST_COMMAND} fit")
    return line


@cache
def host_script(name: str) -> str:
    """One of the scripts that every session loads: ``host`` or ``seam``."""
    if not re.fullmatch(r"host|seam", name):
        raise ValueError(f"no such host script: {name}")
    parts = ("seam", "windows") if name == "seam" else (name,)
    return "\n".join((HERE / f"{part}.ps1").read_text(encoding="utf-8") for part in parts)
