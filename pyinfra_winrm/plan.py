"""What a deploy would change, with an exit status that CI can use: 0 in step, 2 drift, 1 error, 64 wrong usage.

It runs pyinfra itself as ``--dry``, so inventory, data and deploy files mean exactly what they mean there, and prints
one line or one JSON object for each field that is not as wanted and one for each host, with the run that holds the
host's lock at the time. It leaves pyinfra's log on stderr.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, cast

import click
import pyinfra
from pyinfra.api.host import Host
from pyinfra.api.state import State
from pyinfra.context import ctx_state

from pyinfra_winrm.connector import WinRMConnector
from pyinfra_winrm.drift import Drift
from pyinfra_winrm.lock import Holder
from pyinfra_winrm.resource import Difference, Json
from pyinfra_winrm.wording import ENGLISH, Words

IN_STEP: Final = 0
ERROR: Final = 1
DRIFT: Final = 2
USAGE: Final = 64


@dataclass(frozen=True, slots=True)
class HostPlan:
    """What the plan says about one host."""

    host: str
    error: str | None
    drift: tuple[Drift, ...]
    holder: Holder | None = None
    notes: tuple[str, ...] = ()
    """What a deploy has to say of the host that is neither drift nor an error."""
    words: Words = ENGLISH

    @property
    def status(self) -> str:
        """One word."""
        if self.error is not None:
            return "error"
        return "drift" if self.drift else "in step"

    def as_json(self) -> dict[str, Json]:
        """The line that closes a host."""
        closing: dict[str, Json] = {"host": self.host, "status": self.status, "differences": len(self.drift)}
        if self.error is not None:
            closing["error"] = self.error
        if self.holder is not None:
            closing["lock"] = {"run": self.holder.run, "user": self.holder.user, "since": self.holder.start}
        if self.notes:
            closing["notes"] = list(self.notes)
        return closing


def exit_status(plans: Sequence[HostPlan]) -> int:
    """An error anywhere is an error; otherwise drift anywhere is drift."""
    statuses = {plan.status for plan in plans}
    if "error" in statuses or not plans:
        return ERROR
    return DRIFT if "drift" in statuses else IN_STEP


def render(plans: Sequence[HostPlan], *, as_json: bool) -> Iterator[str]:
    """The lines to print."""
    for plan in plans:
        if as_json:
            yield from (json.dumps(drift.as_json(), ensure_ascii=False) for drift in plan.drift)
            yield json.dumps(plan.as_json(), ensure_ascii=False)
            continue
        prefix = f"[{plan.host}] " if len(plans) > 1 else ""
        yield from (prefix + drift.line() for drift in plan.drift)
        yield from (prefix + note for note in plan.notes)
        if plan.holder is not None:
            yield prefix + plan.words.held.format(user=plan.holder.user, since=plan.holder.start)
        yield prefix + _closing(plan)


def _closing(plan: HostPlan) -> str:
    """The line that says how it stands with a host."""
    if plan.status == "error":
        return plan.words.error.format(error=plan.error)
    if plan.status == "in step":
        return plan.words.in_step
    return plan.words.one if len(plan.drift) == 1 else plan.words.many.format(count=len(plan.drift))


def _pending(state: State, host: Host) -> Iterator[Drift]:
    """Operations other than ``ensure`` that would run: they have no fields, only a name."""
    described = host.connector.described if isinstance(host.connector, WinRMConnector) else set()
    for op_hash in cast("Any", state).get_op_order():
        if op_hash in described or op_hash not in state.ops[host]:
            continue
        data = state.ops[host][op_hash]
        names = ", ".join(sorted(state.get_op_meta(op_hash).names))
        conditional = bool(data.global_arguments.get("_if"))
        if data.operation_meta.will_change and not conditional:
            yield Drift(host.name, names, "operation", names, Difference("run", "not run", "run"))


def _recorded(host: Host) -> list[Drift]:
    connector = host.connector
    return connector.drift if isinstance(connector, WinRMConnector) else []


def _notes(host: Host) -> tuple[str, ...]:
    connector = host.connector
    return connector.notes if isinstance(connector, WinRMConnector) else ()


def _words(host: Host) -> Words:
    connector = host.connector
    return connector.words if isinstance(connector, WinRMConnector) else ENGLISH


def _holder(host: Host) -> Holder | None:
    connector = host.connector
    return connector.holder if isinstance(connector, WinRMConnector) else None


def _error(state: State, host: Host, failure: str | None) -> str | None:
    connector = host.connector
    if isinstance(connector, WinRMConnector) and connector.failure:
        return connector.failure
    if host in state.failed_hosts:
        return "failed; the log above says why"
    return failure


def collect(state: State, failure: str | None) -> list[HostPlan]:
    """What pyinfra's state holds after a dry run; ``failure`` is what ended it early, if anything did."""
    plans: list[HostPlan] = []
    for host in cast("list[Host]", list(state.inventory)):
        if not state.is_host_in_limit(host):
            continue
        error = _error(state, host, failure)
        drift = [*_recorded(host), *(_pending(state, host) if error is None else ())]
        plans.append(HostPlan(host.name, error, tuple(drift), _holder(host), _notes(host), _words(host)))
    return plans


def _dry_run(arguments: list[str]) -> tuple[int, str | None]:
    """pyinfra's own command; its exit status and what it failed with."""
    # Importing it patches the sockets of the whole process, which is this command's to do and nobody else's.
    from pyinfra_cli.cli import cli  # type: ignore[import-untyped]  # noqa: PLC0415

    pyinfra.is_cli = True
    sys.path.append(".")
    sys.dont_write_bytecode = True
    with contextlib.redirect_stdout(io.StringIO()):
        try:
            cli.main(args=arguments, prog_name="pyinfra", standalone_mode=False)
        except click.UsageError as error:
            return USAGE, error.format_message()
        except click.ClickException as error:
            error.show()
            return ERROR, " ".join(error.format_message().split())
        except SystemExit as ended:
            # An inventory that cannot be used ends with a sentence.
            return (ended.code, None) if isinstance(ended.code, int) else (ERROR, ended.code and str(ended.code))
    return IN_STEP, None


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m pyinfra_winrm", description=__doc__, exit_on_error=False)
    commands = parser.add_subparsers(dest="command", required=True)
    plan = commands.add_parser("plan", help="shows what a deploy would change, and changes nothing")
    plan.add_argument("inventory", help="an inventory file, or @winrm/HOST")
    plan.add_argument("deploy", nargs="+", help="the deploy files")
    plan.add_argument("--json", action="store_true", help="one JSON object a line")
    plan.add_argument("--limit", action="append", default=[], help="only these hosts or groups")
    plan.add_argument("--data", action="append", default=[], help="key=value, over the inventory's data")
    return parser


def _pyinfra_arguments(chosen: argparse.Namespace) -> list[str]:
    options: list[Any] = ["--dry", "--json", "--data", "winrm_print_differences=false"]
    for name in ("limit", "data"):
        for value in getattr(chosen, name):
            options += [f"--{name}", value]
    return [*options, chosen.inventory, *chosen.deploy]


def main(arguments: list[str]) -> int:
    """The command; returns its exit status."""
    try:
        chosen = _parser().parse_args(arguments)
    except (argparse.ArgumentError, SystemExit) as error:
        if isinstance(error, SystemExit):
            return USAGE if error.code else IN_STEP
        click.echo(f"wrong usage: {error}", err=True)
        return USAGE
    missing = [name for name in (chosen.inventory, *chosen.deploy) if name.endswith(".py") and not Path(name).is_file()]
    if missing:
        click.echo(f"wrong usage: no file {', '.join(missing)}", err=True)
        return USAGE
    status, failure = _dry_run(_pyinfra_arguments(chosen))
    if status == USAGE:
        click.echo(f"wrong usage: {failure}", err=True)
        return USAGE
    context: Any = ctx_state
    if not context.isset() or not context.get().initialised:
        click.echo(f"error: {failure or 'pyinfra did not start'}", err=True)
        return ERROR
    plans = collect(context.get(), failure)
    for line in render(plans, as_json=chosen.json):
        click.echo(line)
    return ERROR if status else exit_status(plans)
