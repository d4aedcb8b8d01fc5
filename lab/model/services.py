"""Services: their configuration is the registry's, their process a real one that is watched.

Starting checks what the SCM checks: disabled, dependencies, the account's access to what the command line names. A
process that ends unasked is restarted by the recorded recovery actions. Errors carry the SCM's numbers.
"""

from __future__ import annotations

import struct
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from lab.model import errors, serviceprocess
from lab.model.errors import HostError
from lab.model.registry import Registry
from lab.model.state import Journal, State

ROOT = "HKLM\\SYSTEM\\CurrentControlSet\\Services"
OWN_PROCESS = 0x10
_START = {"auto": 2, "delayed-auto": 2, "manual": 3, "disabled": 4}
_ACTIONS = ("none", "restart", "reboot", "run")
Config = dict[str, Any]


def failure_actions(reset: int, actions: Sequence[tuple[str, int]]) -> str:
    """The FailureActions value (SERVICE_FAILURE_ACTIONS): reset period, counts, then pairs of action and delay."""
    head = struct.pack("<5I", reset, 0, 0, len(actions), 20)
    return (head + b"".join(struct.pack("<2I", _ACTIONS.index(kind), delay) for kind, delay in actions)).hex()


def parse_failure_actions(data: str | None) -> dict[str, Any] | None:
    """``{reset, actions: [[kind, ms]]}`` of a FailureActions value."""
    raw = bytes.fromhex(data or "")
    if len(raw) < 20:
        return None
    reset, count = struct.unpack_from("<I", raw)[0], struct.unpack_from("<I", raw, 12)[0]
    pairs = [struct.unpack_from("<2I", raw, 20 + 8 * number) for number in range(min(count, (len(raw) - 20) // 8))]
    return {"reset": reset, "actions": [[_ACTIONS[kind], delay] for kind, delay in pairs if kind < len(_ACTIONS)]}


class Services:
    """The service control manager of one host."""

    def __init__(
        self, state: State, journal: Journal, registry: Registry, processes: serviceprocess.ServiceProcesses
    ) -> None:
        self._state = state
        self._journal = journal
        self._registry = registry
        self._processes = processes
        self._starting = threading.RLock()
        self._marked: set[str] = set()

    # --- configuration -----------------------------------------------------------------------------------------

    def names(self) -> list[str]:
        """All services (drivers left out)."""
        return [name for name in self._registry.subkeys(ROOT) if self.exists(name)]

    def exists(self, name: str) -> bool:
        """Whether there is a service of that name."""
        return bool(name) and self._registry.data(f"{ROOT}\\{name}", "ImagePath") is not None

    def config(self, name: str) -> Config:
        """What is configured, in words; the registry values themselves are there by ``registry.values``."""
        self._known(name)
        value = {key.casefold(): row["data"] for key, row in (self._registry.values(f"{ROOT}\\{name}") or {}).items()}
        start = {2: "auto", 3: "manual", 4: "disabled"}.get(value.get("start", 3), "manual")
        if start == "auto" and value.get("delayedautostart"):
            start = "delayed-auto"
        return {
            "name": self._shown(name),
            "display_name": value.get("displayname", name),
            "description": value.get("description", ""),
            "image_path": value.get("imagepath", ""),
            "account": value.get("objectname", "LocalSystem"),
            "start": start,
            "depends": value.get("dependonservice", []),
            "failure": parse_failure_actions(value.get("failureactions")),
            "failure_flag": bool(value.get("failureactionsonnoncrashfailures", 0)),
            "sid_type": {1: "unrestricted", 3: "restricted"}.get(value.get("servicesidtype", 0), "none"),
            "environment": value.get("environment", []),
        }

    def create(self, name: str, image_path: str, start: str = "manual", account: str = "LocalSystem") -> None:
        """CreateService with its defaults; everything else by ``configure``."""
        if self.exists(name):
            number = errors.ERROR_SERVICE_EXISTS
            if name.casefold() in self._marked:
                number = errors.ERROR_SERVICE_MARKED_FOR_DELETE
            raise HostError("other", f"The service '{name}' exists already or is marked for deletion.", name, number)
        key = f"{ROOT}\\{name}"
        with self._state.changing():
            self._registry.set(key, "Type", "DWord", OWN_PROCESS)
            self._registry.set(key, "ErrorControl", "DWord", 1)
            self._registry.set(key, "ImagePath", "ExpandString", image_path)
            self.configure(name, {"start": start, "account": account, "display_name": name})
            self._journal.record("service", name, "state", "absent", "present")

    def configure(self, name: str, fields: Config) -> None:
        """Sets the fields that are given, by the names of ``config``."""
        self._known(name)
        key = f"{ROOT}\\{name}"
        with self._state.changing():
            for field, value in fields.items():
                for value_name, kind, data in _values(field, value):
                    if data is None:
                        self._registry.delete_value(key, value_name)
                    else:
                        self._registry.set(key, value_name, kind, data)

    def delete(self, name: str) -> None:
        """Removes the service; one that runs is only marked until it has stopped."""
        self._known(name)
        if self.status(name)["state"] != "stopped":
            self._marked.add(name.casefold())
            return
        self._remove(name)

    # --- control -----------------------------------------------------------------------------------------------

    def status(self, name: str) -> dict[str, Any]:
        """``{state: stopped|running|start-pending|stop-pending, pid, started, exit_code}``."""
        self._known(name)
        return self._processes.status(name)

    def start(self, name: str) -> None:
        """Starts what it depends on, then it; returns once the process is up and stays up."""
        with self._starting:
            config = self.config(name)
            if self.status(name)["state"] == "running":
                raise self._error(name, errors.ERROR_SERVICE_ALREADY_RUNNING, "is running already")
            if config["start"] == "disabled":
                raise self._error(name, errors.ERROR_SERVICE_DISABLED, "is disabled")
            for needed in config["depends"]:
                self._start_dependency(name, needed)
            self._processes.start(config)

    def stop(self, name: str, dependents: bool = False) -> None:
        """Stops it; running services that depend on it are refused, or stopped first when asked to."""
        with self._starting:
            if self.status(name)["state"] == "stopped":
                raise self._error(name, errors.ERROR_SERVICE_NOT_ACTIVE, "has not been started")
            for other in self._dependents(name):
                if not dependents:
                    raise self._error(name, errors.ERROR_DEPENDENT_SERVICES_RUNNING, f"is needed by '{other}'")
                self.stop(other, dependents=True)
            self._processes.stop(name)
            if name.casefold() in self._marked:
                self._remove(name)

    def restart(self, name: str) -> None:
        """Stops it with what depends on it, starts all of that again."""
        with self._starting:
            others = self._dependents(name)
            if self.status(name)["state"] != "stopped":
                self.stop(name, dependents=True)
            for each in (name, *others):
                self.start(each)

    def reload(self, name: str) -> None:
        """SERVICE_CONTROL_PARAMCHANGE: the process gets SIGHUP."""
        if self.status(name)["state"] != "running":
            raise self._error(name, errors.ERROR_SERVICE_NOT_ACTIVE, "has not been started")
        self._processes.reload(name)

    def boot(self) -> list[HostError]:
        """Starts every automatic service, in the order of their dependencies; what fails is given back."""
        failed = []
        names = [name for name in self.names() if self.config(name)["start"] in ("auto", "delayed-auto")]
        for name in sorted(names, key=lambda each: self.config(each)["start"] == "delayed-auto"):
            try:
                if self.status(name)["state"] == "stopped":
                    self.start(name)
            except HostError as error:
                failed.append(error)
        return failed

    def shutdown(self) -> None:
        """Stops everything at once, dependents first."""
        for name in self.names():
            if self.status(name)["state"] != "stopped":
                self.stop(name, dependents=True)

    def supervise(self) -> None:
        """One round of the watch: applies recovery actions whose time has come."""
        for name in self._processes.due(self._recovery, time.monotonic()):
            try:
                self.start(name)
            except HostError as error:
                self._processes.note(name, error.message)

    # --- inside ------------------------------------------------------------------------------------------------

    def _recovery(self, name: str) -> dict[str, Any] | None:
        if not self.exists(name):
            return None
        config = self.config(name)
        failure: dict[str, Any] | None = config["failure"]
        return failure | {"flag": config["failure_flag"]} if failure else None

    def _start_dependency(self, name: str, needed: str) -> None:
        if not self.exists(needed):
            raise self._error(name, errors.ERROR_SERVICE_DEPENDENCY_FAIL, f"needs '{needed}', which does not exist")
        if self.status(needed)["state"] == "running":
            return
        try:
            self.start(needed)
        except HostError as error:
            why = f"needs '{needed}', which does not start: {error.message}"
            raise self._error(name, errors.ERROR_SERVICE_DEPENDENCY_FAIL, why) from error

    def _dependents(self, name: str) -> list[str]:
        found = []
        for other in self.names():
            needs = [needed.casefold() for needed in self.config(other)["depends"]]
            if name.casefold() in needs and self.status(other)["state"] != "stopped":
                found.append(other)
        return found

    def _remove(self, name: str) -> None:
        shown = self._shown(name)
        with self._state.changing():
            self._registry.delete_key(f"{ROOT}\\{name}", recursive=True)
            self._marked.discard(name.casefold())
            self._journal.record("service", shown, "state", "present", "absent")

    def _shown(self, name: str) -> str:
        return next((each for each in self._registry.subkeys(ROOT) if each.casefold() == name.casefold()), name)

    def _known(self, name: str) -> None:
        if not self.exists(name):
            what = f"The service '{name}' does not exist."
            raise HostError("not-found", what, name, errors.ERROR_SERVICE_DOES_NOT_EXIST)

    @staticmethod
    def _error(name: str, number: int, what: str) -> HostError:
        return HostError("other", f"The service '{name}' {what} (error {number}).", name, number)


_SID_TYPES = {"none": None, "unrestricted": 1, "restricted": 3}
_RowsOf = Callable[[Any], list[tuple[str, str, Any]]]
# Each field in the registry values that Windows keeps it in; None stands for a value that is not there.
_FIELDS: dict[str, _RowsOf] = {
    "display_name": lambda value: [("DisplayName", "String", value)],
    "description": lambda value: [("Description", "String", value or None)],
    "image_path": lambda value: [("ImagePath", "ExpandString", value)],
    "account": lambda value: [("ObjectName", "String", value)],
    "start": lambda value: [
        ("Start", "DWord", _START[value]),
        ("DelayedAutostart", "DWord", 1 if value == "delayed-auto" else None),
    ],
    "depends": lambda value: [("DependOnService", "MultiString", list(value) or None)],
    "failure": lambda value: [("FailureActions", "Binary", _failure(value) if value else None)],
    "failure_flag": lambda value: [("FailureActionsOnNonCrashFailures", "DWord", 1 if value else None)],
    "sid_type": lambda value: [("ServiceSidType", "DWord", _SID_TYPES[value])],
    "environment": lambda value: [("Environment", "MultiString", list(value) or None)],
}


def _failure(value: Config) -> str:
    return failure_actions(value["reset"], [(kind, delay) for kind, delay in value["actions"]])


def _values(field: str, value: Any) -> list[tuple[str, str, Any]]:
    if field not in _FIELDS:
        raise HostError("other", f"A service has no field '{field}'.", field)
    try:
        return _FIELDS[field](value)
    except (KeyError, TypeError, ValueError) as error:
        raise HostError("other", f"'{value}' does not fit the field '{field}' of a service.", field, 87) from error
