"""What a reconcile says and does: a difference, a step that removes it, and what nobody declared."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from maild.store import Store

Plain = str | int | bool | None


class ReconcileError(Exception):
    """The desired state cannot be read or reached; the message says what, where and what to do."""


@dataclass(frozen=True, slots=True)
class Change:
    """One field of one object; ``current`` and ``wanted`` are as people read them."""

    object: str
    name: str
    field: str
    current: Plain
    wanted: Plain


@dataclass(frozen=True, slots=True)
class NotManaged:
    """Something that is there and was not declared."""

    object: str
    name: str


@dataclass(frozen=True, slots=True)
class Step:
    """The differences of one object, and what makes them go away."""

    changes: tuple[Change, ...]
    apply: Callable[[Store], Awaitable[object]]
    problem: str = ""
    """Why it cannot be done as declared; empty when it can."""


def differences(
    kind: str, name: str, current: Mapping[str, Plain] | None, wanted: Mapping[str, Plain]
) -> tuple[Change, ...]:
    """The fields that differ; an object that is not there differs in all it is given, its state first."""
    if current is None:
        given = [Change(kind, name, field, None, value) for field, value in wanted.items() if value not in {None, ""}]
        return (Change(kind, name, "state", "absent", "present"), *given)
    return tuple(
        Change(kind, name, field, current.get(field), value)
        for field, value in wanted.items()
        if current.get(field) != value
    )


def removal(kind: str, name: str) -> tuple[Change, ...]:
    """The difference of an object that is to go."""
    return (Change(kind, name, "state", "present", "absent"),)
