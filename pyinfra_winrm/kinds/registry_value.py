r"""One value of the registry, with its type.

Only this value is read and written; the key is made when it is missing and never removed. Numbers are compared as
unsigned, the way the registry keeps them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from pyinfra_winrm.kinds.compare import Wanted, compare
from pyinfra_winrm.kinds.errors import InvalidResourceError
from pyinfra_winrm.resource import Difference, Json, Kind, State

RegistryType = Literal["string", "expand", "dword", "qword", "multi", "binary"]

# .NET's RegistryValueKind, which both the script and the comparison use
TYPES = {
    "string": "String", "expand": "ExpandString", "dword": "DWord", "qword": "QWord", "multi": "MultiString",
    "binary": "Binary",
}  # fmt: skip
_FITS: Mapping[str, type | tuple[type, ...]] = {
    "string": str, "expand": str, "dword": int, "qword": int, "multi": tuple, "binary": bytes,
}  # fmt: skip
_HIVES = ("HKLM", "HKU", "HKCR")


@dataclass(frozen=True, kw_only=True, slots=True)
class RegistryValue:
    """A value of a registry key.

    key: the key, with forward slashes: ``HKLM/SOFTWARE/Example``.
    name: the value's name; empty for the key's default value.
    value: text, number, tuple of texts or bytes, as the type has it.
    type: ``string``, ``expand`` (with %VARIABLES%), ``dword``, ``qword``, ``multi``, ``binary``.
    state: ``absent`` removes the value, never its key.
    """

    kind: ClassVar[str] = "registry_value"
    key: str
    name: str
    value: str | int | tuple[str, ...] | bytes = ""
    type: RegistryType = "string"
    state: Wanted = "present"

    def __post_init__(self) -> None:
        if self.key.replace("\\", "/").split("/")[0].upper() not in _HIVES:
            raise InvalidResourceError(f"registry key {self.key!r} starts with none of {', '.join(_HIVES)}")
        if self.state == "present" and not isinstance(self.value, _FITS[self.type]):
            raise InvalidResourceError(f"registry value {self.label}: {self.value!r} is no {self.type}")

    @property
    def label(self) -> str:
        """Key and name."""
        return f"{self.key}/{self.name}" if self.name else self.key


def _data(value: RegistryValue) -> Json:
    if isinstance(value.value, bytes):
        return value.value.hex()
    if isinstance(value.value, tuple):
        return list(value.value)
    if isinstance(value.value, int):
        return value.value & (0xFFFFFFFF if value.type == "dword" else 0xFFFFFFFFFFFFFFFF)
    return value.value


def _key(value: RegistryValue) -> Mapping[str, Json]:
    return {"key": value.key.replace("/", "\\"), "name": value.name}


def _desired(value: RegistryValue) -> Mapping[str, Json]:
    wanted = {**_key(value), "state": value.state}
    return wanted if value.state == "absent" else {**wanted, "type": TYPES[value.type], "data": _data(value)}


def _current(value: Mapping[str, Json]) -> Mapping[str, Json]:
    kind, data = value["type"], value["data"]
    if kind in {"DWord", "QWord"}:
        data &= 0xFFFFFFFF if kind == "DWord" else 0xFFFFFFFFFFFFFFFF
    return {"type": kind, "value": data}


def _differences(value: RegistryValue, state: State) -> tuple[Difference, ...]:
    wanted = {} if value.state == "absent" else {"type": TYPES[value.type], "value": _data(value)}
    return compare(value.state, state, wanted, _current)


KIND = Kind("registry_value", RegistryValue, Path(__file__).with_suffix(".ps1"), _key, _desired, _differences)
