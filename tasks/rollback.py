"""Back to the release before: service and scheduled tasks name its folder again; nothing else is touched.

Migrations only ever expand the schema, so a release before can work with what a later one left.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TypeVar

from pyinfra_winrm.kinds import Reconcile, ScheduledTask, Service
from tasks import schedule, service
from tasks.facts import Facts
from tasks.paths import Paths
from tasks.settings import Settings

Runs = TypeVar("Runs", Service, ScheduledTask, Reconcile)


def running_release(settings: Settings, facts: Facts) -> str | None:
    """The id of the release that the service runs from, None when there is no service yet."""
    line = str((facts.service(settings.service) or {}).get("image_path", "")).replace("\\", "/")
    before = f"{Paths(settings.root).releases}/".casefold()
    at = line.casefold().find(before)
    return line[at + len(before) :].partition("/")[0] if at >= 0 else None


def resources(settings: Settings, facts: Facts, release: str) -> list[Service | ScheduledTask]:
    """What runs, from the folder of ``release``."""
    tasks = [*schedule.renewal(settings, facts), *schedule.backup(settings, facts)]
    return [
        *(from_release(settings, each, release) for each in service.resources(settings, facts)),
        *(from_release(settings, each, release) if each.state == "present" else each for each in tasks),
    ]


def from_release(settings: Settings, resource: Runs, release: str) -> Runs:
    """The same resource, run by another release's Python."""
    program = f"{Paths(settings.root).release(release)}/python.exe"
    return replace(resource, command=(program, *resource.command[1:]))
