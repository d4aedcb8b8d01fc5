"""Certificates: a self-signed one a name first, so that the service can open its ports, then those of the authority."""

from __future__ import annotations

from pyinfra_winrm.kinds import Reconcile
from pyinfra_winrm.resource import Resource
from tasks import challenge, release
from tasks.facts import Facts
from tasks.paths import Paths
from tasks.settings import Settings

ORDER_SECONDS = 600  # authorities answer in seconds, and are allowed minutes for each name


def first(settings: Settings, _facts: Facts) -> list[Reconcile]:
    """A certificate for each name that has none, and the key that wraps DKIM keys; nothing there is replaced.

    Where the certificates are somebody's files, it only sees to it that there are some: without them no port opens.
    """
    paths = Paths(settings.root)
    files = settings.tls.source == "files"
    return [
        Reconcile(
            name="prepare",
            command=release.command(settings, "prepare", "--settings", paths.settings),
            desired={"names": [] if files else list(settings.mail_hosts), "files": files},
            folder=paths.private,
        )
    ]


def resources(settings: Settings, facts: Facts) -> list[Resource]:
    """What the authority is still to be asked for; a name that does not lead here yet waits for the scheduled task."""
    if settings.tls.source != "acme":
        return []
    paths = Paths(settings.root)
    return [
        *challenge.resources(settings, facts),
        Reconcile(
            name="certificates",
            command=release.command(settings, "certs", "issue", "--settings", paths.settings),
            folder=paths.private,
            timeout=ORDER_SECONDS,
        ),
    ]
