"""The documented settings file: every key with its description and its default, made from the model itself.

What it prints loads to the defaults, so it can be used as a start and can never say something else than the model.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import msgspec

from maild.settings.base import Table
from maild.settings.model import Settings
from maild.settings.reload import NEXT_START

INTRODUCTION = """\
# Settings of maild. Every key is here with its default; only hostname has none. Relative paths are taken from this
# file's folder. `maild reload` loads changes without dropping connections; an unknown key is an error. What
# takes effect at the next start alone: {next_start}.
"""
HOST = "mail.example.net"


def example(language: str = "en", hostname: str = HOST) -> str:
    """The documented example."""
    lines = [INTRODUCTION.format(next_start=", ".join(sorted(NEXT_START)))]
    _write(Settings(hostname=hostname, language="ko" if language == "ko" else "en"), "", lines)
    return "\n".join(lines).rstrip() + "\n"


def _write(table: Table, path: str, lines: list[str]) -> None:
    """Writes the plain keys of a table, then its tables: TOML wants them in that order."""
    later: list[tuple[str, str, Any]] = []
    for field in msgspec.structs.fields(table):
        value = getattr(table, field.name)
        if isinstance(value, Table) or (isinstance(value, tuple) and value and isinstance(value[0], Table)):
            later.append((field.name, _description(field.type), value))
            continue
        lines.append(f"# {_description(field.type)}")
        lines.append(
            f"# {field.name} =" if value is None or _is_tables(field.type) else f"{field.name} = {_value(value)}"
        )
    for name, description, value in later:
        place = f"{path}.{name}" if path else name
        if isinstance(value, Table):
            lines.extend(["", f"# {description}", f"[{place}]"])
            _write(value, place, lines)
        else:
            for number, item in enumerate(value):
                lines.extend(["", *([f"# {description}"] if not number else []), f"[[{place}]]"])
                _write_short(item, lines, described=not number)


def _write_short(table: Table, lines: list[str], *, described: bool) -> None:
    """One of several like tables: described the first time, then values alone."""
    for field in msgspec.structs.fields(table):
        if described:
            lines.append(f"# {_description(field.type)}")
        lines.append(f"{field.name} = {_value(getattr(table, field.name))}")


def _is_tables(annotated: Any) -> bool:
    return "Certificate" in str(annotated) or "BlockList" in str(annotated)


def _description(annotated: Any) -> str:
    metas = getattr(annotated, "__metadata__", ())
    return next((meta.description for meta in metas if isinstance(meta, msgspec.Meta) and meta.description), "")


def _value(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, tuple):
        return "[" + ", ".join(_value(item) for item in value) + "]"
    return json.dumps(value.as_posix() if isinstance(value, Path) else value, ensure_ascii=False)
