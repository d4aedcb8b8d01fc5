"""The DNS records a mail domain needs, as data: made from settings alone, compared with what a zone holds.

Nothing here asks DNS. A record's value is neutral (no last dot, no quotes), because registrars' forms differ in both.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from maild.dns.names import reverse, to_query
from maild.mail.domain import to_ascii

REPORTS = "dmarc-reports"
"""Local part of the mailbox that receives DMARC reports; ``maild reconcile`` makes it."""
MX_PREFERENCE = 10
"""The only MX; the number matters beside others alone."""


class Purpose(StrEnum):
    """What a record is for."""

    MX = "mx"
    ADDRESS = "address"
    SPF = "spf"
    DKIM = "dkim"
    DMARC = "dmarc"
    PTR = "ptr"


@dataclass(frozen=True, slots=True, kw_only=True)
class MailDomain:
    """A domain, or an alias domain, which needs the same. ``dkim`` pairs selectors with their TXT values."""

    name: str
    mail_host: str = ""
    dkim: tuple[tuple[str, str], ...] = ()

    @property
    def host(self) -> str:
        """The MX target in A-labels, ``smtp.<domain>`` unless another one is set."""
        return to_ascii(self.mail_host or f"smtp.{self.name}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """One record to enter: owner in A-labels, value, and the domain it is for."""

    purpose: Purpose
    domain: str
    rdtype: str
    owner: str
    value: str
    preference: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """How the world sees the server."""

    hostname: str
    ipv4: str = ""
    ipv6: str = ""

    @property
    def addresses(self) -> tuple[tuple[str, str], ...]:
        """Record types and addresses."""
        pairs = (("A", self.ipv4), ("AAAA", self.ipv6))
        return tuple((rdtype, address) for rdtype, address in pairs if address)


def expected(domains: Sequence[MailDomain], server: Server) -> tuple[Expected, ...]:
    """Every record these domains and this server need, in the order in which people enter them."""
    rows: list[Expected] = []
    for domain in domains:
        rows += _of_domain(domain, server)
    names = {row.owner for row in rows if row.purpose is Purpose.ADDRESS}
    hostname = to_ascii(server.hostname) if server.hostname else ""
    if hostname and hostname not in names:
        rows += [_row(Purpose.ADDRESS, hostname, rdtype, hostname, value) for rdtype, value in server.addresses]
    if hostname:
        rows += [_row(Purpose.PTR, hostname, "PTR", reverse(address), hostname) for _, address in server.addresses]
    return tuple(dict.fromkeys(rows))


def _of_domain(domain: MailDomain, server: Server) -> list[Expected]:
    name = to_ascii(domain.name)
    rows = [_row(Purpose.MX, name, "MX", name, domain.host, MX_PREFERENCE)]
    rows += [_row(Purpose.ADDRESS, name, rdtype, domain.host, value) for rdtype, value in server.addresses]
    if server.addresses:
        rows.append(_row(Purpose.SPF, name, "TXT", name, spf(server)))
    rows += [
        _row(Purpose.DKIM, name, "TXT", f"{to_query(selector)}._domainkey.{name}", value)
        for selector, value in domain.dkim
    ]
    rows.append(_row(Purpose.DMARC, name, "TXT", f"_dmarc.{name}", dmarc(name)))
    return rows


def _row(purpose: Purpose, domain: str, rdtype: str, owner: str, value: str, preference: int | None = None) -> Expected:
    return Expected(purpose=purpose, domain=domain, rdtype=rdtype, owner=owner, value=value, preference=preference)


def spf(server: Server) -> str:
    """The SPF record that names this server's addresses and no other."""
    terms = [f"ip{'4' if rdtype == 'A' else '6'}:{address}" for rdtype, address in server.addresses]
    return " ".join(["v=spf1", *terms, "-all"])


def dmarc(domain: str) -> str:
    """The tutorial's DMARC record, with the ``mailto:`` that RFC 9989 section 4.6 asks for."""
    return f"v=DMARC1; p=reject; sp=reject; adkim=s; rua=mailto:{REPORTS}@{to_ascii(domain)}"


def claims(purpose: Purpose, text: str) -> bool:
    """Whether a TXT value found at a record's place is of its kind, so that it competes with the one expected."""
    match purpose:
        case Purpose.SPF:
            return text.lower() == "v=spf1" or text.lower().startswith("v=spf1 ")
        case Purpose.DMARC:
            return text.lstrip().lower().startswith("v=dmarc")
        case _:
            return "=" in text


def same_value(row: Expected, found: str) -> bool:
    """Whether a value found says the same: tag lists by tags, SPF by terms, names and addresses by letters' case."""
    match row.purpose:
        case Purpose.DKIM:
            return _tags(found, {"p", "h"}) == _tags(row.value, {"p", "h"})
        case Purpose.DMARC:
            return _tags(found) == _tags(row.value)
        case Purpose.SPF:
            return found.lower().split() == row.value.lower().split()
        case _:
            return found.lower().removesuffix(".") == row.value.lower()


_KEY_DEFAULTS = {"v": "DKIM1", "k": "rsa", "s": "*"}


def _tags(text: str, spaceless: Iterable[str] = ()) -> dict[str, str]:
    """Tags by name; white space inside a key does not count (RFC 6376 section 3.6.1), nor do its defaults."""
    tags: dict[str, str] = {}
    for part in text.split(";"):
        name, sign, value = part.partition("=")
        if sign:
            tags[name.strip()] = "".join(value.split()) if name.strip() in spaceless else value.strip()
    if spaceless:
        tags = {name: value for name, value in tags.items() if value != _KEY_DEFAULTS.get(name)}
    return tags
