"""Event sources, time synchronisation and WinRM listeners: small recorded parts of the host.

Event sources and time live in the registry, where Windows keeps them; listeners and certificates in sections of their
own. Whoever really listens is told of each change of a listener.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lab.model.errors import HostError, not_found
from lab.model.registry import Registry
from lab.model.state import Journal, State

EVENT_LOG = "HKLM\\SYSTEM\\CurrentControlSet\\Services\\EventLog"
W32TIME = "HKLM\\SYSTEM\\CurrentControlSet\\Services\\W32Time"


class EventSources:
    """Sources that may write to an event log, and what was written."""

    def __init__(self, state: State, registry: Registry) -> None:
        self._state = state
        self._registry = registry

    def get(self, source: str, log: str = "Application") -> dict[str, Any] | None:
        """``{log, message_file, types}`` or None."""
        key = f"{EVENT_LOG}\\{log}\\{source}"
        if not self._registry.exists(key):
            return None
        return {
            "log": log,
            "message_file": self._registry.data(key, "EventMessageFile"),
            "types": self._registry.data(key, "TypesSupported"),
        }

    def create(self, source: str, message_file: str, log: str = "Application", types: int = 7) -> None:
        """Makes a source; the name may belong to one log only."""
        other = self.log_of(source)
        if other is not None and other.casefold() != log.casefold():
            raise HostError("other", f"The source '{source}' belongs to the log '{other}'.", source)
        key = f"{EVENT_LOG}\\{log}\\{source}"
        self._registry.set(key, "EventMessageFile", "ExpandString", message_file)
        self._registry.set(key, "TypesSupported", "DWord", types)

    def delete(self, source: str) -> None:
        """Removes a source."""
        log = self.log_of(source)
        if log is None:
            raise not_found(source, "event source")
        self._registry.delete_key(f"{EVENT_LOG}\\{log}\\{source}")

    def log_of(self, source: str) -> str | None:
        """The log that a source belongs to."""
        for log in self._registry.subkeys(EVENT_LOG):
            if self._registry.exists(f"{EVENT_LOG}\\{log}\\{source}"):
                return log
        return None


class TimeSync:
    """The configuration of W32Time."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry

    def get(self) -> dict[str, Any]:
        """``{servers, type}`` as in the registry: ``a,0x8 b,0x8`` and ``NTP`` or ``NT5DS``."""
        key = f"{W32TIME}\\Parameters"
        return {"servers": self._registry.data(key, "NtpServer", ""), "type": self._registry.data(key, "Type", "NTP")}

    def configure(self, servers: str, type: str = "NTP") -> None:  # noqa: A002 - the registry's word
        """``w32tm /config /manualpeerlist /syncfromflags``."""
        self._registry.set(f"{W32TIME}\\Parameters", "NtpServer", "String", servers)
        self._registry.set(f"{W32TIME}\\Parameters", "Type", "String", type)


class Listeners:
    """WinRM listeners by transport, and the certificates of ``LocalMachine\\My``."""

    def __init__(self, state: State, journal: Journal) -> None:
        self._state = state
        self._journal = journal
        self.changed: Callable[[str], None] = lambda _: None

    def get(self, transport: str) -> dict[str, Any] | None:
        """``{transport, address, port, hostname, thumbprint, enabled}`` or None."""
        found: dict[str, Any] | None = self._state.section("listeners").get(transport.upper())
        return found

    def set(self, transport: str, fields: dict[str, Any]) -> None:
        """Makes or changes a listener; an HTTPS one needs a certificate that is there."""
        name = transport.upper()
        if name not in ("HTTP", "HTTPS"):
            raise HostError("other", f"WinRM has no transport '{transport}'.", transport)
        thumbprint = fields.get("thumbprint", "")
        if name == "HTTPS" and thumbprint.upper() not in self._state.section("certificates"):
            raise not_found(thumbprint, "certificate")
        defaults = {"address": "*", "port": 5986 if name == "HTTPS" else 5985, "hostname": "", "enabled": True}
        old = self.get(name)
        new = {**defaults, **(old or {}), "thumbprint": "", **fields, "transport": name}
        with self._state.changing():
            self._state.section("listeners")[name] = new
            self._journal.record("listener", name, "listener", old, new)
        if new != old:
            self.changed(name)

    def delete(self, transport: str) -> None:
        """Removes a listener."""
        old = self.get(transport)
        if old is None:
            raise not_found(transport, "listener")
        with self._state.changing():
            del self._state.section("listeners")[transport.upper()]
            self._journal.record("listener", transport.upper(), "listener", old, None)
        self.changed(transport.upper())

    def certificates(self) -> dict[str, dict[str, Any]]:
        """``{thumbprint: {subject, names, not_after}}``."""
        return dict(self._state.section("certificates"))

    def add_certificate(self, thumbprint: str, fields: dict[str, Any]) -> None:
        """Records a certificate of the machine's store."""
        with self._state.changing():
            self._state.section("certificates")[thumbprint.upper()] = fields
            self._journal.record("certificate", thumbprint.upper(), "state", "absent", "present")
