"""The whole settings file as one immutable value.

Everything has a default but ``hostname``. ``Settings`` is what the rest of the daemon is given; nothing else reads the
file.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from maild.settings.base import Table, key
from maild.settings.limits import Limits
from maild.settings.listeners import STANDARD_LISTENERS, TLS, Listener
from maild.settings.parts import ACME, DKIM, DMARC, DNS, AutoBan, Database, Logs, Policy, Queue, Retention

HOST_NAME = (
    r"^(?=.{1,253}$)([A-Za-z0-9_]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)*[A-Za-z0-9]([A-Za-z0-9-]{0,61}[A-Za-z0-9])?$"
)


class Settings(Table, frozen=True, kw_only=True):
    """The settings of one daemon."""

    hostname: Annotated[
        str, key("Name of this server in banner, EHLO and Received; PTR and A must agree on it", pattern=HOST_NAME)
    ]
    default_domain: Annotated[str, key("Domain that completes a login name without @")] = ""
    public_ipv4: Annotated[str, key("Address the world sees, the gateway's when the server stands behind one")] = ""
    public_ipv6: Annotated[str, key("The same for IPv6; empty: mail is not sent over IPv6")] = ""
    language: Annotated[Literal["en", "ko"], key("Language of messages to people: en or ko")] = "en"
    data_folder: Annotated[Path, key("Folder of loaded.json, what the daemon says of itself")] = Path("data")
    backup_folder: Annotated[Path, key("Folder where maild backup makes and looks for backups")] = Path("backups")
    listeners: Annotated[tuple[Listener, ...], key("The ports")] = STANDARD_LISTENERS
    tls: Annotated[TLS, key("Certificates")] = TLS()
    database: Annotated[Database, key("The database")] = Database()
    limits: Annotated[Limits, key("Bounds for sessions and messages")] = Limits()
    auto_ban: Annotated[AutoBan, key("Shutting out addresses that guess passwords")] = AutoBan()
    logs: Annotated[Logs, key("Logs")] = Logs()
    acme: Annotated[ACME, key("Ordering of certificates")] = ACME()
    dns: Annotated[DNS, key("The resolver")] = DNS()
    queue: Annotated[Queue, key("Mail to other servers")] = Queue()
    dkim: Annotated[DKIM, key("Signing")] = DKIM()
    dmarc: Annotated[DMARC, key("Reports to other domains")] = DMARC()
    policy: Annotated[Policy, key("What is accepted from whom")] = Policy()
    retention: Annotated[Retention, key("How long some mailboxes keep mail")] = Retention()

    @property
    def open_listeners(self) -> tuple[Listener, ...]:
        """The listeners that are switched on."""
        return tuple(listener for listener in self.listeners if listener.enabled)

    @property
    def reports_domain(self) -> str:
        """Where our DMARC reports come from; empty when no domain is named."""
        return self.dmarc.reports_domain or (f"reports.{self.default_domain}" if self.default_domain else "")
