"""What every kind of resource shares: the state a host answers, a difference, and the description of a kind.

Everything here is plain data, so comparing is a pure function that a unit test calls without a host. Reading and
changing the host is left to each kind's PowerShell script and to the session that carries the requests.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Protocol

Json = Any  # a value that JSON can carry


@dataclass(frozen=True, slots=True)
class Present:
    """The resource is there; ``value`` holds its state as the kind's script reported it."""

    value: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Absent:
    """The resource is not there."""


@dataclass(frozen=True, slots=True)
class Unknown:
    """The state cannot be told yet (a database is down, a daemon not installed); counts as drift."""

    reason: str


State = Present | Absent | Unknown


@dataclass(frozen=True, slots=True)
class Difference:
    """One field that is not as wanted. ``secret`` values are never printed, ``whole`` ones never cut."""

    field: str
    current: Json
    wanted: Json
    secret: bool = False
    whole: bool = False


class Resource(Protocol):
    """A frozen dataclass that describes one thing on a host.

    ``kind`` names its entry in ``kinds.KINDS``; ``label`` is how the plan names it (``Mailhost/smtp-25``).
    """

    kind: ClassVar[str]

    @property
    def label(self) -> str:
        """How the plan names this resource."""


def _nothing(_: Any) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Kind:
    """How one kind of resource is asked for, compared and changed.

    key: what identifies the resource on the host, sent with a read.
    desired: the whole wanted state, sent with an apply.
    differences: the comparison; an empty tuple means in step.
    script: the PowerShell file that answers ``read`` and ``apply``.
    carries: the scheme of the sessions that come in by the resource, empty for none; a change of what carries this very
        session is made after it has ended.
    """

    name: str
    resource: type
    script: Path
    key: Callable[[Any], Mapping[str, Json]]
    desired: Callable[[Any], Mapping[str, Json]]
    differences: Callable[[Any, State], tuple[Difference, ...]]
    carries: Callable[[Any], str] = _nothing
