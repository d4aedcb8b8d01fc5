"""Everything of ours taken away again, in the reverse order; mail, keys and settings stay unless they are purged."""

from __future__ import annotations

from collections.abc import Mapping

from pyinfra_winrm.kinds import (
    Archive,
    Directory,
    EventSource,
    FirewallGroup,
    Junction,
    PythonRelease,
    ScheduledTask,
    Service,
)
from pyinfra_winrm.resource import Resource
from tasks import challenge, firewall, schedule, takeover
from tasks.facts import Facts
from tasks.paths import Paths
from tasks.settings import Settings


def resources(settings: Settings, facts: Facts, releases: tuple[str, ...], *, purge: bool) -> list[Resource]:
    """What has to be gone. ``releases`` are the ones on the host; the MySQL that was there before stays as it is."""
    paths = Paths(settings.root)
    gone: list[Resource] = [
        *(
            ScheduledTask(name=name, folder=schedule.FOLDER, state="absent")
            for name in (schedule.RENEWAL, schedule.BACKUP)
        ),
        FirewallGroup(name=firewall.GROUP, state="absent"),
        Service(name=settings.service, state="absent"),
        *challenge.undone(settings, facts),
    ]
    if settings.database.engine == "mysql" and settings.database.source == "install":
        gone.append(Service(name=settings.database.service, state="absent"))
    gone.append(Junction(path=paths.current, state="absent"))
    gone += [PythonRelease(id=release, folder=paths.releases, state="absent") for release in releases]
    gone += [Archive(path=paths.mysql_program, state="absent"), EventSource(name=settings.service, state="absent")]
    if purge:
        gone.append(Directory(path=paths.root, purge=True, state="absent"))
    return [*gone, *takeover.undone(settings, facts)]


def releases_of(state: Mapping[str, object]) -> tuple[str, ...]:
    """The other releases in what a release's read answered with ``keep=1``: the newest first, then those in use."""
    surplus, held = state.get("surplus"), state.get("held")
    return tuple(str(name) for part in (surplus, held) if isinstance(part, list) for name in part)
