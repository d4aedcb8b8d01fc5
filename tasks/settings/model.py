"""All settings of a host in one value, and what follows from them: the names, the addresses, who answers where."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from tasks.settings.host import TLS, Backup, Database, Listener, Listeners, Logs, Python, Release, Web
from tasks.settings.mail import DMARC, AutoBan, DNSUpdates, Domain, IPRange, Policy, Route, SmartHost
from tasks.settings.names import unicode_name


class Settings(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is wanted of one host. Reasons for the defaults stand in ``group_data/all.py``."""

    domains: tuple[Domain, ...]
    language: Literal["ko", "en"] = "en"
    hostname: str | None = None
    default_domain: str | None = None
    public_ipv4: str | None = None
    public_ipv6: str | None = None
    root: str = "C:/Mailhost"
    service: str = "maild"
    listeners: Listeners = Listeners()
    database: Database = Database()
    tls: TLS = TLS()
    max_message_mb: Annotated[int, Meta(ge=1, le=1024)] = 50
    auto_ban: AutoBan = AutoBan()
    ip_ranges: tuple[IPRange, ...] = ()
    policy: Policy = Policy()
    routes: tuple[Route, ...] = ()
    smart_host: SmartHost | None = None
    dmarc: DMARC = DMARC()
    trusted_sealers: tuple[str, ...] = ()
    dns_servers: tuple[str, ...] = ()
    dns_validating: bool = False
    dns_offline: bool = False
    dns_updates: DNSUpdates | None = None
    outbound_check: tuple[str, ...] = ("gmail-smtp-in.l.google.com", "mx1.naver.com")
    time_servers: tuple[str, ...] = ("time.windows.com", "kr.pool.ntp.org", "time.google.com")
    logs: Logs = Logs()
    backup: Backup = Backup()
    web: Web = Web()
    python: Python = Python()
    release: Release = Release()
    take_over: Literal["hmailserver"] | None = None
    restore_from: str | None = None
    restore_identity: str | None = None
    lab_port_base: Annotated[int, Meta(ge=1024, le=60000)] | None = None
    lab_drive: str | None = None

    @property
    def present_domains(self) -> tuple[Domain, ...]:
        """The domains that are to be there, in the order of the settings."""
        return tuple(domain for domain in self.domains if domain.state == "present")

    @property
    def server_name(self) -> str:
        """The one name in banner, EHLO and Received, which PTR and A must agree on."""
        return self.hostname or mail_host(self.present_domains[0])

    @property
    def completing_domain(self) -> str:
        """The domain that completes a login name written without @."""
        return self.default_domain or self.present_domains[0].name

    @property
    def reports_domain(self) -> str:
        """Where reports about others' mail come from, when they are sent."""
        return self.dmarc.reports_domain or f"reports.{self.completing_domain}"

    @property
    def mail_hosts(self) -> tuple[str, ...]:
        """Every name that clients and other servers use for this host, each once, the server's own first."""
        names = [self.server_name]
        for domain in self.present_domains:
            names += [mail_host(domain), *(alias_host(domain, alias) for alias in domain.aliases)]
        return tuple(dict.fromkeys(unicode_name(name) for name in names))

    def bound_port(self, listener: Listener) -> int:
        """The port on the host itself: moved up on a lab, where ports below 1024 belong to the administrator."""
        return listener.port if self.lab_port_base is None else self.lab_port_base + listener.port

    @property
    def web_port(self) -> int:
        """The same for the web."""
        return self.web.port if self.lab_port_base is None else self.lab_port_base + self.web.port


def mail_host(domain: Domain) -> str:
    """The name that MX, certificate and mail programs use for a domain."""
    return domain.mail_host or f"smtp.{domain.name}"


def alias_host(domain: Domain, alias: str) -> str:
    """The same for an added domain: its own name, as the tutorial's readers have it, unless one was given for all."""
    return domain.mail_host or f"smtp.{alias}"
