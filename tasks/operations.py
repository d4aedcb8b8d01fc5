"""The checks of a deploy as pyinfra operations: they look, they may refuse, they never change anything.

A check that passes yields nothing and so never counts as a change. In a dry run preflight still refuses; what looks at
a running server waits for the real run.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import click
from pyinfra.api.host import Host
from pyinfra.api.operation import operation
from pyinfra.api.output import format_text
from pyinfra.context import ctx_host, ctx_state

from pyinfra_winrm.commands import ApplyResource, HostCommand, Refuse
from pyinfra_winrm.errors import HostError
from pyinfra_winrm.kinds import Service
from pyinfra_winrm.operation import make
from tasks import reachability, report, summary, zone
from tasks import verify as verification
from tasks.preflight import Finding, outbound, outbound_finding, secure_delivery
from tasks.pulling import Pull
from tasks.rollback import Before
from tasks.settings import Settings
from tasks.switching import Switch
from tasks.translation import translator


def _host() -> Host:
    return cast("Host", cast("Any", ctx_host).get())


def _executing() -> bool:
    return bool(cast("Any", ctx_state).get().is_executing)


@operation()
def preflight(
    findings: Sequence[Finding], language: str = "en", settings: Settings | None = None
) -> Generator[HostCommand, None, None]:
    """Prints what was found and refuses to go on when something stops the deploy; a real run tries the way out too."""
    host, _ = _host(), translator(language)
    stops = [finding for finding in findings if finding.level == "stop"]
    if settings is not None and not stops and _executing():
        findings = [*findings, *_way_out(host, settings)]
    for finding in findings:
        if finding.level == "note" and _executing():
            host.log(_("note: {finding}").format(finding=finding.said(_)))
    if settings is not None and not _executing():
        cast("Any", host.connector).notes = tuple(_noted(findings, settings))
    if not stops:
        return
    listed = "; ".join(f"{number}) {stop.said(_)}" for number, stop in enumerate(stops, 1))
    message = f"{host.name}: " + _("nothing was changed: {findings}").format(findings=listed)
    if _executing():
        yield Refuse(message)
    else:
        cast("Any", host.connector).fail(HostError(message))


def _noted(findings: Sequence[Finding], settings: Settings) -> Iterator[str]:
    """What a plan says beside drift; a deploy says it of DANE in its summary."""
    _ = translator(settings.language)
    for finding in (*findings, secure_delivery(settings)):
        if finding is not None and finding.level == "note":
            yield _("note: {finding}").format(finding=finding.said(_))


def _way_out(host: Host, settings: Settings) -> list[Finding]:
    called = outbound(settings)
    states = cast("Any", host.connector).run.readings.states([called]) if called else [None]
    found = outbound_finding(settings, called, states[0])
    return [found] if found else []


@operation()
def serve(
    settings: Settings | None, resources: Sequence[Service], back: Before | None
) -> Generator[HostCommand, None, None]:
    """Makes the one service as wanted; ``back`` is what runs again when that does not serve."""
    for command in make("service", resources):
        if settings is not None and isinstance(command, ApplyResource):
            yield Switch(resources[0], settings, back)
        else:
            yield command


@operation()
def pull(source: str, target: Path, language: str = "en") -> Generator[HostCommand, None, None]:
    """Brings a file of the host here, and says where it is."""
    if _executing() and source:
        _ = translator(language)
        _host().log(_("backup: {file}").format(file=target))
    if source:
        yield Pull(source, target)


@operation()
def dns(settings: Settings | None) -> Generator[HostCommand, None, None]:
    """Names each record that the zones do not hold as they should; entering them is left to people."""
    host = _host()
    if settings is None or _executing() or host in host.state.failed_hosts:
        return
    connector = cast("Any", host.connector)
    connector.described.add(str(host.current_op_hash))
    try:
        records = report.asked(connector.run, settings).records
    except HostError as error:
        connector.fail(error)
        return
    for kind, name, difference in zone.differences(records):
        for drift in connector.run.drift.add("dns", kind, name, (difference,)):
            if connector.prints_differences:
                host.log(format_text(drift.line(), "yellow"))
    yield from ()


@operation()
def verify(settings: Settings | None) -> Generator[HostCommand, None, None]:
    """Looks at the running server from itself; refuses when it does not serve."""
    if settings is None or not _executing():
        return
    host = _host()
    broken = verification.broken(report.of(host, settings).checks)
    if broken:
        _ = translator(settings.language)
        yield Refuse(f"{host.name}: " + _("the server does not serve: {why}").format(why="; ".join(broken)))


@operation()
def tell(settings: Settings | None, upgrade_backup: str = "") -> Generator[HostCommand, None, None]:
    """Prints the summary, with what this machine sees of the server beside what it sees of itself."""
    if settings is None or not _executing():
        return
    host = _host()
    found = report.of(host, settings)
    address = str(cast("Any", host).data.get("winrm_host") or host.name)
    seen = (*found.checks, *reachability.checks(settings, address))
    shown = replace(found, checks=seen, upgrade_backup=upgrade_backup)
    click.echo("\n" + summary.text(settings, shown, host.name), err=True)
    yield from ()
