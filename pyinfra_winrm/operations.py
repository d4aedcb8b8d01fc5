"""Operations for plain use, without a description of resources: a script, a file, a restart.

``from pyinfra_winrm import operations as winrm``, then ``winrm.put(...)``. A file in step yields nothing; a script and
a restart always do what they are called for.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Final

from pyinfra.api.command import StringCommand
from pyinfra.api.operation import operation

from pyinfra_winrm.commands import HostCommand, Reboot, RunScript
from pyinfra_winrm.kinds import File
from pyinfra_winrm.operation import make

# Seconds: a server that installs updates on its way down takes minutes.
REBOOT_WAIT: Final = 900


@operation(is_idempotent=False)
def powershell(script: str | StringCommand) -> Generator[HostCommand, None, None]:
    """Runs a script. Secrets belong into ``_env``, wrapped in ``HiddenValue``, and never into its text."""
    yield RunScript(script, changes=True)


@operation()
def put(src: str, dest: str) -> Generator[HostCommand, None, None]:
    """Puts a file of the controller at ``dest`` (forward slashes), unless it is there with the same content."""
    yield from make(f"put {dest}", [File(path=dest, source=Path(src))])


@operation(is_idempotent=False)
def reboot(wait: int = REBOOT_WAIT) -> Generator[HostCommand, None, None]:
    """Restarts the host and goes on when it has another boot time."""
    yield Reboot(wait)
