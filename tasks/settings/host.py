"""What the machine needs to know: listeners, database, certificates, backup, where things come from."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from tasks.settings.mail import Port
from tasks.settings.secrets import SecretSource

Sha256 = Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
ClockTime = Annotated[str, Meta(pattern="^([01][0-9]|2[0-3]):[0-5][0-9]$")]

Protocol = Literal["smtp", "imap", "pop3", "http"]
TLSMode = Literal["implicit", "starttls", "starttls-required"]
Auth = Literal["off", "optional", "required"]


class Listener(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One port that the daemon listens on. ``port`` is what the world uses, ``bind`` the address on the host."""

    protocol: Protocol
    port: Port
    tls: TLSMode
    auth: Auth
    enabled: bool
    bind: str = "::"


def _listener(protocol: Protocol, port: int, tls: TLSMode, auth: Auth = "required", *, on: bool = True) -> Listener:
    return Listener(protocol=protocol, port=port, tls=tls, auth=auth, enabled=on)


class Listeners(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every listener there can be; in the settings, naming one field of one listener leaves the rest as it is."""

    smtp: Listener = _listener("smtp", 25, "starttls", "off")
    submissions: Listener = _listener("smtp", 465, "implicit")
    submission: Listener = _listener("smtp", 587, "starttls-required")
    imaps: Listener = _listener("imap", 993, "implicit")
    pop3s: Listener = _listener("pop3", 995, "implicit", on=False)
    pop3: Listener = _listener("pop3", 110, "starttls-required", on=False)
    imap: Listener = _listener("imap", 143, "starttls-required", on=False)
    https: Listener = _listener("http", 443, "implicit", "off", on=False)

    def enabled(self) -> tuple[tuple[str, Listener], ...]:
        """Name and listener of each that is on, by port."""
        named = ((name, getattr(self, name)) for name in self.__struct_fields__)
        return tuple(sorted((pair for pair in named if pair[1].enabled), key=lambda pair: pair[1].port))


class Database(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where mail is kept: a MySQL of our own, one that is there already, or the embedded SQLite file."""

    engine: Literal["mysql", "sqlite"] = "mysql"
    source: Literal["install", "existing"] = "install"
    host: str = "127.0.0.1"
    port: Port = 3306
    service: str = "MailhostMySQL"
    schema: Annotated[str, Meta(pattern="^[a-z][a-z0-9_]{0,31}$")] = "maild"
    user: Annotated[str, Meta(pattern="^[a-z][a-z0-9_]{0,31}$")] = "maild"
    administrator: str = "root"
    administrator_password: SecretSource | None = None
    buffer_pool_mb: Annotated[int, Meta(ge=64)] = 512
    archive_urls: tuple[str, ...] = (
        "https://cdn.mysql.com/Downloads/MySQL-8.4/mysql-8.4.6-winx64.zip",
        "https://cdn.mysql.com/archives/mysql-8.4/mysql-8.4.6-winx64.zip",
    )
    archive_sha256: Sha256 | None = None
    archive_file: str | None = None
    runtime_urls: tuple[str, ...] = ("https://aka.ms/vs/17/release/vc_redist.x64.exe",)
    runtime_file: str | None = None


class ACME(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The certificate authority and how a name is proven to it."""

    directory: str = "production"
    contact: str | None = None
    accept_terms: bool = False
    challenge: Literal["listener", "webroot"] = "listener"
    challenge_port: Port = 80
    webroot: str | None = None
    site: str = "Default Web Site"
    check_reachable: bool = True
    ca_file: str | None = None


class TLS(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Where certificates come from. ``files``: win-acme's NAME-chain.pem and NAME-key.pem in ``folder``."""

    source: Literal["acme", "files", "self_signed"] = "acme"
    folder: str | None = None
    acme: ACME = ACME()


class Backup(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When a backup is made, for whose key it is encrypted, where it goes and how many are kept."""

    enabled: bool = True
    before_upgrade: bool = True
    at: ClockTime = "03:30"
    recipient: str | None = None
    copy_to: str | None = None
    keep_count: Annotated[int, Meta(ge=1)] = 14
    keep_days: Annotated[int, Meta(ge=1)] = 30


class Logs(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is written beside hMailServer's lines, and for how many days."""

    json: bool = True
    debug: bool = False
    keep_days: Annotated[int, Meta(ge=1)] = 30


class Web(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Administration and webmail in the browser."""

    enabled: bool = False
    port: Port = 443


class Python(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The interpreter that a release carries: the NuGet package, a full CPython that only needs unpacking."""

    version: Annotated[str, Meta(pattern=r"^3\.13\.[0-9]+$")] = "3.13.9"
    urls: tuple[str, ...] = ("https://www.nuget.org/api/v2/package/python/{version}",)
    sha256: Sha256 | None = None
    file: str | None = None


class Release(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which daemon is put on the host, and how many releases stay for a rollback."""

    keep: Annotated[int, Meta(ge=2)] = 3
    source: str | None = None
    platform: Literal["win_amd64", "local"] = "win_amd64"
