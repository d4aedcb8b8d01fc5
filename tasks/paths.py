"""Where everything lives on the host, below one root; forward slashes, as everywhere in the settings."""

from __future__ import annotations

import ntpath
from dataclasses import dataclass


def seen_from(folder: str, path: str) -> str:
    """``path`` as a file in ``folder`` names it, so that it holds wherever the drive is; on another drive as it is."""
    try:
        return ntpath.relpath(path, folder).replace("\\", "/")
    except ValueError:
        return path


@dataclass(frozen=True, slots=True)
class Paths:
    """The folders and files of an installation below ``root``."""

    root: str

    def under(self, *parts: str) -> str:
        """A path below the root."""
        return "/".join((self.root, *parts))

    @property
    def releases(self) -> str:
        """One folder a release; the service runs from one of them."""
        return self.under("releases")

    def release(self, identifier: str) -> str:
        """One release."""
        return self.under("releases", identifier)

    @property
    def current(self) -> str:
        """A junction for people to the release that serves; nothing runs through it."""
        return self.under("current")

    @property
    def etc(self) -> str:
        """Settings, readable by the daemon, written by administrators."""
        return self.under("etc")

    @property
    def settings(self) -> str:
        """The daemon's settings file."""
        return self.under("etc", "maild.toml")

    def settings_of(self, release: str) -> str:
        """The settings file as a release last served with it, for a rollback to that release."""
        return self.under("etc", f"maild-{release}.toml")

    @property
    def tls(self) -> str:
        """NAME-chain.pem and NAME-key.pem, one pair a certificate."""
        return self.under("etc", "tls")

    @property
    def acme(self) -> str:
        """The ACME account's key."""
        return self.under("etc", "acme")

    @property
    def secrets(self) -> str:
        """Passwords that the daemon needs: the database's, a smart host's."""
        return self.under("etc", "secrets")

    @property
    def database_password(self) -> str:
        """The daemon's own password at the database, made on the host."""
        return self.under("etc", "secrets", "database")

    @property
    def wrap_key(self) -> str:
        """The key that wraps the DKIM keys in the database."""
        return self.under("etc", "wrap.key")

    @property
    def first_passwords(self) -> str:
        """Passwords that were made on the host, for the administrator to hand out and delete."""
        return self.under("private", "first-passwords.txt")

    @property
    def data(self) -> str:
        """What the daemon writes: the SQLite file where there is one, and what it says of itself."""
        return self.under("data")

    @property
    def loaded(self) -> str:
        """What the daemon runs on: the hash of the settings it has loaded."""
        return self.under("data", "loaded.json")

    @property
    def logs(self) -> str:
        """A file a day."""
        return self.under("logs")

    @property
    def backups(self) -> str:
        """Encrypted backups, written by administrators' tasks alone."""
        return self.under("backups")

    @property
    def private(self) -> str:
        """What only administrators may read: the database administrator's password, desired states on their way."""
        return self.under("private")

    @property
    def mysql(self) -> str:
        """Our own MySQL."""
        return self.under("mysql")

    @property
    def mysql_program(self) -> str:
        """MySQL as it was unpacked."""
        return self.under("mysql", "program")

    @property
    def mysql_etc(self) -> str:
        """Its my.ini."""
        return self.under("mysql", "etc")

    @property
    def mysql_data(self) -> str:
        """Its tables."""
        return self.under("mysql", "data")

    @property
    def mysql_administrator(self) -> str:
        """An option file with its administrator's password, made on the host."""
        return self.under("private", "mysql-admin.cnf")

    @property
    def web(self) -> str:
        """What a web server beside us may read."""
        return self.under("web")

    @property
    def challenges(self) -> str:
        """The folder that IIS serves for the proof of names."""
        return self.under("web", "acme")
