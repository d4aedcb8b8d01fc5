"""The ``@winrm`` connector: pyinfra's view of a Windows host.

It guarantees that an operation on Windows either does what a global argument says or fails naming it, and that nothing
but ``ConnectError`` and failed commands reaches pyinfra. Sessions, locks and resources are ``HostRun``'s.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from io import IOBase
from pathlib import Path
from typing import Any, Final, cast

import click
from pyinfra import logger
from pyinfra.api.command import StringCommand
from pyinfra.api.exceptions import ConnectError, InventoryError
from pyinfra.api.host import Host
from pyinfra.api.output import echo, format_text
from pyinfra.api.state import State
from pyinfra.api.util import get_file_io
from pyinfra.connectors.base import BaseConnector
from pyinfra.connectors.util import CommandOutput, OutputLine

from pyinfra_winrm.commands import Arguments, HostCommand, Outcome, RunScript
from pyinfra_winrm.drift import Drift
from pyinfra_winrm.errors import ConfigurationError, HostError
from pyinfra_winrm.kinds import KINDS
from pyinfra_winrm.lock import Holder
from pyinfra_winrm.resource import Resource
from pyinfra_winrm.run import HostRun
from pyinfra_winrm.settings import DATA_META, WinRMData, connection
from pyinfra_winrm.wording import ENGLISH, Words

NO_SENSE: Final = (
    "_sudo",
    "_sudo_user",
    "_su_user",
    "_doas",
    "_doas_user",
    "_dzdo",
    "_dzdo_user",
    "_stdin",
    "_get_pty",
)


class WinRMConnector(BaseConnector):
    """Connects with ``@winrm/HOST``; the data keys are those of ``WinRMData``."""

    data_cls = WinRMData
    data_meta = DATA_META
    handles_execution = True

    failure: str | None = None
    notes: tuple[str, ...] = ()
    words: Words = ENGLISH
    _run: HostRun | None = None

    def __init__(self, state: State, host: Host) -> None:
        super().__init__(state, host)
        # The operations whose differences are recorded field by field; a plan lists any other by its name.
        self.described: set[str] = set()

    @staticmethod
    def make_names_data(name: str | None) -> Iterator[tuple[str, dict[str, Any], list[str]]]:
        """One host, named after what stands behind ``@winrm/``."""
        if not name:
            raise InventoryError("@winrm needs a host: @winrm/HOST")
        yield f"@winrm/{name}", {"winrm_host": name}, ["@winrm"]

    @property
    def run(self) -> HostRun:
        """This run's dealings with the host; raises ``ConfigurationError`` for data that cannot work."""
        if self._run is None:
            self._run = HostRun(self.host.name, connection(self.data), KINDS, self.host.log)
        return self._run

    @property
    def drift(self) -> list[Drift]:
        """What this run found not as wanted."""
        return self._run.drift.found if self._run is not None else []

    @property
    def holder(self) -> Holder | None:
        """The other run that held the host's lock when its resources were last read."""
        return self._run.readings.holder if self._run is not None else None

    @property
    def prints_differences(self) -> bool:
        """Whether drift is printed as it is found."""
        return bool(self.data["winrm_print_differences"])

    def connect(self) -> None:
        """Opens the session."""
        try:
            self.run.session.connect()
        except HostError as error:
            self.failure = str(error)
            raise ConnectError(str(error)) from error

    def disconnect(self) -> None:
        """Gives back the lock and ends the session; a host that is gone is no error."""
        if self._run is not None:
            self._run.close()

    def run_shell_command(
        self,
        command: StringCommand,
        print_output: bool = False,
        print_input: bool = False,
        **arguments: Any,
    ) -> tuple[bool, CommandOutput]:
        """Runs one of this package's commands, or plain PowerShell from any other operation."""
        if print_input:
            echo(f"{self.host.print_prefix}>>> {command}", err=True)
        try:
            known = command if isinstance(command, HostCommand) else RunScript(command, changes=True)
            outcome = known.perform(self.run, _arguments(arguments))
        except HostError as error:
            self.failure = str(error)
            outcome = Outcome(ok=False, out=[], err=[str(error)])
        lines = [OutputLine("stdout", line) for line in outcome.out] + [
            OutputLine("stderr", line) for line in outcome.err
        ]
        if print_output:
            for line in lines:
                shown = click.style(line.line, "red") if line.buffer_name == "stderr" else line.line
                echo(f"{self.host.print_prefix}{shown}", err=True)
        return outcome.ok, CommandOutput(lines)

    def put_file(
        self,
        filename_or_io: str | IOBase,
        remote_filename: str,
        remote_temp_filename: str | None = None,
        print_output: bool = False,
        print_input: bool = False,
        **arguments: Any,
    ) -> bool:
        """Uploads a file; the target is replaced only by the whole new file."""
        del remote_temp_filename
        if print_input or print_output:
            echo(f"{self.host.print_prefix}>>> upload {remote_filename}", err=True)
        try:
            timeout = _arguments(arguments).timeout
            if isinstance(filename_or_io, str):
                self.run.put(Path(filename_or_io), remote_filename, timeout)
            else:
                with get_file_io(cast("Any", filename_or_io)) as stream:
                    content = stream.read()
                self.run.put(content.encode() if isinstance(content, str) else content, remote_filename, timeout)
        except HostError as error:
            return self._failed(error)
        return True

    def get_file(
        self,
        remote_filename: str,
        filename_or_io: str | IOBase,
        remote_temp_filename: str | None = None,
        print_output: bool = False,
        print_input: bool = False,
        **arguments: Any,
    ) -> bool:
        """Downloads a file of the host."""
        del remote_temp_filename
        if print_input or print_output:
            echo(f"{self.host.print_prefix}>>> download {remote_filename}", err=True)
        try:
            content = self.run.get(remote_filename, _arguments(arguments).timeout)
        except HostError as error:
            return self._failed(error)
        if isinstance(filename_or_io, str):
            Path(filename_or_io).write_bytes(content)
        else:
            cast("Any", filename_or_io).write(content)
        return True

    def prefetch(self, resources: Sequence[Resource]) -> None:
        """Reads everything a deploy will ask for in one request, and again whenever something has changed."""
        if self.host in self.state.failed_hosts:
            return
        try:
            self.run.readings.announce(resources)
            self.run.readings.states(resources)
        except HostError as error:
            self.fail(error)

    def fail(self, error: HostError) -> None:
        """As pyinfra does for a fact that cannot be read: one line, and the host is left out from here on."""
        self.failure = str(error)
        self.host.log(format_text(str(error), "red"), logger.error)
        cast("Any", self.state).fail_hosts({self.host})

    def _failed(self, error: HostError) -> bool:
        echo(f"{self.host.print_prefix}{click.style(str(error), 'red')}", err=True)
        return False


def _arguments(given: dict[str, Any]) -> Arguments:
    for name in NO_SENSE:
        if given.get(name):
            raise ConfigurationError(
                f"{name} has no meaning on Windows: connect as the user that may do this, or leave {name} away"
            )
    return Arguments(
        timeout=int(given.get("_timeout") or 0),
        env=given.get("_env") or {},
        folder=given.get("_chdir") or None,
        good_statuses=frozenset(given.get("_success_exit_codes") or [0]),
    )
