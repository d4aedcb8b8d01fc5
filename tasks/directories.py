"""The folders, the root first and closed, so that nothing below it is ever open to ordinary users."""

from __future__ import annotations

from pyinfra_winrm.kinds.directory import Directory
from tasks import accounts
from tasks.facts import Facts
from tasks.paths import Paths
from tasks.settings import Settings


def resources(settings: Settings, _facts: Facts) -> list[Directory]:
    """Every folder that the installation has, parents before children."""
    paths = Paths(settings.root)
    maild = settings.service
    return [
        Directory(path=paths.root, acl=accounts.CLOSED, adopt=False),
        Directory(path=paths.private, acl=accounts.CLOSED),
        Directory(path=paths.releases, acl=accounts.readable_by(maild)),
        Directory(path=paths.etc, acl=accounts.readable_by(maild)),
        Directory(path=paths.tls, acl=accounts.readable_by(maild)),
        Directory(path=paths.acme, acl=accounts.CLOSED),
        Directory(path=paths.secrets, acl=accounts.readable_by(maild)),
        Directory(path=paths.data, acl=accounts.changeable_by(maild)),
        Directory(path=paths.logs, acl=accounts.changeable_by(maild)),
        Directory(path=paths.backups, acl=accounts.CLOSED),
    ]
