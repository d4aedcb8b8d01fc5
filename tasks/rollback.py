"""Back to the release before: service, scheduled tasks and ``current`` name its folder again, on its own settings file.

Migrations only ever expand the schema, so a release before can work with what a later one left. A settings file may
have keys that it would refuse, so each release's own is kept beside it, as of when the release last served.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TypeVar

from pyinfra_winrm.errors import RequestFailedError
from pyinfra_winrm.kinds import File, Junction, Reconcile, ScheduledTask, Service
from pyinfra_winrm.run import HostRun
from tasks import accounts, configuration, release, schedule, service
from tasks.facts import Facts
from tasks.paths import Paths
from tasks.settings import Settings

Runs = TypeVar("Runs", Service, ScheduledTask, Reconcile)


@dataclass(frozen=True, slots=True)
class Before:
    """What a release ran as: the service, and the settings file it served with where one was kept."""

    service: Service
    settings_path: str
    kept_path: str

    def settings(self, run: HostRun) -> File | None:
        """The settings file as that release served with it, None where none was kept."""
        try:
            content = run.get(self.kept_path)
        except RequestFailedError as error:
            if error.failure.code != "not-found":
                raise
            return None
        return File(path=self.settings_path, content=content)


def before(settings: Settings, facts: Facts, identifier: str) -> Before:
    """The release ``identifier`` as it ran."""
    paths = Paths(settings.root)
    (wanted,) = service.resources(settings, facts)
    return Before(from_release(settings, wanted, identifier), paths.settings, paths.settings_of(identifier))


def resources(settings: Settings, facts: Facts, identifier: str) -> list[ScheduledTask | Junction]:
    """What runs beside the service, from the folder of the release ``identifier``, and the name that people know."""
    tasks = [*schedule.renewal(settings, facts), *schedule.backup(settings, facts)]
    return [
        *(from_release(settings, each, identifier) if each.state == "present" else each for each in tasks),
        release.shown(settings, identifier),
    ]


def serving(settings: Settings, facts: Facts) -> list[Junction | File]:
    """What is only true of a release that serves: ``current`` shows it, and its settings are worth going back to."""
    kept = File(
        path=Paths(settings.root).settings_of(release.packed(settings).id),
        content=configuration.maild_toml(settings, facts),
        acl=accounts.readable_by(settings.service),
    )
    return [*release.serving(settings, facts), kept]


def from_release(settings: Settings, resource: Runs, identifier: str) -> Runs:
    """The same resource, run by another release's Python."""
    program = f"{Paths(settings.root).release(identifier)}/python.exe"
    return replace(resource, command=(program, *resource.command[1:]))
