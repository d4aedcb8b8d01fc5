"""Checks of what the world sees: DNS records with the reverse name, the way out on port 25, certificates."""

from __future__ import annotations

import asyncio
import datetime as dt
from dataclasses import dataclass

from maild.certs import need, renewal
from maild.certs.errors import CertsError
from maild.certs.pairs import Found, Pair
from maild.diagnosis.result import Line, broken, finding, fine
from maild.dns import wording
from maild.dns.answer import MX, DNSError, Resolver
from maild.dns.check import Checker, State
from maild.dns.names import shown
from maild.dns.records import Server, expected
from maild.locale import Translator
from maild.mail.domain import to_unicode
from maild.net.certificates import CHAIN
from maild.net.outbound import Outbound, OutboundError
from maild.settings import Settings
from maild.store import Store, StoreError
from maild.verify.dkim.signing_key import ADVISED_BITS, Algorithm
from maild.verify.dkim.wording import sentence
from maild.verify.keyring import bits_of
from maild.verify.published import hosts_of, mail_domains
from maild.verify.rotating import errand, rotations

OUTBOUND_SECONDS = 10.0
"""Time another mail server has to greet; blocked ports only show by silence."""
DAYS_LEFT = 14
"""Days before its end when a certificate that nobody renews is named."""


async def records(settings: Settings, store: Store, resolver: Resolver, port: int, say: Translator) -> list[Line]:
    """Each record that the domains need, PTR included, at the domains' own name servers."""
    try:
        domains = await mail_domains(store)
        domains = await mail_domains(store, hosts_of(settings, [domain.name for domain in domains]))
    except StoreError as error:
        return [broken("DNS: which records are needed is not known ({cause})", cause=error.cause or error.public)]
    server = Server(hostname=settings.hostname, ipv4=settings.public_ipv4, ipv6=settings.public_ipv6)
    rows = expected(domains, server)
    lines: list[Line] = []
    for each in await Checker(resolver, port=port).check(rows):
        row = each.expected
        what = f"{row.rdtype} {shown(row.owner)}"
        if each.fine:
            lines.append(fine("DNS: {what} is in order", what=what))
            continue
        # The sentences of the zone check are translated there.
        why, record = wording.problem(each, say), "\n       ".join(wording.entry(row, say))
        if each.state is State.UNKNOWN:
            lines.append(broken("DNS: {what}: {why}", what=what, why=why))
            continue
        lines.append(finding("DNS: {what}: {why}", remedy="{record}", what=what, why=why, record=record))
    return lines


async def keys(store: Store, say: Translator) -> list[Line]:
    """Signing keys that receivers find too short, and what a rotation of keys waits for."""
    try:
        rows = await store.keys.dkim()
        errands = [await errand(store.keys, rotation) for rotation in await rotations(store.state)]
    except StoreError as error:
        return [broken("DKIM: which keys there are is not known ({cause})", cause=error.cause or error.public)]
    lines = [
        finding(
            "DKIM: the key {name} has only {bits} bits",
            remedy="Change it for one of 2048 bits: maild dkim rotate {domain}",
            name=f"{row.selector}._domainkey.{shown(row.domain)}",
            bits=bits,
            domain=to_unicode(row.domain),
        )
        for row in rows
        if row.state == "active" and row.algorithm == Algorithm.RSA and 0 < (bits := bits_of(row)) < ADVISED_BITS
    ]
    for each in errands:
        # The sentences of a rotation are translated there.
        what = sentence(each.rotation, say)
        records_ = "\n       ".join(line for row in (*each.enter, *each.remove) for line in wording.entry(row, say))
        if records_:
            lines.append(finding("DKIM: {what}", remedy="{record}", what=what, record=records_))
        else:
            lines.append(fine("DKIM: {what}", what=what))
    return lines


async def way_out(resolver: Resolver, domain: str, port: int) -> list[Line]:
    """Whether a mail server outside can be reached, as every delivery needs."""
    try:
        answer = await resolver.query(domain, "MX")
        hosts = [record.host for record in sorted(each for each in answer.records if isinstance(each, MX))]
        addresses = [str(record) for record in (await resolver.query(hosts[0], "A")).records]
    except (DNSError, IndexError) as error:
        return [broken("Port 25 out: no mail server of {domain} is known ({cause})", domain=domain, cause=str(error))]
    try:
        connection = await Outbound.open(addresses[0], port, OUTBOUND_SECONDS)
        try:
            said = await connection.line(OUTBOUND_SECONDS)
        finally:
            connection.close()
    except OutboundError as error:
        return [_shut(hosts[0], str(error))]
    greeting = said.decode("utf-8", "replace")[:80]
    if not said.startswith(b"220"):
        return [_shut(hosts[0], greeting)]
    return [fine("Port 25 out: {host} answers ({said})", host=hosts[0], said=greeting)]


def _shut(host: str, cause: str) -> Line:
    return finding(
        "Port 25 out: {host} cannot be reached ({cause})",
        remedy="Many providers block port 25 until asked; ask yours, or set queue.smart_host.",
        host=host,
        cause=cause,
    )


async def certificates(settings: Settings, now: dt.datetime) -> list[Line]:
    """Days left, names that wait, and stand-ins that nobody trusts."""
    try:
        ordered = renewal.status(settings) if settings.acme.enabled else []
    except CertsError as error:
        return [broken("Certificates: {cause}", cause=str(error))]
    lines: list[Line] = []
    for result in ordered:
        lines += _certificate(result.name, result.found, now, _OURS)
        lines += [
            finding(
                "Certificate {name}: {host} waits",
                name=result.name,
                host=to_unicode(host),
                remedy="See maild certs status",
            )
            for host in result.waiting
        ]
        if result.error:
            lines.append(finding("Certificate {name}: {cause}", name=result.name, cause=result.error))
    known = {result.name for result in ordered}
    files = await asyncio.to_thread(lambda: sorted(settings.tls.folder.glob(f"*{CHAIN}")))
    for chain in files:
        name = chain.name.removesuffix(CHAIN)
        if name not in known:
            lines += _certificate(name, renewal.in_place(Pair(settings.tls.folder, name)), now, _FILES)
    return lines or [
        finding(
            "Certificates: there is none in {folder}",
            remedy="Order one with: maild certs issue"
            if settings.acme.enabled
            else "Put NAME-chain.pem and NAME-key.pem there.",
            folder=settings.tls.folder,
        )
    ]


@dataclass(frozen=True, slots=True)
class _Remedies:
    """What to do about a certificate, by who looks after it."""

    missing: str
    ended: str
    late: str


_OURS = _Remedies(
    missing="Order it with: maild certs issue",
    ended="Renew it with: maild certs renew",
    late="See maild certs status, and whether the renewal task runs.",
)
_ELSEWHERE = "Renew it where it comes from; maild takes the new file by itself."
_FILES = _Remedies(
    missing="See that its chain and its key are there, can be read and belong together.",
    ended=_ELSEWHERE,
    late=_ELSEWHERE,
)


def _certificate(name: str, found: Found | None, now: dt.datetime, remedies: _Remedies) -> list[Line]:
    if found is None:
        return [finding("Certificate {name}: is not there", name=name, remedy=remedies.missing)]
    days = need.days_left(found, now)
    if found.self_signed:
        return [
            finding(
                "Certificate {name}: self-signed, nobody trusts it",
                remedy="Switch acme.enabled on, or put a certificate of an authority into the TLS folder.",
                name=name,
            )
        ]
    if days < 0:
        return [finding("Certificate {name}: has ended", name=name, remedy=remedies.ended)]
    if days < DAYS_LEFT:
        return [
            finding(
                "Certificate {name}: {days} days left and not renewed",
                remedy=remedies.late,
                name=name,
                days=days,
            )
        ]
    return [fine("Certificate {name}: {days} days left", name=name, days=days)]
