"""Whether a host can be deployed to at all, found out before anything on it is changed.

Each finding says what is wrong and what to do. A ``stop`` ends the run for that host; a ``note`` is printed and the run
goes on.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal

from pyinfra_winrm.kinds import KINDS, Greeting
from pyinfra_winrm.resource import State
from tasks import challenge
from tasks.facts import HMAILSERVER, HTTP_SYS, Facts, PortOwner
from tasks.settings import Settings
from tasks.translation import Translate, advice, marked

OLDEST_BUILD = 17763  # Windows Server 2019
NEEDED_BYTES = 4 * 1024**3  # MySQL, three releases, and room for the first months of mail
CLOCK_TOLERANCE = 60.0  # seconds: certificates and DKIM signatures bear this much, not more
UNTRIED = (
    marked("outbound port 25 was not tried (dns_offline)"),
    marked("maild diagnose on the server tries it at any time"),
)
MYSQL = "MySQL"
USE_ITS_MYSQL = marked(
    'use it: database = {{"source": "existing", "service": "{owner}", "port": {port}, "administrator_password": '
    '{{"env": "MYSQL_ROOT_PASSWORD"}}}}; or give ours another port: database = {{"port": 3307}}'
)
INNER = tuple(map(ipaddress.ip_network, ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10")))
QUOTAS = {"MaxShellsPerUser": 2, "MaxProcessesPerShell": 5, "MaxMemoryPerShellMB": 512, "MaxEnvelopeSizekb": 500}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be: what, what to do, and what to put into both."""

    level: Literal["stop", "note"]
    what: str
    todo: str
    values: Mapping[str, object] = field(default_factory=dict)

    def said(self, _: Translate) -> str:
        """The finding as a sentence."""
        return advice(_, self.what, self.todo).format(**self.values)

    def __str__(self) -> str:
        return self.said(str)


def findings(settings: Settings, facts: Facts) -> list[Finding]:
    """All that is to be said about a host, the stops first."""
    found = [*_system(facts), *_remoting(facts), *_authority(settings), *_address(settings), *_ports(settings, facts)]
    return sorted(found, key=lambda finding: finding.level != "stop")


def outbound(settings: Settings) -> Greeting | None:
    """Who is called to see whether mail gets out; None when nobody is."""
    if settings.dns_offline or settings.smart_host is not None or not settings.outbound_check:
        return None
    return Greeting(hosts=settings.outbound_check, port=25, expects="220")


def outbound_finding(settings: Settings, called: Greeting | None, state: State | None) -> Finding | None:
    """What is to be said of the way out: the deploy goes on, since mail comes in and waits to go out without it."""
    if called is None or state is None:
        return Finding("note", *UNTRIED) if settings.dns_offline and settings.smart_host is None else None
    found = next(iter(KINDS[called.kind].differences(called, state)), None)
    if found is None:
        return None
    return Finding(
        "note",
        marked("no mail server outside answers on port 25 ({cause}), so mail to others will wait here"),
        marked("ask your provider to open outbound port 25, or set smart_host"),
        {"cause": found.current},
    )


def secure_delivery(settings: Settings) -> Finding | None:
    """What is to be said of DANE; a server without it sends by MTA-STS or TLS as it can be had."""
    if settings.dns_validating:
        return None
    return Finding(
        "note",
        marked("DANE off: no validating resolver"),
        marked("name one that checks DNSSEC in dns_servers and set dns_validating"),
    )


def _system(facts: Facts) -> Iterator[Finding]:
    if facts.build < OLDEST_BUILD:
        yield Finding(
            "stop",
            marked("{system} (build {build}) is too old"),
            marked("use Windows Server 2019 (build 17763) or later"),
            {"system": facts.caption, "build": facts.build},
        )
    if facts.free_bytes < NEEDED_BYTES:
        yield Finding(
            "stop",
            marked("drive C has {free:.1f} GB left"),
            marked("free at least {needed} GB"),
            {"free": facts.free_bytes / 1024**3, "needed": NEEDED_BYTES // 1024**3},
        )
    if facts.pending_reboot:
        yield Finding(
            "note",
            marked("a restart is pending ({reasons})"),
            marked("restart the server at a quiet hour; the deploy goes on meanwhile"),
            {"reasons": ", ".join(facts.pending_reboot)},
        )
    if abs(facts.clock_offset) > CLOCK_TOLERANCE:
        yield Finding(
            "note",
            marked("the clock is {seconds:.0f} seconds off"),
            marked("the time service is set up in this run"),
            {"seconds": abs(facts.clock_offset)},
        )


def _remoting(facts: Facts) -> Iterator[Finding]:
    if facts.language_mode != "FullLanguage":
        yield Finding(
            "stop",
            marked("PowerShell is restricted ({mode}) by a policy"),
            marked("exempt the account of the deploy from AppLocker or WDAC script rules"),
            {"mode": facts.language_mode},
        )
    for name, needed in QUOTAS.items():
        if name in facts.quotas and facts.quotas[name] < needed:
            yield Finding(
                "stop",
                marked("the WinRM quota {name} is {found}"),
                marked('raise it to {needed} or more: winrm set winrm/config/winrs @{{{name}="{needed}"}}'),
                {"name": name, "found": facts.quotas[name], "needed": needed},
            )


def _authority(settings: Settings) -> Iterator[Finding]:
    if settings.tls.source == "acme" and not settings.tls.acme.accept_terms:
        yield Finding(
            "stop",
            marked("the certificate authority's terms are not accepted"),
            marked("read them at its site, then set accept_terms to True in tls.acme, or choose another tls.source"),
        )
    if settings.public_ipv4 is None and not settings.dns_offline:
        yield Finding(
            "note",
            marked("public_ipv4 is not set"),
            marked("set it to the address the world sees, or SPF and DNS cannot be checked"),
        )


def _address(settings: Settings) -> Iterator[Finding]:
    """An address of an inner network in the place of the one that the world sees."""
    if settings.public_ipv4 and any(ipaddress.ip_address(settings.public_ipv4) in net for net in INNER):
        yield Finding(
            "note",
            marked("public_ipv4 is {address}, which nobody outside can reach"),
            marked("set it to the address that your internet company gave you; DNS and SPF carry it"),
            {"address": settings.public_ipv4},
        )


def _ports(settings: Settings, facts: Facts) -> Iterator[Finding]:
    for purpose, port in _wanted_ports(settings, facts):
        owner = facts.owner_of(port)
        if owner is None or is_ours(settings, owner):
            continue
        if owner.name.casefold().startswith(HMAILSERVER.casefold()):
            if settings.take_over != "hmailserver":
                yield Finding(
                    "stop",
                    marked("port {port} ({purpose}) belongs to hMailServer"),
                    marked('set take_over = "hmailserver" to stop and disable it; its data stays'),
                    {"port": port, "purpose": purpose},
                )
            continue
        yield Finding(
            "stop",
            marked("port {port} ({purpose}) belongs to {owner}"),
            USE_ITS_MYSQL
            if _is_mysql(owner) and purpose == MYSQL
            else marked("move {owner} to another port, or choose one here"),
            {"port": port, "purpose": purpose, "owner": _name_of(owner, facts)},
        )


def _is_mysql(owner: PortOwner) -> bool:
    """Whether a service has the port that the settings could use as it is."""
    program = owner.image.replace("/", "\\").rpartition("\\")[2].casefold()
    return bool(owner.service) and program.startswith(("mysqld", "mariadbd"))


def _name_of(owner: PortOwner, facts: Facts) -> str:
    """What a person knows it by; who it is that uses Windows' own web server cannot be seen."""
    if owner.image != HTTP_SYS:
        return owner.name
    return "IIS (http.sys)" if facts.has_iis else "http.sys (not IIS)"


def _wanted_ports(settings: Settings, facts: Facts) -> Iterator[tuple[str, int]]:
    for name, listener in settings.listeners.enabled():
        yield name, settings.bound_port(listener)
    if challenge.by_ourselves(settings, facts):
        yield "proof of host names", settings.tls.acme.challenge_port
    if settings.web.enabled:
        yield "web", settings.web_port
    if settings.database.engine == "mysql" and settings.database.source == "install":
        yield MYSQL, settings.database.port


def is_ours(settings: Settings, owner: PortOwner) -> bool:
    """Whether a listener is one of this installation's own."""
    below = f"{settings.root}/".casefold()
    ours = (settings.service.casefold(), settings.database.service.casefold())
    return owner.image.replace("\\", "/").casefold().startswith(below) or owner.service.casefold() in ours
