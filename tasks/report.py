"""What the host says at the end of a run, asked of ``maild report`` and turned into the summary's own types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, cast

from pyinfra.api.host import Host

from pyinfra_winrm.kinds import Reconcile
from pyinfra_winrm.kinds.reconcile import not_managed
from pyinfra_winrm.resource import Present
from pyinfra_winrm.run import HostRun
from tasks import objects, release
from tasks.paths import Paths
from tasks.settings import Settings
from tasks.settings.model import alias_host, mail_host
from tasks.summary import Certificate, Check, Record, Report


def resource(settings: Settings) -> Reconcile:
    """The question, as a resource that is only ever read."""
    paths = Paths(settings.root)
    offline = ("--offline",) if settings.dns_offline else ()
    return Reconcile(
        name="report",
        command=release.command(settings, "report", "--settings", paths.settings, *offline),
        desired={"first_passwords": paths.first_passwords, "mail_hosts": mail_hosts(settings)},
        folder=paths.private,
    )


def mail_hosts(settings: Settings) -> dict[str, str]:
    """Each domain and added domain, and the name its MX points to."""
    found = {settings.reports_domain: settings.server_name} if settings.dmarc.send_reports else {}
    for domain in settings.present_domains:
        found[domain.name] = mail_host(domain)
        found |= {alias: alias_host(domain, alias) for alias in domain.aliases}
    return found


def of(host: Host, settings: Settings) -> Report:
    """The report of a host that pyinfra is connected to."""
    return asked(cast("Any", host.connector).run, settings)


def asked(run: HostRun, settings: Settings, program: str = "") -> Report:
    """The report, of the release whose ``program`` is named; one line that says why when the host cannot give it."""
    asking, declared = resource(settings), objects.resource(settings)
    if program:
        asking = replace(asking, command=(program, *asking.command[1:]))
    state, found = run.readings.states([asking, declared])
    said = state.value.get("report") if isinstance(state, Present) else None
    if said is None:
        return Report(checks=(Check("host", "maild report", fine=False, detail=getattr(state, "reason", "no answer")),))
    return replace(parse(said), not_managed=not_managed(found))


def parse(data: Mapping[str, Any]) -> Report:
    """The report in the JSON that ``maild report`` prints."""
    return Report(
        records=tuple(Record(**record) for record in data.get("records", ())),
        certificates=tuple(Certificate(**certificate) for certificate in data.get("certificates", ())),
        checks=tuple(Check("host", **check) for check in data.get("checks", ())),
        first_passwords=bool(data.get("first_passwords")),
    )
