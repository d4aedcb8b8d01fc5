"""Everything one host is asked for in one run: settings and facts in, a list of resources for each task out.

All lists are made before the first task, so that one request reads them all. A setting that cannot be used, or a host
that does not answer, leaves that host out with one sentence; other hosts go on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

from pyinfra.api.host import Host

from pyinfra_winrm import prefetch
from pyinfra_winrm.errors import HostError
from pyinfra_winrm.facts import HostFacts
from pyinfra_winrm.kinds import InvalidResourceError, Service
from pyinfra_winrm.resource import Present, Resource
from pyinfra_winrm.wording import Words
from tasks import (
    before_upgrade,
    certificates,
    configuration,
    database,
    directories,
    firewall,
    mysql,
    objects,
    release,
    restore,
    rollback,
    schedule,
    service,
    system,
    takeover,
)
from tasks.facts import HMAILSERVER, IIS_SERVICE, Facts, parse
from tasks.preflight import Finding, findings
from tasks.settings import Settings, SettingsError, load
from tasks.translation import language_of, translator

Make = Callable[[Settings, Facts], Sequence[Resource]]

TASKS: Mapping[str, Make] = {
    "hmailserver": takeover.resources,
    "directories": directories.resources,
    "system": system.resources,
    "mysql": mysql.resources,
    "release": release.resources,
    "before_upgrade": before_upgrade.resources,
    "settings": configuration.resources,
    "database": database.resources,
    "restore": restore.resources,
    "objects": objects.resources,
    "self_signed": certificates.first,
    "service": service.resources,
    "serving": rollback.serving,
    "firewall": firewall.resources,
    "certificates": certificates.resources,
    "renewal": schedule.renewal,
    "backup": schedule.backup,
}


@dataclass(frozen=True, slots=True)
class Deployment:
    """What is wanted of one host; without settings when the host was left out."""

    settings: Settings | None = None
    findings: Sequence[Finding] = ()
    back: rollback.Before | None = None
    upgrade_backup: str = ""
    _tasks: Mapping[str, Sequence[Resource]] = field(default_factory=dict)

    @property
    def language(self) -> str:
        """The reader's."""
        return self.settings.language if self.settings else "en"

    def __getitem__(self, task: str) -> Sequence[Resource]:
        return self._tasks.get(task, ())


def of(host: Host) -> Deployment:
    """The deployment of a host, with everything it will ask for read ahead."""
    speak(host)
    try:
        settings = load(cast("Any", host).data.dict())
        facts = facts_of(host, settings)
        found = findings(settings, facts)
        if any(finding.level == "stop" for finding in found):
            return Deployment(settings, found)
        before = _before(settings, facts)
        if before is not None:
            facts = replace(facts, kept_settings=before.settings(cast("Any", host.connector).run) is not None)
        tasks = {name: make(settings, facts) for name, make in TASKS.items()}
    except (SettingsError, InvalidResourceError, HostError) as error:
        leave_out(host, error)
        return Deployment()
    prefetch(host, [resource for task in tasks.values() for resource in task])
    return Deployment(settings, found, before, before_upgrade.path(settings, facts), tasks)


def speak(host: Host) -> None:
    """Has a plan of this host say what it says in the language of its reader."""
    _ = translator(language_of(cast("Any", host).data.dict()))
    cast("Any", host.connector).words = Words(
        in_step=_("in step"),
        one=_("1 difference"),
        many=_("{count} differences"),
        error=_("error: {error}"),
        held=_("a run by {user} since {since} holds the lock"),
    )


def leave_out(host: Host, error: Exception) -> None:
    """The run goes on without this host, and one sentence says why."""
    _ = translator(language_of(cast("Any", host).data.dict()))
    why = error.said(_) if isinstance(error, SettingsError) else str(error)
    cast("Any", host.connector).fail(HostError(f"{host.name}: {why}"))


def _before(settings: Settings, facts: Facts) -> rollback.Before | None:
    """The release before, when another one is about to take its place."""
    identifier = release.replaced(settings, facts)
    return None if identifier is None else rollback.before(settings, facts, identifier)


def facts_of(host: Host, settings: Settings) -> Facts:
    """What the host says of itself, and how the services are configured that may be in the way."""
    names = dict.fromkeys((HMAILSERVER, IIS_SERVICE, settings.database.service, settings.service))
    asked = [Service(name=name, state="absent") for name in names]
    states = cast("Any", host.connector).run.readings.states(asked)
    services = {name: state.value for name, state in zip(names, states, strict=True) if isinstance(state, Present)}
    return parse(cast("Any", host).get_fact(HostFacts), services, time.time())
