"""The outcome of a check as data: a state, a text for people in English with its values, and a remedy."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import Enum


class State(Enum):
    """How a check ended."""

    FINE = "fine"
    FINDING = "finding"
    """Something is not as it should be."""
    BROKEN = "broken"
    """The check itself could not be made: nothing is known."""


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was looked at. Texts are keys of the translator."""

    state: State
    text: str
    remedy: str = ""
    values: dict[str, object] = field(default_factory=dict)


Check = Callable[[], Awaitable[list[Line]]]


def fine(text: str, **values: object) -> Line:
    """It is as it should be."""
    return Line(State.FINE, text, values=values)


def finding(text: str, *, remedy: str = "", **values: object) -> Line:
    """It is not, and this is what to do."""
    return Line(State.FINDING, text, remedy, values)


def broken(text: str, *, remedy: str = "", **values: object) -> Line:
    """It could not be found out."""
    return Line(State.BROKEN, text, remedy, values)
