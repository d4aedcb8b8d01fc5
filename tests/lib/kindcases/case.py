"""What a case of a kind is: a converged resource, and for each of its fields another value and the plan's answer.

A field is named by its path through the dataclasses, ``acl.entries.rights``; a kind whose fields have no common base
has several cases. ``fields_of`` finds the paths that need one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import Any

from lab.model.host import Host
from pyinfra_winrm.resource import Resource


@dataclass(frozen=True, kw_only=True)
class Change:
    """One field with another value.

    resource: the base with that field changed, and nothing else.
    lines: the fields that the plan names, one of them unless the field is a name within the resource; none for a field
        that says how to change and not to what.
    applies: whether the change can be made on the lab.
    own: prefixes of state that the change may touch beside the case's.
    before: makes the host ready for this change.
    undo: what to apply afterwards, before the base is applied again.
    """

    resource: Resource
    lines: tuple[str, ...] = ()
    applies: bool = True
    own: tuple[str, ...] = ()
    before: Callable[[Host], None] = lambda _: None
    undo: tuple[Resource, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Case:
    """A kind on a host.

    base: the converged resource.
    changes: by the path of the field.
    own: prefixes of state that the resource owns; everything else has to stay.
    around: resources that are there first.
    arrange: makes the host ready.
    generated: prefixes of state that no two runs have alike.
    """

    base: Resource
    changes: dict[str, Change]
    own: tuple[str, ...]
    around: tuple[Resource, ...] = ()
    arrange: Callable[[Host], None] = lambda _: None
    generated: tuple[str, ...] = ()
    name: str = ""

    def __str__(self) -> str:
        return f"{self.base.kind}{self.name and ' ' + self.name}"


def fields_of(value: Any, prefix: str = "") -> Iterator[str]:
    """The paths of a resource's fields; those of the dataclasses in it instead of the field that holds them."""
    for each in fields(value):
        held = getattr(value, each.name)
        inner = held[0] if isinstance(held, tuple) and held else held
        if is_dataclass(inner) and not isinstance(inner, type):
            for item in held if isinstance(held, tuple) else (held,):
                yield from fields_of(item, f"{prefix}{each.name}.")
        else:
            yield f"{prefix}{each.name}"
