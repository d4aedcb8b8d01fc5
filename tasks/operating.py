"""What the operations beside a deploy have in common: the settings, the facts, and which releases a host has."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar, cast

from pyinfra.api.host import Host

from pyinfra_winrm.errors import HostError
from pyinfra_winrm.kinds import InvalidResourceError, PythonRelease, Service
from pyinfra_winrm.resource import Present, Resource
from pyinfra_winrm.run import HostRun
from tasks import deployment, pulling, release, rollback, uninstall
from tasks.facts import Facts
from tasks.paths import Paths
from tasks.settings import Settings, SettingsError, load
from tasks.translation import translator

T = TypeVar("T")


def other_releases(host: Host, root: str, current: str) -> tuple[str, ...]:
    """The releases beside ``current``, the newest first."""
    paths = Paths(root)
    asked = PythonRelease(id=current, folder=paths.releases, keep=1, state="absent")
    (state,) = cast("Any", host.connector).run.readings.states([asked])
    return uninstall.releases_of(state.value) if isinstance(state, Present) else ()


@dataclass(frozen=True, slots=True)
class RolledBack:
    """A release that is to serve again, on its own settings, and the one that does now should it not."""

    settings: Settings | None = None
    files: Sequence[Resource] = ()
    service: Sequence[Service] = ()
    beside: Sequence[Resource] = ()
    back: rollback.Before | None = None


def rolled_back(host: Host) -> RolledBack:
    """What a rollback of this host needs; the host is left out when there is nothing to go back to."""

    def make() -> RolledBack:
        settings = load(_data(host))
        _ = translator(settings.language)
        facts = deployment.facts_of(host, settings)
        current = release.running(settings, facts)
        if current is None:
            raise _nothing(settings)
        others = other_releases(host, settings.root, current)
        run = cast("Any", host.connector).run
        chosen = str(_data(host).get("rollback_to") or _served(others, run, settings, facts))
        if not chosen or chosen not in others:
            missing = _("there is no release to go back to; beside the running {current} there are: {others}")
            raise HostError(missing.format(current=current, others=", ".join(others) or _("none")))
        before = rollback.before(settings, facts, chosen)
        kept = before.settings(run)
        return RolledBack(
            settings,
            [kept] if kept else [],
            [before.service],
            rollback.resources(settings, facts, chosen),
            rollback.before(settings, facts, current),
        )

    return _of(host, make, RolledBack())


def _served(others: Sequence[str], run: HostRun, settings: Settings, facts: Facts) -> str:
    """The newest of the releases that has served, which is the one whose settings were kept; empty without any."""
    served = (each for each in others if rollback.before(settings, facts, each).settings(run))
    return next(served, others[0] if others else "")


@dataclass(frozen=True, slots=True)
class HandedOver:
    """A backup on its way: what makes it on the host, where it lies there, where it goes here."""

    resources: Sequence[Resource] = ()
    source: str = ""
    target: Path = pulling.FOLDER
    language: str = "en"


def handed_over(host: Host) -> HandedOver:
    """The backup that ``operate/backup.py`` makes and fetches."""

    def make() -> HandedOver:
        settings = load(_data(host))
        running = release.running(settings, deployment.facts_of(host, settings))
        if running is None:
            raise _nothing(settings)
        name = pulling.name_of(settings, datetime.now(UTC).strftime(pulling.MOMENT))
        source = f"{Paths(settings.root).backups}/{name}"
        resource = rollback.from_release(settings, pulling.resource(settings, name), running)
        return HandedOver([resource], source, pulling.FOLDER / name, settings.language)

    return _of(host, make, HandedOver())


def uninstalled(host: Host) -> Sequence[Resource]:
    """What an uninstallation of this host takes away."""

    def make() -> Sequence[Resource]:
        data = _data(host)
        settings = load(data)
        facts = deployment.facts_of(host, settings)
        current = release.running(settings, facts)
        releases = (current, *other_releases(host, settings.root, current)) if current else ()
        return uninstall.resources(settings, facts, releases, purge=bool(data.get("uninstall_purge")))

    return _of(host, make, ())


def _nothing(settings: Settings) -> HostError:
    _ = translator(settings.language)
    return HostError(_("nothing is deployed here"))


def _data(host: Host) -> Mapping[str, Any]:
    found: Mapping[str, Any] = cast("Any", host).data.dict()
    return found


def _of(host: Host, make: Callable[[], T], nothing: T) -> T:
    """What ``make`` gives; a host that cannot have it is left out with one sentence."""
    deployment.speak(host)
    try:
        return make()
    except (SettingsError, InvalidResourceError, HostError) as error:
        deployment.leave_out(host, error)
        return nothing
