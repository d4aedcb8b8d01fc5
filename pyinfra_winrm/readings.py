"""What is known of a host's resources in one pass: announced, read in one request, dropped by any change.

It guarantees that a state older than the last change is never answered. Comparing is left to the kinds.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pyinfra_winrm.lock import Holder
from pyinfra_winrm.protocol import decode_state
from pyinfra_winrm.resource import Kind, Resource, State
from pyinfra_winrm.session import Session

Identity = tuple[str, str]


class Readings:
    """The states of one host's resources; ``holder``: who else held the run's lock when they were read."""

    def __init__(self, session: Session, kinds: Mapping[str, Kind]) -> None:
        self._session = session
        self._kinds = kinds
        self._announced: dict[Identity, Resource] = {}
        self._known: dict[Identity, State] = {}
        self.holder: Holder | None = None

    def announce(self, resources: Iterable[Resource]) -> None:
        """Resources that will be asked for later, so that the next request may bring them all."""
        self._announced |= {self._identity(resource): resource for resource in resources}

    def finish(self, resources: Iterable[Resource]) -> None:
        """Resources that will not be asked for again."""
        for resource in resources:
            self._announced.pop(self._identity(resource), None)

    def drop(self) -> None:
        """Forgets every state; a change may have touched any of them."""
        self._known.clear()

    def states(self, resources: Sequence[Resource]) -> list[State]:
        """The states of these resources, in order; at most one request."""
        wanted = {self._identity(resource): resource for resource in resources}
        if any(identity not in self._known for identity in wanted):
            self._read({**wanted, **self._announced})
        return [self._known[identity] for identity in map(self._identity, resources)]

    def _read(self, wanted: Mapping[Identity, Resource]) -> None:
        missing = {identity: resource for identity, resource in wanted.items() if identity not in self._known}
        items = [{"kind": item.kind, "key": self._kinds[item.kind].key(item)} for item in missing.values()]
        kinds = tuple(dict.fromkeys(item.kind for item in missing.values()))
        reply = self._session.read("read", {"items": items}, kinds=kinds)
        held = reply.fields.get("held")
        self.holder = Holder.from_json(held) if held else None
        answers: list[Any] = reply.fields.get("items") or []
        self._known |= {identity: decode_state(answer) for identity, answer in zip(missing, answers, strict=True)}

    def _identity(self, resource: Resource) -> Identity:
        key = self._kinds[resource.kind].key(resource)
        return resource.kind, json.dumps(key, sort_keys=True, default=repr)
