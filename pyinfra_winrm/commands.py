"""The commands that operations and facts of this package yield: what pyinfra carries to the connector instead of text.

Each prints as what it does, without a value that could be secret, and performs itself on a ``HostRun``. Global
arguments and printing are left to the connector.
"""

from __future__ import annotations

import abc
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pyinfra.api.command import StringCommand
from pyinfra.api.hiddenvalue import HiddenValue

from pyinfra_winrm.carrier import carries, change_carrier
from pyinfra_winrm.reboot import reboot
from pyinfra_winrm.resource import Resource
from pyinfra_winrm.run import HostRun


@dataclass(frozen=True, slots=True)
class Arguments:
    """The global arguments that have a meaning on Windows."""

    timeout: int
    env: Mapping[str, Any]
    folder: str | None
    good_statuses: frozenset[int]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command answered."""

    ok: bool
    out: list[str]
    err: list[str]


class HostCommand(StringCommand, abc.ABC):
    """A command that performs itself; ``StringCommand`` is the class that pyinfra hands to a connector unchanged."""

    @abc.abstractmethod
    def perform(self, run: HostRun, arguments: Arguments) -> Outcome:
        """Does it; raises ``HostError``."""


class ApplyResource(HostCommand):
    """Makes one resource as wanted."""

    def __init__(self, resource: Resource) -> None:
        super().__init__(f"{resource.kind} {resource.label}")
        self._resource = resource

    def perform(self, run: HostRun, arguments: Arguments) -> Outcome:
        """See ``HostRun.apply``, and ``carrier`` for what this very session comes in by."""
        change = change_carrier if carries(run, self._resource) else HostRun.apply
        change(run, self._resource, arguments.timeout)
        return Outcome(ok=True, out=[], err=[])


class Refuse(HostCommand):
    """Fails with a message that was found before there was anything to do."""

    def __init__(self, message: str) -> None:
        super().__init__("refuse")
        self._message = message

    def perform(self, run: HostRun, arguments: Arguments) -> Outcome:  # noqa: ARG002
        """Never works."""
        return Outcome(ok=False, out=[], err=[self._message])


class RunScript(HostCommand):
    """Runs plain PowerShell. A script that only reads is asked again after a lost connection and takes no lock."""

    def __init__(self, script: str | StringCommand, *, changes: bool) -> None:
        super().__init__(script)
        self._changes = changes

    def perform(self, run: HostRun, arguments: Arguments) -> Outcome:
        """See ``HostRun.run``."""
        env = {
            name: value.unmask() if isinstance(value, HiddenValue) else str(value)
            for name, value in arguments.env.items()
        }
        status, out, err = run.run(
            self.get_raw_value(),
            env=env,
            folder=arguments.folder,
            timeout=arguments.timeout,
            changes=self._changes,
            about="the script",
        )
        ok = status in arguments.good_statuses
        return Outcome(ok, out, err if ok else [*err, f"exit status {status}"])


class ReadFacts(HostCommand):
    """The host facts as one line of JSON."""

    def __init__(self) -> None:
        super().__init__("host facts")

    def perform(self, run: HostRun, arguments: Arguments) -> Outcome:  # noqa: ARG002
        """See ``HostRun.facts``."""
        return Outcome(ok=True, out=[json.dumps(run.facts())], err=[])


class Reboot(HostCommand):
    """Restarts the host and waits until it is back."""

    def __init__(self, wait: int) -> None:
        super().__init__("reboot")
        self._wait = wait

    def perform(self, run: HostRun, arguments: Arguments) -> Outcome:  # noqa: ARG002
        """See ``reboot.reboot``."""
        reboot(run, self._wait)
        return Outcome(ok=True, out=[], err=[])
