r"""A Windows service: what it runs, as whom, when, and what happens when it fails.

Read from its registry key, where every field is a number or a string of no language, and its state from the service
manager. A running service is restarted when what it was started with is no longer what is wanted.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, Literal

from pyinfra_winrm.kinds.accounts import sid_of
from pyinfra_winrm.kinds.compare import Wanted, compare
from pyinfra_winrm.kinds.errors import InvalidResourceError
from pyinfra_winrm.kinds.paths import windows_path
from pyinfra_winrm.resource import Difference, Json, Kind, Present, State

Start = Literal["automatic", "delayed", "manual", "disabled"]
SidType = Literal["none", "unrestricted", "restricted"]

_START = {"automatic": 2, "delayed": 2, "manual": 3, "disabled": 4}
_SID_TYPE = {"none": 0, "unrestricted": 1, "restricted": 3}
_ACTIONS = ("none", "restart", "reboot", "run")


@dataclass(frozen=True, slots=True)
class FailureActions:
    """What the service manager does when the service ends by itself.

    restart_after: one restart for each entry, so many seconds after the first, second, ... failure; the last repeats.
    reset_after: seconds without a failure after which the count starts anew.
    """

    restart_after: tuple[int, ...] = (5, 30, 60)
    reset_after: int = 86400


@dataclass(frozen=True, kw_only=True, slots=True)
class Service:
    r"""A service with a process of its own.

    name: the short name that programs use.
    command: program and arguments; quoted as Windows takes them apart.
    display_name: the name people see; the short one by default.
    description: what it is for.
    account: ``LocalSystem``, ``NT AUTHORITY\LocalService``, or ``NT SERVICE\name``, which needs no password.
    start: when it starts; ``delayed`` is about two minutes after the automatic ones.
    depends_on: services that have to run first.
    failure: restarts after a crash; None for none.
    failure_flag: a process that ends with an error counts as a failure too.
    sid_type: whether its process carries the service's own SID.
    environment: variables of its process alone.
    status: whether it shall run; None leaves it as it is.
    restart_on: a fingerprint of what it reads when it starts; a running one that was started with another is restarted.
    start_timeout: seconds it may take until it runs.
    state: ``absent`` stops and removes it.
    """

    kind: ClassVar[str] = "service"
    name: str
    command: tuple[str, ...] = ()
    display_name: str = ""
    description: str = ""
    account: str = "LocalSystem"
    start: Start = "automatic"
    depends_on: tuple[str, ...] = ()
    failure: FailureActions | None = field(default_factory=FailureActions)
    failure_flag: bool = True
    sid_type: SidType = "unrestricted"
    environment: Mapping[str, str] = field(default_factory=dict)
    status: Literal["running", "stopped"] | None = "running"
    restart_on: str = ""
    start_timeout: int = 60
    state: Wanted = "present"

    def __post_init__(self) -> None:
        if not self.name or set(self.name) & set('\\/"'):
            raise InvalidResourceError(f"service name {self.name!r} is empty or has a slash or a quote")
        if self.state == "present" and not self.command:
            raise InvalidResourceError(f"service {self.name} has no command")

    @property
    def label(self) -> str:
        """The short name."""
        return self.name


def command_line(command: tuple[str, ...]) -> str:
    """One line that Windows takes apart into these very arguments again; the program is always quoted.

    An unquoted path with a space would let anyone who may write to its first half run as the service.
    """
    program, *arguments = command
    if len(program) > 2 and program[1] == ":":
        program = windows_path(program)
    return " ".join([f'"{program}"', *(quoted(argument) for argument in arguments)])


def quoted(argument: str) -> str:
    """One argument as CommandLineToArgvW reads it back: backslashes count only before a quote."""
    if argument and not set(argument) & set(' \t\n\v"'):
        return argument
    out, backslashes = ['"'], 0
    for character in argument:
        if character == "\\":
            backslashes += 1
            continue
        out.append("\\" * (2 * backslashes + 1 if character == '"' else backslashes))
        backslashes = 0
        out.append(character)
    return "".join([*out, "\\" * (2 * backslashes), '"'])


def failure_fields(packed: bytes) -> tuple[int, tuple[tuple[str, int], ...]]:
    """Reset time and (action, milliseconds) pairs of a FailureActions value; (0, ()) when it is cut short.

    Five 32-bit numbers (reset time, two unused pointers, count, offset), then the actions as pairs of numbers.
    """
    if len(packed) < 20:
        return 0, ()
    reset, _, _, count, _ = struct.unpack_from("<5I", packed)
    if len(packed) < 20 + 8 * count:
        return 0, ()
    pairs = (struct.unpack_from("<2I", packed, 20 + 8 * index) for index in range(count))
    return reset, tuple((_ACTIONS[action] if action < 4 else str(action), delay) for action, delay in pairs)


def _failure(actions: FailureActions | None) -> tuple[int, tuple[tuple[str, int], ...]]:
    if actions is None:
        return 0, ()
    return actions.reset_after, tuple(("restart", 1000 * seconds) for seconds in actions.restart_after)


def _shown(failure: tuple[int, tuple[tuple[str, int], ...]]) -> tuple[str, int]:
    reset, actions = failure
    return ", ".join(f"{action} after {delay / 1000:g} s" for action, delay in actions) or "none", reset


def _account(name: str) -> str:
    return (
        "S-1-5-18"
        if name.casefold() in {"localsystem", ".\\localsystem"}
        else sid_of(name.replace("LocalService", "LOCAL SERVICE").replace("NetworkService", "NETWORK SERVICE"))
    )


def _key(service: Service) -> Mapping[str, Json]:
    return {"name": service.name}


def _desired(service: Service) -> Mapping[str, Json]:
    if service.state == "absent":
        return {"state": "absent", "name": service.name}
    reset, actions = _failure(service.failure)
    return {
        "state": "present",
        "name": service.name,
        "image_path": command_line(service.command),
        "display_name": service.display_name or service.name,
        "description": service.description,
        "account": service.account,
        "start": service.start,
        "depends_on": list(service.depends_on),
        "failure_reset": reset,
        "failure_actions": "/".join(f"{action}/{delay}" for action, delay in actions),
        "failure_flag": service.failure_flag,
        "sid_type": service.sid_type,
        "environment": [f"{name}={value}" for name, value in sorted(service.environment.items())],
        "status": service.status or "",
        "restart_on": service.restart_on,
        "start_timeout": service.start_timeout,
    }


def _wanted(service: Service) -> dict[str, Json]:
    actions, reset = _shown(_failure(service.failure))
    wanted: dict[str, Json] = {
        "command": command_line(service.command),
        "display_name": service.display_name or service.name,
        "description": service.description,
        "account": _account(service.account),
        "start": service.start,
        "depends_on": sorted(name.casefold() for name in service.depends_on),
        "failure.restart_after": actions,
        "failure.reset_after": reset,
        "failure_flag": service.failure_flag,
        "sid_type": service.sid_type,
        "environment": [f"{name}={value}" for name, value in sorted(service.environment.items())],
    }
    if service.status is not None:
        wanted["status"] = service.status
    if service.restart_on:
        wanted["restart_on"] = service.restart_on
    return wanted


def _current(value: Mapping[str, Json]) -> Mapping[str, Json]:
    actions, reset = _shown(failure_fields(bytes.fromhex(value["failure_actions"] or "")))
    start = next((name for name, number in _START.items() if number == value["start"]), value["start"])
    sid_type = next((name for name, number in _SID_TYPE.items() if number == value["sid_type"]), value["sid_type"])
    return {
        "command": value["image_path"],
        "display_name": value["display_name"],
        "description": value["description"],
        "account": _account(value["account"] or "LocalSystem"),
        "start": "delayed" if start == "automatic" and value["delayed"] else start,
        "depends_on": sorted(name.casefold() for name in value["depends_on"]),
        "failure.restart_after": actions,
        "failure.reset_after": reset,
        "failure_flag": bool(value["failure_flag"]),
        "sid_type": sid_type,
        "environment": sorted(value["environment"]),
        "status": value["status"],
        "restart_on": value["started_with"],
    }


def _differences(service: Service, state: State) -> tuple[Difference, ...]:
    wanted = _wanted(service) if service.state == "present" else {}
    if isinstance(state, Present) and state.value["status"] != "running":
        wanted.pop("restart_on", None)  # it reads everything anew when it starts
    return compare(service.state, state, wanted, _current)


KIND = Kind("service", Service, Path(__file__).with_suffix(".ps1"), _key, _desired, _differences)
