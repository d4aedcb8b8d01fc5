"""Comparing what a host reported with what is wanted, field by field.

Each kind hands over two flat mappings with the same names; how a host's value becomes comparable is the kind's own
knowledge. A host that lacks the resource, or cannot tell, differs in one line: its state.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from typing import Literal

from pyinfra_winrm.resource import Absent, Difference, Json, State, Unknown

Wanted = Literal["present", "absent"]


def compare(
    wanted_state: Wanted,
    state: State,
    wanted: Mapping[str, Json],
    current: Callable[[Mapping[str, Json]], Mapping[str, Json]],
    secret: Collection[str] = (),
) -> tuple[Difference, ...]:
    """The fields of ``wanted`` that the state does not have; ``secret`` names those that are never printed."""
    if isinstance(state, Unknown):
        return (Difference("state", f"unknown: {state.reason}", wanted_state),)
    if isinstance(state, Absent):
        return () if wanted_state == "absent" else (Difference("state", "absent", "present"),)
    if wanted_state == "absent":
        return (Difference("state", "present", "absent"),)
    found = current(state.value)
    return tuple(
        Difference(name, found.get(name), value, secret=name in secret)
        for name, value in wanted.items()
        if found.get(name) != value
    )
