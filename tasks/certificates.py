"""Certificates: a self-signed one a name first, so that the service can open its ports, then those of the authority."""

from __future__ import annotations

from pyinfra_winrm.kinds import Reconcile
from tasks import release
from tasks.facts import Facts
from tasks.paths import Paths
from tasks.settings import Settings


def first(settings: Settings, _facts: Facts) -> list[Reconcile]:
    """A certificate for each name that has none, and the key that wraps DKIM keys; nothing there is replaced."""
    paths = Paths(settings.root)
    return [
        Reconcile(
            name="prepare",
            command=release.command(settings, "prepare", "--settings", paths.settings),
            desired={"names": list(settings.mail_hosts) if settings.tls.source != "files" else []},
            folder=paths.private,
        )
    ]


def resources(_settings: Settings, _facts: Facts) -> list[Reconcile]:
    """Nothing yet."""
    return []
