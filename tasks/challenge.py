"""How names are proven to the authority: by an answer of our own on port 80, or from a folder that a web server serves.

Beside IIS the folder, its rights, the types IIS may serve from it and the path of the site that leads to it are made
here; a folder that the settings name is its owner's affair.
"""

from __future__ import annotations

from pyinfra_winrm.kinds import Directory, File, IISVirtualDirectory
from pyinfra_winrm.kinds.acl import Allow
from tasks import accounts
from tasks.facts import Facts
from tasks.paths import Paths
from tasks.rendering import FILES
from tasks.settings import Settings, SettingsError

PATH = "/.well-known/acme-challenge"  # where authorities look (RFC 8555 section 8.3)


def webroot(settings: Settings, facts: Facts) -> str | None:
    """The folder that another web server serves for the proof of names; None for an answer of our own."""
    acme = settings.tls.acme
    if settings.tls.source != "acme":
        return None
    if acme.webroot is not None:
        return acme.webroot
    if facts.has_iis:
        return Paths(settings.root).challenges
    if acme.challenge == "webroot":
        raise SettingsError(
            "tls.acme.webroot",
            "the challenge is webroot, but there is no IIS and no folder is named",
            "name the folder that your web server serves at {path}",
            path=PATH,
        )
    return None


def by_ourselves(settings: Settings, facts: Facts) -> bool:
    """Whether the port of the proof is ours to answer."""
    return settings.tls.source == "acme" and webroot(settings, facts) is None


def resources(settings: Settings, facts: Facts) -> list[Directory | File | IISVirtualDirectory]:
    """What IIS needs to serve the folder; nothing where another way was chosen."""
    if not by_iis(settings, facts):
        return []
    paths = Paths(settings.root)
    readers = accounts.opened(*(Allow(account, "read") for account in accounts.IIS_READERS))
    return [
        Directory(path=paths.web, acl=readers, adopt=False),
        Directory(path=paths.challenges),
        File(path=f"{paths.challenges}/web.config", source=FILES / "acme-web.config"),
        IISVirtualDirectory(path=PATH, folder=paths.challenges, site=settings.tls.acme.site),
    ]


def undone(settings: Settings, facts: Facts) -> list[IISVirtualDirectory]:
    """The path taken off the site again, for an uninstallation."""
    if not by_iis(settings, facts):
        return []
    return [IISVirtualDirectory(path=PATH, site=settings.tls.acme.site, state="absent")]


def by_iis(settings: Settings, facts: Facts) -> bool:
    """Whether IIS serves our folder."""
    return webroot(settings, facts) is not None and settings.tls.acme.webroot is None
