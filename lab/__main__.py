"""``python -m lab``: starts, stops and asks the lab, and makes faults and changes by hand on it.

Exit status 0 when it was done, 1 when it could not be, 64 on wrong usage.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from lab import drift, faults, lifecycle, overview
from lab.config import ENGINES, HOSTS, default_folder
from lab.model.errors import HostError

WRONG_USAGE = 64
FAULTS = (*faults.KINDS, "clear", "list", "hold", "listen", "quota", "disk", "language-mode")
FOREVER = 3600.0  # seconds that a file or port stays taken when nothing else is asked for


class Parser(argparse.ArgumentParser):
    """Wrong usage has an exit status of its own."""

    def error(self, message: str) -> NoReturn:
        """Prints the message and exits."""
        self.print_usage(sys.stderr)
        self.exit(WRONG_USAGE, f"{self.prog}: {message}\n")
        raise SystemExit(WRONG_USAGE)


def parser() -> argparse.ArgumentParser:
    """The command line."""
    top = Parser(prog="python -m lab", description=__doc__)
    commands = top.add_subparsers(dest="command", required=True, parser_class=Parser)
    for name, about in (
        ("start", "starts the lab in the background"),
        ("ensure", "starts it unless it runs"),
        ("reset", "back to a fresh host"),
    ):
        command = _with_folder(commands, name, about)
        command.add_argument("--engine", choices=ENGINES)
        command.add_argument("--host", dest="kind", choices=HOSTS, help="what the host is before anything is deployed")
        command.add_argument("--http", type=int, help="port of the plain listener; BASE+5985 by default")
        command.add_argument("--https", type=int, help="port of the TLS listener; BASE+5986 by default")
        command.add_argument("--port-base", type=int, help="the host's port N is reached at 127.0.0.1:BASE+N")
    _with_folder(commands, "stop", "stops the lab and all that runs on it")
    _with_folder(commands, "status", "says whether it runs, and how to reach it")
    show = _with_folder(commands, "show", "prints what is on the host")
    show.add_argument(
        "part", nargs="?", default="all", choices=("all", "ports", "services", "tasks", "firewall", "journal")
    )
    made = _with_folder(commands, "drift", "changes something by hand")
    made.add_argument("kind", nargs="*", choices=(*drift.KINDS, []), help="what to change; everything by default")
    task = _with_folder(commands, "task", "runs a scheduled task now")
    task.add_argument("path")
    _with_folder(commands, "reboot", "restarts the host")
    _fault_arguments(_with_folder(commands, "fault", "makes a fault"))
    return top


def _with_folder(commands: argparse._SubParsersAction[Parser], name: str, about: str) -> Parser:
    command = commands.add_parser(name, help=about, description=about)
    command.add_argument("--dir", type=Path, default=default_folder(), help="the lab's folder (MAILHOST_LAB, or .lab)")
    return command


def _fault_arguments(command: Parser) -> None:
    command.add_argument("kind", choices=FAULTS)
    command.add_argument(
        "--verb", default="", help="read, apply, run, change, upload, lock... or receive, send, create"
    )
    command.add_argument("--after", type=int, default=0, help="lets so many such requests pass first")
    command.add_argument("--times", type=int, default=1, help="how often it happens; 0 for ever")
    command.add_argument("--seconds", type=float, default=0.0, help="how long it takes or lasts")
    command.add_argument("--path", help="the file to hold open")
    command.add_argument("--port", type=int, help="the port to take")
    command.add_argument("--name", help="the quota to change, as winrm get winrm/config names it")
    command.add_argument("--value", help="the quota, the free bytes, or the language mode; 'none' takes it back")


def fault(arguments: argparse.Namespace) -> str:
    """Makes the fault and says what was done."""
    folder, kind = arguments.dir, arguments.kind
    if kind in faults.KINDS:
        names = ("kind", "verb", "after", "times", "seconds")
        lifecycle.call(folder, "lab.fault", **{name: getattr(arguments, name) for name in names})
    elif kind == "list":
        return "\n".join(str(row) for row in lifecycle.call(folder, "lab.faults")) or "no fault is set"
    elif kind == "clear":
        lifecycle.call(folder, "lab.clear")
    elif kind == "hold":
        pid = lifecycle.call(folder, "lab.hold", path=arguments.path, seconds=arguments.seconds or FOREVER)
        return f"process {pid} holds {arguments.path}"
    elif kind == "listen":
        pid = lifecycle.call(folder, "lab.listen", port=arguments.port, seconds=arguments.seconds or FOREVER)
        return f"process {pid} listens on {arguments.port}"
    else:
        return _property(folder, kind, arguments.name, arguments.value)
    return f"{kind}: done"


def _property(folder: Path, kind: str, name: str | None, value: str) -> str:
    none = value == "none"
    if kind == "disk":
        lifecycle.call(folder, "system.set", name="disk_limit", value=None if none else int(value))
    elif kind == "language-mode":
        mode = "FullLanguage" if none else value
        lifecycle.call(folder, "system.set", name="language_mode", value=mode)
    else:
        lifecycle.call(folder, "lab.quota", name=name, value=None if none else int(value))
    return f"{kind} {name or ''}: {value}"


def run(arguments: argparse.Namespace) -> str:
    """Does what the command line asks and gives what to print."""
    folder: Path = arguments.dir.absolute()
    arguments.dir = folder
    wanted = {name: getattr(arguments, name, None) for name in ("engine", "http", "https", "port_base")}
    match arguments.command:
        case "start":
            return overview.where(folder, lifecycle.start(folder, kind=arguments.kind, **wanted))
        case "ensure":
            found = lifecycle.running(folder)
            return overview.where(folder, found or lifecycle.start(folder, kind=arguments.kind, **wanted))
        case "reset":
            return overview.where(folder, lifecycle.reset(folder, kind=arguments.kind, **wanted))
        case "stop":
            return "stopped" if lifecycle.stop(folder) else "it did not run"
        case "status":
            found = lifecycle.running(folder)
            if found is None:
                raise lifecycle.LabError(f"no lab runs in {folder}")
            return overview.where(folder, found)
        case "show":
            return overview.text(folder, arguments.part)
        case "drift":
            done = [drift.drift(folder, kind) for kind in arguments.kind or drift.KINDS]
            return "\n".join(line for line in done if line) or "there is nothing to change yet"
        case "task":
            result = lifecycle.call(folder, "tasks.run", path=arguments.path)
            return f"{result['out']}exit status {result['rc']}"
        case "reboot":
            lifecycle.call(folder, "lab.reboot")
            return "restarted"
        case _:
            return fault(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; returns its exit status."""
    try:
        print(run(parser().parse_args(arguments)))
    except (lifecycle.LabError, HostError, OSError) as error:
        print(f"lab: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
