"""What the database says should stand in DNS: domains, alias domains, and the keys they sign with.

Keys that are not used yet or no longer are part of it until their rotation withdraws them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from maild.dns.names import to_query
from maild.dns.records import MailDomain
from maild.settings import Settings
from maild.store import Store
from maild.verify.dkim.rotation import Phase
from maild.verify.keyring import record_of
from maild.verify.rotating import rotations


async def mail_domains(store: Store, hosts: Mapping[str, str] | None = None) -> list[MailDomain]:
    """Every domain with what it publishes; ``hosts`` gives MX targets that are not ``smtp.<domain>``.

    The old keys of a rotation that withdraws them are no part of it any more.
    """
    going = {
        (rotation.domain, selector)
        for rotation in await rotations(store.state)
        if rotation.phase is Phase.WITHDRAWING
        for selector in rotation.old
    }
    targets = {to_query(name): host for name, host in (hosts or {}).items()}
    names = [domain.name for domain in await store.directory.domains()]
    names += [alias.name for alias in await store.directory.alias_domains()]
    return [
        MailDomain(
            name=name,
            mail_host=targets.get(name, ""),
            dkim=tuple(
                (row.selector, record_of(row))
                for row in await store.keys.dkim(name)
                if (name, row.selector) not in going
            ),
        )
        for name in names
    ]


def hosts_of(settings: Settings, domains: Iterable[str]) -> dict[str, str]:
    """MX targets as the settings show them: the first certificate name below a domain, or below it the server's own.

    The domain that DMARC reports come from needs no name of its own: its mail goes to the server.
    """
    names = [name for certificate in settings.acme.certificates for name in certificate.names]
    known = [wire for name in (*names, settings.hostname) if (wire := to_query(name)) is not None]
    reports = to_query(settings.reports_domain) if settings.dmarc.send_reports else None
    found = {reports: settings.hostname} if reports else {}
    for domain in domains:
        below = [name for name in known if name.endswith(f".{domain}")]
        if below:
            found[domain] = below[0]
    return found
