"""A server elsewhere that has to greet when the host calls it: whether the way out is open, asked by protocol.

Nothing can be made of it: it is read, and where it differs somebody else has to act. The hosts are called in order, and
the first that greets as expected is enough.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from pyinfra_winrm.kinds.errors import InvalidResourceError
from pyinfra_winrm.resource import Difference, Json, Kind, Present, State


@dataclass(frozen=True, kw_only=True, slots=True)
class Greeting:
    """A port outside that answers.

    hosts: the names or addresses to call, in order.
    port: the port to call.
    expects: what the first line has to begin with.
    timeout: seconds a host has for it.
    """

    kind: ClassVar[str] = "greeting"
    hosts: tuple[str, ...]
    port: int
    expects: str
    timeout: int = 5

    def __post_init__(self) -> None:
        if not self.hosts:
            raise InvalidResourceError("a greeting needs a host to call")

    @property
    def label(self) -> str:
        """Who is called."""
        return f"{' or '.join(self.hosts)} port {self.port}"


def _key(greeting: Greeting) -> Mapping[str, Json]:
    return {
        "hosts": list(greeting.hosts),
        "port": greeting.port,
        "expects": greeting.expects,
        "timeout": greeting.timeout,
    }


def _desired(greeting: Greeting) -> Mapping[str, Json]:
    return {**_key(greeting), "state": "present"}


def _differences(greeting: Greeting, state: State) -> tuple[Difference, ...]:
    said = str(state.value["said"]) if isinstance(state, Present) else ""
    if said.startswith(greeting.expects):
        return ()
    found = said or (str(state.value["failure"]) if isinstance(state, Present) else "unknown")
    return (Difference("greeting", found, greeting.expects),)


KIND = Kind("greeting", Greeting, Path(__file__).with_suffix(".ps1"), _key, _desired, _differences)
