"""What every settings table is made of: an immutable struct whose keys carry their own description.

``key()`` is the metadata of one key: its sentence for the documented example and the bounds msgspec checks. Units are
part of the key's name (``_seconds``, ``_bytes``, ``_minutes``), so a value can never be read in the wrong one.
"""

from __future__ import annotations

from typing import Any

import msgspec


class Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of the settings file: immutable, every key by name, unknown keys refused."""


def key(description: str, **bounds: Any) -> msgspec.Meta:
    """The metadata of one key: its description, and msgspec's bounds (``ge``, ``le``, ``pattern``, ...)."""
    return msgspec.Meta(description=description, **bounds)
