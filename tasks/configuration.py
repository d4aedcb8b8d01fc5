"""The daemon's settings file, rendered from the settings of the deploy, and the secrets that it names."""

from __future__ import annotations

from pyinfra_winrm.kinds import File
from pyinfra_winrm.secret import Secret
from tasks import accounts, challenge
from tasks.facts import Facts
from tasks.paths import Paths, seen_from
from tasks.rendering import render
from tasks.settings import Settings
from tasks.settings.names import ascii_name

LOOPBACK = ("127.0.0.0/8", "::1/128")


def resources(settings: Settings, facts: Facts) -> list[File]:
    """``maild.toml``, and beside it what it needs."""
    paths = Paths(settings.root)
    closed = accounts.readable_by(settings.service)
    files = [File(path=paths.settings, content=maild_toml(settings, facts), acl=closed)]
    if settings.smart_host and settings.smart_host.password:
        password = Secret(settings.smart_host.password.read())
        files.append(File(path=f"{paths.secrets}/smart-host", content=password, acl=closed))
    if settings.dns_updates:
        key = Secret(f"{settings.dns_updates.key_name} {settings.dns_updates.key_secret.read()}\n")
        files.append(File(path=f"{paths.secrets}/dns-updates", content=key, acl=closed))
    return files


def maild_toml(settings: Settings, facts: Facts) -> str:
    """The text of ``maild.toml``."""
    listeners = [(name, getattr(settings.listeners, name)) for name in settings.listeners.__struct_fields__]
    return render(
        "maild.toml.j2",
        {"here": lambda path: seen_from(Paths(settings.root).etc, path)},
        settings=settings,
        hostname=ascii_name(settings.server_name),
        listeners=listeners,
        certificates=[ascii_name(name) for name in settings.mail_hosts],
        webroot=challenge.webroot(settings, facts),
        tls_folder=settings.tls.folder if settings.tls.source == "files" else Paths(settings.root).tls,
        trusted_sealers=[ascii_name(name) for name in settings.trusted_sealers],
        never_ban=[*LOOPBACK, *(span.network for span in settings.ip_ranges if span.never_ban)],
    )
