"""Firewall rules in the model, written as the strings that Windows' own command leaves in the registry."""

from __future__ import annotations

import ipaddress
from typing import Any

from lab.kinds.states import ABSENT, Item, Request, present
from lab.model import firewall
from lab.model.host import Host

_NUMBERS = {"TCP": "6", "UDP": "17"}


def read(host: Host, key: Request) -> Item:
    """The group's rules by their identity."""
    rules = host.firewall.rules(key["name"])
    return present(rules=rules) if rules else ABSENT


def apply(host: Host, desired: Request) -> None:
    """Makes the declared rules and removes the others of the group."""
    before = host.firewall.rules(desired["name"])
    wanted = {rule["id"].casefold() for rule in desired["rules"]}
    for name in before:
        if name.casefold() not in wanted:
            host.firewall.delete(name)
    for rule in desired["rules"]:
        host.firewall.set(rule["id"], stored(desired["name"], rule))


def stored(group: str, rule: dict[str, Any]) -> str:
    """The registry string of a rule, fields in Windows' order."""
    fields: dict[str, Any] = {
        "Action": rule["action"].capitalize(),
        "Active": "TRUE" if rule["enabled"] else "FALSE",
        "Dir": "In",
        "Protocol": _NUMBERS[rule["protocol"]],
        "Profile": [name.capitalize() for name in rule["profiles"]],
        "LPort": list(rule["ports"]),
        "RA4": [_mask(address) for address in rule["remote_addresses"] if ":" not in address],
        "RA6": [address for address in rule["remote_addresses"] if ":" in address],
        "App": rule["program"],
        "Svc": rule["service"],
        "Name": rule["display_name"],
        "Desc": rule["description"],
        "EmbedCtxt": group,
    }
    return firewall.text_of({name: value for name, value in fields.items() if value})


def _mask(address: str) -> str:
    """An IPv4 network as Windows keeps it, with a dotted mask."""
    return str(ipaddress.IPv4Network(address).with_netmask) if "/" in address else address
