"""A program on the host that takes a desired state as JSON and can say what it would change.

What the state means is the program's own; here it is carried there, asked for, and applied. The program is called with
``--desired FILE --json`` and ``--dry`` for a question, with ``--absent`` when what the state names is to go; it prints
``{"changes": [...], "not_managed": [...]}`` and ends with 0 in step, 2 with findings, 1 with an error.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar

from pyinfra_winrm.kinds.compare import Wanted, compare
from pyinfra_winrm.kinds.errors import InvalidResourceError
from pyinfra_winrm.kinds.paths import windows_path
from pyinfra_winrm.kinds.service import quoted
from pyinfra_winrm.resource import Difference, Json, Kind, Present, State
from pyinfra_winrm.secret import Secret


@dataclass(frozen=True, kw_only=True, slots=True)
class Reconcile:
    """A desired state for a program.

    name: what it is about.
    command: the program and its arguments, ``--desired``, ``--json``, ``--dry`` and ``--absent`` apart.
    desired: the state, as JSON; secrets in it travel as data of a request.
    folder: where the state lies while the program reads it; a folder only administrators can read.
    timeout: seconds the program may take.
    state: ``absent`` has the program remove everything that ``desired`` names; what it does not name stays.
    """

    kind: ClassVar[str] = "reconcile"
    name: str
    command: tuple[str, ...]
    desired: Mapping[str, Json] = field(default_factory=dict)
    folder: str = "C:/Windows/Temp"
    timeout: int = 300
    state: Wanted = "present"

    def __post_init__(self) -> None:
        if not self.command:
            raise InvalidResourceError(f"reconcile {self.name} has no command")

    @property
    def label(self) -> str:
        """The name."""
        return self.name


def _revealed(value: object) -> str:
    if isinstance(value, Secret):
        return value.reveal()
    raise TypeError(f"{type(value).__name__} is no JSON")


def _key(reconcile: Reconcile) -> Mapping[str, Json]:
    program, *arguments = reconcile.command
    absent = ("--absent",) if reconcile.state == "absent" else ()
    return {
        "name": reconcile.name,
        "program": windows_path(program),
        "arguments": " ".join(quoted(argument) for argument in (*arguments, *absent)),
        "absent": reconcile.state == "absent",
        "desired": Secret(json.dumps(reconcile.desired, default=_revealed, ensure_ascii=False)),
        "folder": windows_path(reconcile.folder),
        "timeout": reconcile.timeout,
    }


def _desired(reconcile: Reconcile) -> Mapping[str, Json]:
    return {**_key(reconcile), "state": reconcile.state}


def not_managed(state: State) -> tuple[str, ...]:
    """What the program found that nobody declared; shown, never touched."""
    if not isinstance(state, Present):
        return ()
    return tuple(
        f"{item['object']} {item['name']}" if isinstance(item, Mapping) else str(item)
        for item in state.value["not_managed"]
    )


def _differences(reconcile: Reconcile, state: State) -> tuple[Difference, ...]:
    if not isinstance(state, Present):
        return compare(reconcile.state, state, {}, lambda value: value)
    return tuple(
        Difference(
            f"{change['object']} {change['name']}.{change['field']}", change.get("current"), change.get("wanted")
        )
        for change in state.value["changes"]
    )


KIND = Kind("reconcile", Reconcile, Path(__file__).with_suffix(".ps1"), _key, _desired, _differences)
