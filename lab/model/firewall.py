"""Firewall rules as Windows stores them: one registry string a rule, fields between bars.

The value's name is the rule's identity; ``EmbedCtxt`` is its group. Reading keeps fields it does not know.
"""

from __future__ import annotations

from typing import Any

from lab.model.errors import HostError, not_found
from lab.model.registry import Registry

ROOT = "HKLM\\SYSTEM\\CurrentControlSet\\Services\\SharedAccess\\Parameters\\FirewallPolicy"
KEY = ROOT + "\\FirewallRules"
VERSION = "v2.29"  # Server 2019's
LISTS = ("LPort", "LPort2_10", "RPort", "RA4", "RA6", "LA4", "LA6", "Profile", "IFType")


def parse(text: str) -> dict[str, Any]:
    """Fields of a stored rule; a field that can repeat (LPort, RA4, Profile...) is a list."""
    version, *parts = text.rstrip("|").split("|")
    if not version.startswith("v2."):
        raise HostError("other", f"'{text[:40]}' is not a firewall rule.", text[:40])
    fields: dict[str, Any] = {}
    for part in parts:
        key, _, value = part.partition("=")
        if key in LISTS:
            fields.setdefault(key, []).append(value)
        else:
            fields[key] = value
    return fields


def text_of(fields: dict[str, Any]) -> str:
    """The stored form of fields, in their order."""
    parts = [VERSION]
    for key, value in fields.items():
        for item in value if isinstance(value, list) else [value]:
            if "|" in str(item):
                raise HostError("other", f"A firewall field cannot hold a bar: {item}", str(item))
            parts.append(f"{key}={item}")
    return "|".join(parts) + "|"


class Firewall:
    """The local rules of one host."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def rules(self, group: str | None = None) -> dict[str, str]:
        """Stored strings by rule name, of one group or of all."""
        stored = {name: value["data"] for name, value in (self._registry.values(KEY) or {}).items()}
        if group is None:
            return stored
        return {name: text for name, text in stored.items() if parse(text).get("EmbedCtxt") == group}

    def set(self, name: str, text: str) -> None:
        """Makes or replaces a rule by its stored form."""
        parse(text)
        self._registry.set(KEY, name, "String", text)

    def delete(self, name: str) -> None:
        """Removes a rule."""
        if self._registry.get(KEY, name) is None:
            raise not_found(name, "firewall rule")
        self._registry.delete_value(KEY, name)

    def admits(self, port: int, protocol: int = 6) -> list[str]:
        """The names of the active inbound rules that let the port in."""
        found = []
        for name, text in self.rules().items():
            fields = parse(text)
            fits = fields.get("Dir") == "In" and fields.get("Active") == "TRUE" and fields.get("Action") == "Allow"
            ports = fields.get("LPort")
            if fits and fields.get("Protocol") in (str(protocol), None) and (ports is None or _within(port, ports)):
                found.append(name)
        return found


def _within(port: int, ports: list[str]) -> bool:
    for item in ports:
        low, _, high = item.partition("-")
        if low.isdigit() and int(low) <= port <= int(high or low):
            return True
    return False
