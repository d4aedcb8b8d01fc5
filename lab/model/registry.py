"""The registry: keys without case, typed values, kept in the state file.

A value is ``{"type": ..., "data": ...}`` with .NET's names of the types; binary data is a hexadecimal string and a
MultiString a list, so that a value is the same in Python, JSON and PowerShell. Keys take backslashes only: a forward
slash is part of a name, as on Windows.
"""

from __future__ import annotations

import re
from typing import Any

from lab.model.errors import HostError, not_found
from lab.model.state import Journal, State

Value = dict[str, Any]
TYPES = ("String", "ExpandString", "DWord", "QWord", "MultiString", "Binary")
_ROOTS = {
    "HKEY_LOCAL_MACHINE": "HKLM",
    "HKEY_CURRENT_USER": "HKCU",
    "HKEY_USERS": "HKU",
    "HKEY_CLASSES_ROOT": "HKCR",
}


def canonical(key: str) -> str:
    """``HKLM\\...`` of any way to write the key; its case is kept."""
    root, _, rest = key.strip("\\").partition("\\")
    root = root.rstrip(":").upper()
    root = _ROOTS.get(root, root)
    if root not in _ROOTS.values():
        raise HostError("not-found", f"There is no registry hive '{root}'.", key)
    return f"{root}\\{rest}" if rest else root


def _checked(kind: str, data: Any, what: str) -> Any:
    fits = {
        "String": lambda: isinstance(data, str),
        "ExpandString": lambda: isinstance(data, str),
        "DWord": lambda: isinstance(data, int) and -(2**31) <= data < 2**32,
        "QWord": lambda: isinstance(data, int) and -(2**63) <= data < 2**64,
        "MultiString": lambda: isinstance(data, list) and all(isinstance(item, str) and item for item in data),
        "Binary": lambda: isinstance(data, str) and re.fullmatch(r"(?:[0-9a-fA-F]{2})*", data) is not None,
    }
    if kind not in fits:
        raise HostError("other", f"'{kind}' is not a registry type.", what)
    if not fits[kind]():
        raise HostError("other", f"The value of '{what}' does not fit the type {kind}.", what)
    if kind == "DWord":
        return data & 0xFFFFFFFF
    return data.lower() if kind == "Binary" else data


class Registry:
    """Keys and values; every change is journalled as kind ``registry``."""

    def __init__(self, state: State, journal: Journal) -> None:
        self._state = state
        self._journal = journal

    def exists(self, key: str) -> bool:
        """Whether the key is there."""
        return canonical(key).casefold() in self._keys()

    def get(self, key: str, name: str) -> Value | None:
        """One value, or None without it or its key."""
        with self._state.lock:
            values = self._keys().get(canonical(key).casefold(), {}).get("values", {})
            found = values.get(name.casefold())
            return None if found is None else {"type": found["type"], "data": found["data"]}

    def data(self, key: str, name: str, default: Any = None) -> Any:
        """The data of one value alone."""
        found = self.get(key, name)
        return default if found is None else found["data"]

    def values(self, key: str) -> dict[str, Value] | None:
        """All values of a key by their names, or None without the key."""
        with self._state.lock:
            found = self._keys().get(canonical(key).casefold())
            if found is None:
                return None
            return {row["name"]: {"type": row["type"], "data": row["data"]} for row in found["values"].values()}

    def subkeys(self, key: str) -> list[str]:
        """The names of the keys right below."""
        prefix = canonical(key).casefold() + "\\"
        with self._state.lock:
            below = [row["key"] for folded, row in self._keys().items() if folded.startswith(prefix)]
        names = {
            path[len(prefix) :].partition("\\")[0].casefold(): path[len(prefix) :].partition("\\")[0] for path in below
        }
        return sorted(names.values(), key=str.casefold)

    def create_key(self, key: str) -> None:
        """Makes the key and those above it."""
        path = canonical(key)
        with self._state.lock:
            if path.casefold() in self._keys():
                return
        with self._state.changing():
            parts = path.split("\\")
            for end in range(1, len(parts) + 1):
                part = "\\".join(parts[:end])
                self._keys().setdefault(part.casefold(), {"key": part, "values": {}})
            self._journal.record("registry", path, "state", "absent", "present")

    def set(self, key: str, name: str, type: str, data: Any) -> None:  # noqa: A002 - .NET's word
        """Sets a value and makes its key when needed."""
        path = canonical(key)
        checked = _checked(type, data, f"{path}\\{name}")
        old = self.get(path, name)
        new = {"type": type, "data": checked}
        if old == new:
            return
        self.create_key(path)
        with self._state.changing():
            values = self._keys()[path.casefold()]["values"]
            shown = values.get(name.casefold(), {}).get("name", name)
            values[name.casefold()] = {"name": shown, **new}
            self._journal.record("registry", path, shown, old, new)

    def delete_value(self, key: str, name: str) -> None:
        """Removes a value; nothing happens without it."""
        path = canonical(key)
        old = self.get(path, name)
        if old is None:
            return
        with self._state.changing():
            row = self._keys()[path.casefold()]["values"].pop(name.casefold())
            self._journal.record("registry", path, row["name"], old, None)

    def delete_key(self, key: str, recursive: bool = False) -> None:
        """Removes a key; one with keys below only when asked to."""
        path = canonical(key)
        if not self.exists(path):
            raise not_found(path, "registry key")
        if self.subkeys(path) and not recursive:
            raise HostError("other", f"The registry key '{path}' has subkeys.", path)
        with self._state.changing():
            prefix = path.casefold()
            for folded in [name for name in self._keys() if name == prefix or name.startswith(prefix + "\\")]:
                del self._keys()[folded]
            self._journal.record("registry", path, "state", "present", "absent")

    def _keys(self) -> dict[str, Any]:
        return self._state.section("registry")
