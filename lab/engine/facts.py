"""The host facts, in the form in which the PowerShell seam gives them too."""

from __future__ import annotations

from typing import Any

from lab.model.host import Host


def facts(host: Host) -> dict[str, Any]:
    """What the system says of itself, and who has its ports."""
    known = host.system.facts()
    return {
        "hostname": known["hostname"],
        "caption": known["caption"],
        "build": known["build"],
        "revision": known["revision"],
        "powershell": "5.1",
        "user": f"{known['hostname']}\\{known['user']}",
        "profile": known["profile"],
        "administrator": True,
        "code_page": known["code_page"],
        "ansi_code_page": known["ansi_code_page"],
        "culture": known["culture"],
        "language_mode": known["language_mode"],
        "boot_time": host.system.boot_time_text(),
        "now": host.system.now(),
        "clock_offset": known["clock_offset"],
        "pending_reboot": known["pending_reboot"],
        "disk": known["disk"],
        "quotas": known["quotas"],
        "ports": host.ports.listening(),
        "users": host.accounts.users(),
    }
