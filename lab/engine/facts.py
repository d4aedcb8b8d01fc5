"""The host facts, in the form in which the PowerShell seam gives them too."""

from __future__ import annotations

from typing import Any

from lab.model.host import Host


def facts(host: Host) -> dict[str, Any]:
    """What the system says of itself, and who has its ports."""
    known = host.system.facts()
    return {
        "build": known["build"],
        "revision": known["revision"],
        "caption": known["caption"],
        "hostname": known["hostname"],
        "user": known["user"],
        "profile": known["profile"],
        "code_page": known["code_page"],
        "ansi_code_page": known["ansi_code_page"],
        "culture": known["culture"],
        "language_mode": known["language_mode"],
        "boot_time": known["boot_time"],
        "time": host.system.clock(),
        "disk": known["disk"],
        "pending_reboot": known["pending_reboot"],
        "ports": host.ports.listening(),
        "quotas": known["quotas"],
    }
