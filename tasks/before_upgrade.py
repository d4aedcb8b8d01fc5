"""A backup before another release takes over, made by the one that still serves; when it fails, nothing is upgraded.

It is encrypted to the operator's key. Without one it lies open in the folder of backups, which only administrators
read, and the summary says so.
"""

from __future__ import annotations

from datetime import UTC, datetime

from pyinfra_winrm.kinds import Reconcile
from tasks import pulling, release, rollback
from tasks.facts import Facts
from tasks.paths import Paths
from tasks.settings import Settings
from tasks.settings.names import ascii_name

KEPT = 3  # as many as releases stay by default: what could still be rolled back to


def resources(settings: Settings, facts: Facts) -> list[Reconcile]:
    """The backup; nothing when no other release serves, or when it is not wanted."""
    before = release.replaced(settings, facts)
    if before is None or not settings.backup.before_upgrade:
        return []
    # A run that was cut off may have put settings in its way that it would refuse.
    own = Paths(settings.root).settings_of(before) if facts.kept_settings else None
    made = pulling.handover("before-upgrade", settings, _name(settings, facts), KEPT, own)
    return [rollback.from_release(settings, made, before)]


def path(settings: Settings, facts: Facts) -> str:
    """Where the backup of this run lies, empty when none is made."""
    return f"{Paths(settings.root).backups}/{_name(settings, facts)}" if resources(settings, facts) else ""


def _name(settings: Settings, facts: Facts) -> str:
    moment = datetime.fromtimestamp(facts.now, UTC).strftime(pulling.MOMENT)
    suffix = pulling.SUFFIX if settings.backup.recipient else pulling.OPEN_SUFFIX
    return f"before-upgrade-{ascii_name(settings.server_name)}-{moment}{suffix}"
