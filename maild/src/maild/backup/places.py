"""The files of a host that a rebuilt one needs, and where they are: keys, certificates, the ACME account, settings."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from maild.backup.container import BackupError, Member
from maild.settings import Settings

PREFIX = "files/"
RESTORED_SETTINGS = "settings-from-backup.toml"


@dataclass(frozen=True, slots=True)
class Places:
    """Where those files are on this host."""

    settings_file: Path
    wrap_key: Path
    certificates: Path
    acme: Path
    data: Path

    @classmethod
    def of(cls, settings_file: Path, settings: Settings) -> Places:
        """The places that the settings name."""
        return cls(
            settings_file=settings_file,
            wrap_key=settings.dkim.wrap_key_file,
            certificates=settings.tls.folder,
            acme=settings.acme.account_folder,
            data=settings.data_folder,
        )

    def members(self) -> Iterator[Member]:
        """The files there are."""
        single = {"settings.toml": self.settings_file, "wrap.key": self.wrap_key}
        try:
            for name, file in single.items():
                if file.is_file():
                    yield Member(f"{PREFIX}{name}", file.read_bytes())
            for name, folder in (("tls", self.certificates), ("acme", self.acme)):
                for file in sorted(folder.rglob("*")) if folder.is_dir() else ():
                    if file.is_file():
                        yield Member(f"{PREFIX}{name}/{file.relative_to(folder).as_posix()}", file.read_bytes())
        except OSError as error:
            raise BackupError(f"{error.filename}: {error.strerror}") from error

    def target(self, member: str) -> Path | None:
        """Where a file goes on this host; None for a name that no backup of ours has.

        The settings are not put in force: this host has its own. They lie beside the data, to be looked at.
        """
        name = member.removeprefix(PREFIX)
        if name == "settings.toml":
            return self.data / RESTORED_SETTINGS
        if name == "wrap.key":
            return self.wrap_key
        folder, _, rest = name.partition("/")
        base = {"tls": self.certificates, "acme": self.acme}.get(folder)
        if base is None or not rest or ".." in Path(rest).parts or Path(rest).is_absolute():
            return None
        return base / rest


def put(target: Path, data: bytes) -> None:
    """Writes a file whole, readable by its owner alone."""
    unfinished = target.with_name(target.name + ".new")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        unfinished.replace(target)
    except OSError as error:
        raise BackupError(f"{target}: {error.strerror}") from error
