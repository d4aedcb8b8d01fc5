"""Shells and their commands: output that waits to be received, input that is passed on, idle ones that end.

An engine makes the process behind a command; it writes into the command's ``Output`` from any thread.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Protocol

from lab.wsman.soap import Fault, no_shell, quota

TOO_MANY_SHELLS = 0x803381A5  # ERROR_WSMAN_QUOTA_MAX_SHELLS
TOO_MANY_OPERATIONS = 0x803381A6  # ERROR_WSMAN_QUOTA_MAX_OPERATIONS
MOST_WAITING = 64 * 1024 * 1024  # bytes of output kept for a client that does not ask


@dataclass(frozen=True, slots=True)
class CommandLine:
    """What a client starts, and in which shell."""

    line: str
    code_page: int
    environment: Mapping[str, str]
    folder: str | None
    console: bool


class Output:
    """What a command has written and the client has not taken; any thread may write, one waits."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._streams = {"stdout": bytearray(), "stderr": bytearray()}
        self._code: int | None = None

    def write(self, stream: str, data: bytes) -> None:
        """Adds to a stream; blocks while too much waits."""
        with self._changed:
            self._changed.wait_for(lambda: len(self._streams[stream]) < MOST_WAITING or self._code is not None)
            self._streams[stream] += data
            self._changed.notify_all()

    def done(self, code: int) -> None:
        """The command has ended."""
        with self._changed:
            if self._code is None:
                self._code = code & 0xFFFFFFFF
            self._changed.notify_all()

    @property
    def ended(self) -> bool:
        """Whether the command has ended, whatever still waits to be received."""
        return self._code is not None

    def take(self, most: int, timeout: float) -> tuple[dict[str, bytes], int | None] | None:
        """At most so many bytes, and the exit code once all is taken; None when nothing came in time."""
        with self._changed:
            if not self._changed.wait_for(self._ready, timeout):
                return None
            taken = {}
            for name, waiting in self._streams.items():
                piece = bytes(waiting[:most])
                del waiting[: len(piece)]
                most -= len(piece)
                if piece:
                    taken[name] = piece
            self._changed.notify_all()
            return taken, None if any(self._streams.values()) else self._code

    def _ready(self) -> bool:
        return self._code is not None or any(self._streams.values())


class Process(Protocol):
    """What an engine starts."""

    def write(self, data: bytes, end: bool) -> None:
        """Input for the command."""

    def interrupt(self) -> None:
        """ctrl_c."""

    def terminate(self) -> None:
        """Ends it, at the latest after what it is in the middle of."""


class Engine(Protocol):
    """Starts commands."""

    def start(self, command: CommandLine, output: Output) -> Process:
        """Starts one; its end comes by ``output.done``."""


@dataclass(slots=True)
class Command:
    """A command of a shell."""

    id: str
    process: Process
    output: Output


@dataclass(slots=True)
class Shell:
    """A shell and when it was last used."""

    id: str
    idle_timeout: float
    code_page: int
    environment: Mapping[str, str]
    folder: str | None
    streams: str
    used: float
    receiving: int = 0
    commands: dict[str, Command] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Quotas:
    """What the service allows; asked at each use, because an operator may change them."""

    shells: int
    processes: int
    idle: float
    envelope: int


class Shells:
    """All shells of the server's one user."""

    def __init__(
        self, engine: Engine, quotas: Callable[[], Quotas], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._engine = engine
        self._quotas = quotas
        self._clock = clock
        self._lock = threading.Lock()
        self._shells: dict[str, Shell] = {}

    def create(
        self,
        idle_timeout: float | None,
        code_page: int,
        environment: Mapping[str, str],
        folder: str | None,
        streams: str,
        wanted_id: str = "",
    ) -> Shell:
        """A new shell."""
        limits = self._quotas()
        with self._lock:
            if len(self._shells) >= limits.shells:
                raise quota(TOO_MANY_SHELLS, f"a maximum number of {limits.shells} concurrent shells")
            idle = min(idle_timeout or limits.idle, limits.idle)
            identity = wanted_id or str(uuid.uuid4()).upper()
            shell = Shell(identity, idle, code_page, environment, folder, streams, self._clock())
            self._shells[identity.upper()] = shell
            return shell

    def find(self, identity: str) -> Shell:
        """The shell, used just now."""
        with self._lock:
            shell = self._shells.get(identity.upper())
            if shell is None:
                raise no_shell(identity)
            shell.used = self._clock()
            return shell

    def all(self) -> list[Shell]:
        """The shells that are open."""
        with self._lock:
            return list(self._shells.values())

    def command(self, shell: Shell, line: str, console: bool, wanted_id: str = "") -> Command:
        """Starts a command."""
        limits = self._quotas()
        running = sum(not command.output.ended for command in shell.commands.values())
        if running >= limits.processes:
            raise quota(TOO_MANY_OPERATIONS, f"a maximum number of {limits.processes} processes in a shell")
        output = Output()
        wanted = CommandLine(line, shell.code_page, shell.environment, shell.folder, console)
        command = Command(wanted_id or str(uuid.uuid4()).upper(), self._engine.start(wanted, output), output)
        shell.commands[command.id.upper()] = command
        return command

    @staticmethod
    def command_of(shell: Shell, identity: str) -> Command:
        """A command of the shell; without an id, its only one."""
        if not identity and len(shell.commands) == 1:
            return next(iter(shell.commands.values()))
        command = shell.commands.get(identity.upper())
        if command is None:
            raise Fault(2150858843, "w:InvalidSelectors", f"The command {identity} was not found on the server.")
        return command

    def receive(
        self, shell: Shell, command: Command, most: int, timeout: float
    ) -> tuple[dict[str, bytes], int | None] | None:
        """Waits for output; a shell that is waited for is not idle."""
        shell.receiving += 1
        try:
            return command.output.take(most, timeout)
        finally:
            shell.receiving -= 1
            shell.used = self._clock()

    def remove(self, identity: str) -> None:
        """Closes a shell and ends what runs in it."""
        with self._lock:
            shell = self._shells.pop(identity.upper(), None)
        if shell is None:
            raise no_shell(identity)
        end_commands(shell)

    def expire(self) -> None:
        """Closes the shells that nobody has used for their idle time-out."""
        now = self._clock()
        for shell in self.all():
            if not shell.receiving and now - shell.used > shell.idle_timeout:
                self.remove(shell.id)

    def close(self) -> None:
        """Closes all, as a reboot does."""
        for shell in self.all():
            self.remove(shell.id)


def end_commands(shell: Shell) -> None:
    """Ends the commands of a shell."""
    for command in list(shell.commands.values()):
        command.process.terminate()
