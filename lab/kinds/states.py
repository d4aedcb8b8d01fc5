"""The items that a read answers with, and the type of what travels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Item = dict[str, Any]
Request = Mapping[str, Any]

ABSENT: Item = {"state": "absent"}


def present(**value: Any) -> Item:
    """The resource is there, with these fields."""
    return {"state": "present", "value": value}


def unknown(reason: str) -> Item:
    """The state cannot be told."""
    return {"state": "unknown", "reason": reason}
