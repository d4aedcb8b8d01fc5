"""A backup made on the host and brought here: encrypted before it leaves, whole or not at all when it arrives."""

from __future__ import annotations

from pathlib import Path

from pyinfra_winrm.commands import Arguments, HostCommand, Outcome
from pyinfra_winrm.kinds import Reconcile
from pyinfra_winrm.run import HostRun
from tasks import release
from tasks.paths import Paths
from tasks.settings import Settings, SettingsError
from tasks.settings.names import ascii_name

FOLDER = Path("backups")
SUFFIX, OPEN_SUFFIX = ".age", ".tar"  # encrypted, and not
MOMENT = "%Y%m%dT%H%M%SZ"  # at the end of a name
SECONDS = 3600  # for a large server's backup


def name_of(settings: Settings, moment: str) -> str:
    """The backup's name: which server, and when."""
    return f"mailhost-{ascii_name(settings.server_name)}-{moment}{SUFFIX}"


def resource(settings: Settings, name: str) -> Reconcile:
    """A backup of that name on the host, encrypted; those fetched before stay as long as the daily ones."""
    if settings.backup.recipient is None:
        raise SettingsError(
            "backup.recipient",
            "no key is set, and a backup that anybody can read is not made",
            "make one with `make agekey FILE=...` or age-keygen, keep the file, and set the public key (age1...)",
        )
    return handover("handover", settings, name, settings.backup.keep_count)


def handover(purpose: str, settings: Settings, name: str, keep: int, settings_file: str | None = None) -> Reconcile:
    """A backup in the host's own folder of backups, encrypted when there is a key; so many of its series stay."""
    paths = Paths(settings.root)
    file = settings_file or paths.settings
    return Reconcile(
        name=purpose,
        command=release.command(settings, "handover", "--settings", file),
        desired={"folder": paths.backups, "name": name, "recipient": settings.backup.recipient, "keep": keep},
        folder=paths.private,
        timeout=SECONDS,
    )


class Pull(HostCommand):
    """Brings one file of the host here, under its name only when it is whole."""

    def __init__(self, source: str, target: Path) -> None:
        super().__init__(f"pull {source}")
        self._source = source
        self._target = target

    def perform(self, run: HostRun, arguments: Arguments) -> Outcome:
        """See ``HostRun.get``."""
        self._target.parent.mkdir(parents=True, exist_ok=True)
        part = self._target.with_name(self._target.name + ".part")
        part.write_bytes(run.get(self._source, arguments.timeout))
        part.replace(self._target)
        return Outcome(ok=True, out=[str(self._target)], err=[])
