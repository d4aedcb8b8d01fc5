"""The daemon as a service under an account of its own, restarted when the settings it started with have changed."""

from __future__ import annotations

import hashlib

from pyinfra_winrm.kinds import FailureActions, Service
from tasks import accounts, configuration, release
from tasks.facts import Facts
from tasks.paths import Paths
from tasks.settings import Settings


def resources(settings: Settings, facts: Facts) -> list[Service]:
    """The service, after the database's."""
    paths = Paths(settings.root)
    needs_database = settings.database.engine == "mysql" and settings.database.host in ("127.0.0.1", "localhost", "::1")
    # a lab has no service manager that a program reports to
    verb = "service" if settings.release.platform == "win_amd64" else "serve"
    text = configuration.maild_toml(settings, facts)
    return [
        Service(
            name=settings.service,
            command=release.command(settings, verb, "--settings", paths.settings),
            display_name="Mailhost maild",
            description="Receives, keeps and sends mail: SMTP, IMAP, POP3",
            account=accounts.service_account(settings.service),
            depends_on=(settings.database.service,) if needs_database else (),
            failure=FailureActions(restart_after=(5, 30, 60)),
            restart_on=hashlib.sha256(text.encode()).hexdigest()[:16],
        )
    ]
