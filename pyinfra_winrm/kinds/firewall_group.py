"""The inbound firewall rules of one group: what is declared is there, what else the group had is removed.

Rules are read as the strings the registry keeps (MS-FASP 2.2.19), which takes milliseconds where the firewall's own
commands take a minute, and written by those commands. Rules outside the group are never touched.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

from pyinfra_winrm.kinds.compare import Wanted
from pyinfra_winrm.kinds.errors import InvalidResourceError
from pyinfra_winrm.kinds.paths import windows_path
from pyinfra_winrm.resource import Absent, Difference, Json, Kind, State, Unknown

Profile = Literal["domain", "private", "public"]

_PROTOCOLS = {"6": "TCP", "17": "UDP"}
_FIELDS = (
    "display_name", "description", "protocol", "ports", "remote_addresses", "program", "service", "profiles",
    "action", "enabled",
)  # fmt: skip


@dataclass(frozen=True, kw_only=True, slots=True)
class FirewallRule:
    r"""One inbound rule.

    name: unique in its group; with the group's it makes the rule's identity on the host.
    ports: local ports; a range is written ``"5000-5010"``.
    protocol: ``TCP`` or ``UDP``.
    display_name: what people see; group and name by default.
    description: what it is for.
    remote_addresses: addresses or networks that may come in; empty for all.
    program: only connections to this program.
    service: only connections to this service.
    profiles: the kinds of network it holds on; empty for all.
    action: ``allow`` or ``block``.
    enabled: whether it counts.
    """

    name: str
    ports: tuple[int | str, ...]
    protocol: Literal["TCP", "UDP"] = "TCP"
    display_name: str = ""
    description: str = ""
    remote_addresses: tuple[str, ...] = ()
    program: str = ""
    service: str = ""
    profiles: tuple[Profile, ...] = ()
    action: Literal["allow", "block"] = "allow"
    enabled: bool = True

    def __post_init__(self) -> None:
        if not self.ports:
            raise InvalidResourceError(f"firewall rule {self.name} has no port")
        if bad := [text for text in (self.name, self.display_name, self.description) if "|" in text]:
            raise InvalidResourceError(
                f"firewall rule {self.name}: {bad[0]!r} has a bar, which separates the fields of a rule"
            )
        for address in self.remote_addresses:
            _network(address)


@dataclass(frozen=True, kw_only=True, slots=True)
class FirewallGroup:
    """All inbound rules that belong to one name.

    name: the group, as the firewall's window shows it.
    rules: every rule it has; others of the group are removed.
    state: ``absent`` removes every rule of the group.
    """

    kind: ClassVar[str] = "firewall_group"
    name: str
    rules: tuple[FirewallRule, ...] = ()
    state: Wanted = "present"

    def __post_init__(self) -> None:
        names = [rule.name.casefold() for rule in self.rules]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise InvalidResourceError(f"firewall group {self.name} has the rule {twice[0]} twice")

    @property
    def label(self) -> str:
        """The group."""
        return self.name


def _network(address: str) -> str:
    """An address or network in the one form that compares: ``10.0.0.0/8``, ``192.0.2.1``, ``a-b``, ``LocalSubnet``."""
    if "-" in address:
        return "-".join(str(ipaddress.ip_address(part)) for part in address.split("-"))
    if address.isalpha():
        return address
    try:
        network = ipaddress.ip_network(address, strict=False)
    except ValueError as error:
        raise InvalidResourceError(f"remote address {address!r}: {error}") from error
    return str(network.network_address) if network.num_addresses == 1 else str(network)


def parse_rule(text: str) -> dict[str, list[str]]:
    """The fields of a rule as the registry keeps it, ``v2.29|Action=Allow|...``; some come several times."""
    fields: dict[str, list[str]] = {}
    for part in text.split("|")[1:]:
        name, separator, value = part.partition("=")
        if separator:
            fields.setdefault(name, []).append(value)
    return fields


def rule_fields(text: str) -> dict[str, Json]:
    """A rule's fields under the names of ``FirewallRule``."""
    fields = parse_rule(text)

    def first(name: str, default: str = "") -> str:
        return fields.get(name, [default])[0]

    def every(names: Iterable[str]) -> list[str]:
        return [value for name in names for value in fields.get(name, [])]

    return {
        "display_name": first("Name"),
        "description": first("Desc"),
        "protocol": _PROTOCOLS.get(first("Protocol"), first("Protocol", "any")),
        "ports": sorted(every(("LPort", "LPort2_10"))),
        "remote_addresses": sorted({_network(value) for value in every(("RA4", "RA6"))}),
        "program": first("App").casefold(),
        "service": first("Svc").casefold(),
        "profiles": sorted(value.casefold() for value in fields.get("Profile", [])),
        "action": first("Action").casefold(),
        "enabled": first("Active").casefold() == "true",
    }


def _identity(group: str, rule: str) -> str:
    return f"{group}-{rule}"


def _wanted(group: str, rule: FirewallRule) -> dict[str, Json]:
    return {
        "display_name": rule.display_name or f"{group} {rule.name}",
        "description": rule.description,
        "protocol": rule.protocol,
        "ports": sorted(str(port) for port in rule.ports),
        "remote_addresses": sorted({_network(address) for address in rule.remote_addresses}),
        "program": windows_path(rule.program).casefold() if rule.program else "",
        "service": rule.service.casefold(),
        "profiles": sorted(rule.profiles) if set(rule.profiles) != {"domain", "private", "public"} else [],
        "action": rule.action,
        "enabled": rule.enabled,
    }


def _key(group: FirewallGroup) -> Mapping[str, Json]:
    return {"name": group.name}


def _desired(group: FirewallGroup) -> Mapping[str, Json]:
    rules = [
        {
            **_wanted(group.name, rule),
            "id": _identity(group.name, rule.name),
            "program": windows_path(rule.program) if rule.program else "",
            "service": rule.service,
        }
        for rule in group.rules
    ]
    return {"state": group.state, "name": group.name, "rules": rules if group.state == "present" else []}


def _differences(group: FirewallGroup, state: State) -> tuple[Difference, ...]:
    if isinstance(state, Unknown):
        return (Difference("state", f"unknown: {state.reason}", group.state),)
    found: Mapping[str, str] = {} if isinstance(state, Absent) else state.value["rules"]
    if group.state == "absent":
        return (Difference("state", "present", "absent"),) if found else ()
    if not found and group.rules:
        return (Difference("state", "absent", "present"),)
    current = {name.casefold(): text for name, text in found.items()}
    differences: list[Difference] = []
    for rule in sorted(group.rules, key=lambda rule: rule.name):
        text = current.pop(_identity(group.name, rule.name).casefold(), None)
        if text is None:
            differences.append(Difference(rule.name, "absent", "present"))
            continue
        has, wanted = rule_fields(text), _wanted(group.name, rule)
        differences += [
            Difference(f"{rule.name}.{name}", has[name], wanted[name]) for name in _FIELDS if has[name] != wanted[name]
        ]
    prefix = f"{group.name}-".casefold()
    differences += [Difference(name.removeprefix(prefix), "present", "absent") for name in sorted(current)]
    return tuple(differences)


KIND = Kind("firewall_group", FirewallGroup, Path(__file__).with_suffix(".ps1"), _key, _desired, _differences)
