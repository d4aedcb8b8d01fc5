"""What happens by itself: certificates are renewed and backups made, as SYSTEM; the daemon cannot change either."""

from __future__ import annotations

from pyinfra_winrm.kinds import Daily, ScheduledTask
from tasks import release
from tasks.facts import Facts
from tasks.paths import Paths
from tasks.settings import Settings

FOLDER = "/Mailhost"
RENEWAL = "Renew certificates"
BACKUP = "Back up mail"
SPREAD = 60  # minutes: authorities ask clients not to come all at the same time (RFC 8555 servers' own advice)


def renewal(settings: Settings, _facts: Facts) -> list[ScheduledTask]:
    """Twice a day; a certificate is renewed when a third of its life is left, or when it is still missing."""
    wanted = settings.tls.source == "acme"
    return [
        ScheduledTask(
            name=RENEWAL,
            folder=FOLDER,
            description="Orders missing certificates and renews those with a third of their life left",
            command=release.command(settings, "certs", "renew", "--settings", Paths(settings.root).settings),
            triggers=(Daily("04:17", random_delay=SPREAD), Daily("16:17", random_delay=SPREAD)),
            time_limit=30,
        )
        if wanted
        else ScheduledTask(name=RENEWAL, folder=FOLDER, state="absent")
    ]


def backup(settings: Settings, _facts: Facts) -> list[ScheduledTask]:
    """Once a day, when there is a key to encrypt to; a run that failed is drift, and run again."""
    paths, wanted = Paths(settings.root), settings.backup
    if not wanted.enabled or wanted.recipient is None:
        return [ScheduledTask(name=BACKUP, folder=FOLDER, state="absent")]
    target = ("--copy-to", wanted.copy_to) if wanted.copy_to else ()
    return [
        ScheduledTask(
            name=BACKUP,
            folder=FOLDER,
            description="Makes an encrypted backup of mail, accounts, keys and settings",
            command=release.command(
                settings, "backup", "create", "--settings", paths.settings,
                "--to", paths.backups, "--recipient", wanted.recipient,
                "--keep-count", str(wanted.keep_count), "--keep-days", str(wanted.keep_days), *target,
            ),
            triggers=(Daily(wanted.at),),
            time_limit=600,
            rerun_failed=True,
        )
    ]  # fmt: skip
