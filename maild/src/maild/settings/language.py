"""The language to speak in before there are settings: what the file says even when it cannot be used, else the system.

It never fails: a file that is missing, unreadable or no TOML leaves the decision to the locale of whoever calls.
"""

from __future__ import annotations

import locale
import re
from collections.abc import Mapping
from pathlib import Path

_LINE = re.compile(r'(?m)^\s*language\s*=\s*["\'](en|ko)["\']')
VARIABLES = ("LC_ALL", "LC_MESSAGES", "LANG")
"""Where POSIX looks for the language of messages, the first that is set (XBD 8.2)."""


def language_of(file: Path, environ: Mapping[str, str]) -> str:
    """``en`` or ``ko``."""
    try:
        text = file.read_text(encoding="utf-8-sig")
    except (OSError, ValueError):
        return language_of_locale(environ)
    found = _LINE.search(text)
    return found[1] if found else language_of_locale(environ)


def language_of_locale(environ: Mapping[str, str]) -> str:
    """``ko`` where the locale is Korean; on Windows, where no variable says so, it is that of the user."""
    named = next((environ[name] for name in VARIABLES if environ.get(name)), locale.getlocale()[0] or "")
    return "ko" if named.casefold().startswith("ko") else "en"
