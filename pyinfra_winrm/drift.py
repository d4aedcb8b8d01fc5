"""What is not as wanted: collected once a run, field by field, and worded for people and for programs.

It guarantees that a field is reported once however often pyinfra runs an operation's body, and that a secret's value is
never part of a line.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from pyinfra_winrm.resource import Difference, Json
from pyinfra_winrm.secret import MASK, Secret

# A value longer than this is cut in a line for people; JSON has it whole.
WIDEST_VALUE: Final = 120


@dataclass(frozen=True, slots=True)
class Drift:
    """One field of one resource on one host."""

    host: str
    task: str
    kind: str
    label: str
    difference: Difference

    def line(self) -> str:
        """For people: ``task / kind label: field: current -> wanted``."""
        return f"{self.task} / {self.kind} {self.label}: {self.field_line()}"

    def field_line(self) -> str:
        """The field alone: ``field: current -> wanted``."""
        current, wanted = (self._shown(value) for value in self._values())
        return f"{self.difference.field}: {current} -> {wanted}"

    def as_json(self) -> dict[str, Json]:
        """For programs."""
        current, wanted = self._values()
        return {
            "host": self.host,
            "task": self.task,
            "kind": self.kind,
            "label": self.label,
            "field": self.difference.field,
            "current": current,
            "wanted": wanted,
        }

    def _values(self) -> tuple[Json, Json]:
        if self.difference.secret:
            return MASK, MASK
        return _without_secrets(self.difference.current), _without_secrets(self.difference.wanted)

    def _shown(self, value: Json) -> str:
        text = value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False, default=str)
        return text if self.difference.whole or len(text) <= WIDEST_VALUE else text[: WIDEST_VALUE - 1] + "…"


def _without_secrets(value: Any) -> Json:
    if isinstance(value, Secret):
        return MASK
    if isinstance(value, dict):
        return {str(key): _without_secrets(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_without_secrets(item) for item in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)


class DriftRecord:
    """The drift of one host in one run."""

    def __init__(self, host: str) -> None:
        self._host = host
        self._lines: dict[str, Drift] = {}

    @property
    def found(self) -> list[Drift]:
        """All of it, in the order it was found."""
        return list(self._lines.values())

    def add(self, task: str, kind: str, label: str, differences: tuple[Difference, ...]) -> list[Drift]:
        """Takes the differences of one resource; returns those that were not there yet."""
        new: list[Drift] = []
        for difference in differences:
            drift = Drift(self._host, task, kind, label, difference)
            line = drift.line()
            if line not in self._lines:
                self._lines[line] = drift
                new.append(drift)
        return new
