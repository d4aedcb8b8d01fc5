"""Facts of a Windows host for pyinfra: what the host says about itself, and what any script prints.

Reading a fact changes nothing and takes no lock. Which facts there are is the host script's to say.
"""

from __future__ import annotations

import json
from typing import Any

from pyinfra.api.facts import FactBase

from pyinfra_winrm.commands import ReadFacts, RunScript
from pyinfra_winrm.resource import Json


class HostFacts(FactBase[dict[str, Json]]):
    """Build, boot time, code page, language mode, owners of ports, free space and the rest, as one dictionary."""

    @staticmethod
    def default() -> dict[str, Json]:
        """Nothing is known of a host that does not answer."""
        return {}

    def command(self) -> ReadFacts:
        """One request, or none when they were read and nothing has changed since."""
        return ReadFacts()

    def process(self, output: list[str]) -> dict[str, Json]:
        """One line of JSON."""
        facts: dict[str, Any] = json.loads(output[0])
        return facts


class PowerShell(FactBase[list[str]]):
    """The lines that a script prints; the script must not change anything."""

    @staticmethod
    def default() -> list[str]:
        """A script that prints nothing has no lines."""
        return []

    def command(self, script: str) -> RunScript:
        """One request."""
        return RunScript(script, changes=False)

    def process(self, output: list[str]) -> list[str]:
        """The lines as they are."""
        return output
