"""What the host is: build, names, code page, language mode, boots, disk, quotas; a fault may change each.

Disk space is the real file system's, or less when a limit is set. A reboot ends every process and changes the boot
time; who does the ending is the host.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from lab.model.registry import Registry
from lab.model.state import Journal, State

CURRENT_VERSION = "HKLM\\SOFTWARE\\Microsoft\\Windows NT\\CurrentVersion"
_WINDOWS = "HKLM\\SOFTWARE\\Microsoft\\Windows\\CurrentVersion"
REBOOT_MARKS = {
    "component servicing": f"{_WINDOWS}\\Component Based Servicing\\RebootPending",
    "windows update": f"{_WINDOWS}\\WindowsUpdate\\Auto Update\\RebootRequired",
}
SESSION_MANAGER = "HKLM\\SYSTEM\\CurrentControlSet\\Control\\Session Manager"
# `winrm get winrm/config` of a Server 2019 that no policy touched.
QUOTAS = {
    "MaxEnvelopeSizekb": 500,
    "MaxTimeoutms": 60_000,
    "MaxConcurrentOperationsPerUser": 1_500,
    "MaxShellsPerUser": 2_147_483_647,
    "MaxProcessesPerShell": 2_147_483_647,
    "MaxMemoryPerShellMB": 2_147_483_647,
    "IdleTimeout": 7_200_000,
}
DEFAULTS: dict[str, Any] = {
    "hostname": "WIN-LAB",
    "build": 17763,
    "revision": 6532,
    "caption": "Windows Server 2019 Standard",
    "code_page": 437,
    "ansi_code_page": 1252,
    "culture": "en-US",
    "language_mode": "FullLanguage",
    "user": "Administrator",
    "profile": "C:\\Users\\Administrator",
    "boot_time": 0.0,
    "boots": 0,
    "disk_limit": None,
    "blocked_outbound": (),
    "clock_offset": 0.0,
    "quotas": QUOTAS,
}


class System:
    """The host's own properties."""

    def __init__(self, root: Path, state: State, journal: Journal, registry: Registry) -> None:
        self._root = root
        self._state = state
        self._journal = journal
        self._registry = registry

    def get(self, name: str) -> Any:
        """One property."""
        return self._state.section("system").get(name, DEFAULTS[name])

    def set(self, name: str, value: Any) -> None:
        """Changes a property."""
        old = self.get(name)
        if old == value:
            return
        with self._state.changing():
            self._state.section("system")[name] = value
            self._journal.record("system", "host", name, old, value)

    def now(self) -> str:
        """The host's clock, as ISO 8601 in UTC."""
        return datetime.fromtimestamp(self.clock(), UTC).isoformat(timespec="seconds")

    def clock(self) -> float:
        """The host's clock, in seconds since 1970."""
        return time.time() + float(self.get("clock_offset"))

    def boot_time_text(self) -> str:
        """When the host was started, as ISO 8601 in UTC."""
        return datetime.fromtimestamp(self.get("boot_time"), UTC).isoformat(timespec="milliseconds")

    def booted(self, clock: Callable[[], float] = time.time) -> None:
        """Takes the time of a boot and does what waits for one; not a change that a deploy makes."""
        for key in REBOOT_MARKS.values():
            if self._registry.exists(key):
                self._registry.delete_key(key, recursive=True)
        self._registry.delete_value(SESSION_MANAGER, "PendingFileRenameOperations")
        with self._state.changing():
            section = self._state.section("system")
            section["boot_time"] = clock()
            section["boots"] = self.get("boots") + 1

    def pending_reboot(self) -> list[str]:
        """Why a reboot is pending; an empty list when none is."""
        reasons = [reason for reason, key in REBOOT_MARKS.items() if self._registry.exists(key)]
        if self._registry.data(SESSION_MANAGER, "PendingFileRenameOperations"):
            reasons.append("file renames")
        return reasons

    def disk(self) -> dict[str, int]:
        """``{free, total}`` of drive C in bytes."""
        usage = shutil.disk_usage(self._root)
        limit = self.get("disk_limit")
        return {"free": usage.free if limit is None else min(limit, usage.free), "total": usage.total}

    def room(self) -> int:
        """Bytes that may still be written."""
        return self.disk()["free"]

    def facts(self) -> dict[str, Any]:
        """All properties in one mapping."""
        own = {name: self.get(name) for name in DEFAULTS}
        own["quotas"] = {**QUOTAS, **own["quotas"]}
        return own | {"disk": self.disk(), "pending_reboot": self.pending_reboot()}
