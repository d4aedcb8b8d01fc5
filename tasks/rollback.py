"""Back to the release before: service, scheduled tasks and ``current`` name its folder again; nothing else is touched.

Migrations only ever expand the schema, so a release before can work with what a later one left.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from pyinfra_winrm.kinds import Junction, Reconcile, ScheduledTask, Service
from tasks import release, schedule, service
from tasks.facts import Facts
from tasks.paths import Paths
from tasks.settings import Settings

Runs = TypeVar("Runs", Service, ScheduledTask, Reconcile)


def resources(settings: Settings, facts: Facts, identifier: str) -> list[Service | ScheduledTask | Junction]:
    """What runs, from the folder of the release ``identifier``, and the name that shows it to people."""
    tasks = [*schedule.renewal(settings, facts), *schedule.backup(settings, facts)]
    return [
        *(from_release(settings, each, identifier) for each in service.resources(settings, facts)),
        *(from_release(settings, each, identifier) if each.state == "present" else each for each in tasks),
        release.shown(settings, identifier),
    ]


def from_release(settings: Settings, resource: Runs, identifier: str) -> Runs:
    """The same resource, run by another release's Python."""
    program = f"{Paths(settings.root).release(identifier)}/python.exe"
    return replace(resource, command=(program, *resource.command[1:]))
