"""One question to recursive servers over c-ares (fast) or dnspython (sees the AD bit). No cache, no chain following.

Both raise the four faults of ``maild.dns.answer``. Only ``ValidatingUpstream`` ever marks a reply secure; it is for a
resolver the administrator has marked as validating and reaches over a trusted path.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import aiodns
import dns.asyncquery
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdata
import dns.rdatatype
import pycares

from maild.dns.answer import MX, SOA, TLSA, NoData, NoName, Record, ServerFailure, Timeout

NEGATIVE_TTL = 300
"""Seconds a missing name is kept when the reply brought no SOA; c-ares does not hand it on."""
EDNS_PAYLOAD = 1232
"""Octets of UDP we take, the size that passes without fragments (DNS flag day 2020)."""


@dataclass(frozen=True, slots=True)
class Row:
    """One record of an answer section."""

    name: str
    rdtype: str
    ttl: int
    record: Record


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer section as it came."""

    rows: tuple[Row, ...]
    secure: bool = False


class Upstream(Protocol):
    """Asks servers once; the caching resolver stands in front of it."""

    async def fetch(self, name: str, rdtype: str) -> Reply:
        """The answer section, which may hold CNAME rows alone; a fault otherwise."""
        ...


def _host(text: str) -> str:
    return text.removesuffix(".").lower() or "."


_FROM_CARES: dict[type, tuple[str, Callable[[Any], Record]]] = {
    pycares.ARecordData: ("A", lambda d: str(d.addr)),
    pycares.AAAARecordData: ("AAAA", lambda d: str(d.addr)),
    pycares.MXRecordData: ("MX", lambda d: MX(d.priority, _host(d.exchange))),
    pycares.TXTRecordData: ("TXT", lambda d: bytes(d.data)),
    pycares.NSRecordData: ("NS", lambda d: _host(d.nsdname)),
    pycares.PTRRecordData: ("PTR", lambda d: _host(d.dname)),
    pycares.CNAMERecordData: ("CNAME", lambda d: _host(d.cname)),
    pycares.SOARecordData: ("SOA", lambda d: SOA(_host(d.mname), d.serial, d.minimum)),
    pycares.TLSARecordData: (
        "TLSA",
        lambda d: TLSA(d.cert_usage, d.selector, d.matching_type, bytes(d.cert_association_data)),
    ),
}

_NO_NAME = frozenset({pycares.errno.ARES_ENOTFOUND, pycares.errno.ARES_EBADNAME})
_LATE = frozenset({pycares.errno.ARES_ETIMEOUT, pycares.errno.ARES_ECANCELLED})


class CaresUpstream:
    """c-ares in its own thread: about 20 microseconds of ours a question."""

    def __init__(self, servers: Sequence[str] = (), *, timeout: float = 2.0, tries: int = 2) -> None:
        self._resolver = aiodns.DNSResolver([_cares_server(s) for s in servers] or None, timeout=timeout, tries=tries)

    async def fetch(self, name: str, rdtype: str) -> Reply:
        """Asks; a name that c-ares cannot encode does not exist."""
        try:
            result = await self._resolver.query_dns(name, rdtype)
        except aiodns.error.DNSError as error:
            raise _fault(error.args[0], name, rdtype) from error
        except (ValueError, UnicodeError) as error:
            raise NoName(name, rdtype, str(error)) from error
        rows = []
        for item in result.answer:
            known = _FROM_CARES.get(type(item.data))
            if known:
                rows.append(Row(_host(item.name), known[0], item.ttl, known[1](item.data)))
        return Reply(tuple(rows))

    async def close(self) -> None:
        """Ends the c-ares thread."""
        await self._resolver.close()


def _fault(code: int, name: str, rdtype: str) -> NoName | NoData | ServerFailure | Timeout:
    cause = str(pycares.errno.strerror(code))
    if code in _NO_NAME:
        return NoName(name, rdtype, cause, ttl=NEGATIVE_TTL)
    if code == pycares.errno.ARES_ENODATA:
        return NoData(name, rdtype, cause, ttl=NEGATIVE_TTL)
    return (Timeout if code in _LATE else ServerFailure)(name, rdtype, cause)


class DirectUpstream:
    """dnspython to given servers in turn. ``validating`` believes their AD bit; ``recursive`` sets RD."""

    def __init__(
        self,
        servers: Sequence[str],
        *,
        port: int = 53,
        timeout: float = 2.0,
        validating: bool = False,
        recursive: bool = True,
    ) -> None:
        self._servers = [endpoint(server, port) for server in servers]
        self._timeout = timeout
        self._validating = validating
        self._recursive = recursive

    async def fetch(self, name: str, rdtype: str) -> Reply:
        """Asks each server until one answers usefully; the last fault otherwise."""
        try:
            question = dns.message.make_query(name, rdtype, use_edns=0, payload=EDNS_PAYLOAD)
        except dns.exception.DNSException as error:
            raise NoName(name, rdtype, str(error)) from error
        question.flags |= dns.flags.AD
        if not self._recursive:
            question.flags &= ~dns.flags.RD
        fault: ServerFailure | Timeout = ServerFailure(name, rdtype, "no name server is set")
        for host, port in self._servers:
            try:
                reply, _ = await dns.asyncquery.udp_with_fallback(
                    question, host, timeout=self._timeout, port=port, ignore_unexpected=True
                )
            except dns.exception.Timeout:
                fault = Timeout(name, rdtype, f"{host} did not answer")
                continue
            except (dns.exception.DNSException, OSError, EOFError) as error:
                fault = ServerFailure(name, rdtype, f"{host}: {error}")
                continue
            if reply.rcode() not in {dns.rcode.NOERROR, dns.rcode.NXDOMAIN}:
                fault = ServerFailure(name, rdtype, f"{host} said {dns.rcode.to_text(reply.rcode())}")
                continue
            return self._read(reply, name, rdtype)
        raise fault

    def _read(self, reply: dns.message.Message, name: str, rdtype: str) -> Reply:
        rows = tuple(
            Row(_host(rrset.name.to_text()), dns.rdatatype.to_text(rrset.rdtype), int(rrset.ttl), record)
            for rrset in reply.answer
            for rdata in rrset
            if (record := _from_rdata(rdata)) is not None
        )
        if reply.rcode() == dns.rcode.NXDOMAIN and not rows:
            raise NoName(name, rdtype, "NXDOMAIN", ttl=_negative_ttl(reply))
        if not rows:
            raise NoData(name, rdtype, "NODATA", ttl=_negative_ttl(reply))
        return Reply(rows, secure=self._validating and bool(reply.flags & dns.flags.AD))

    async def close(self) -> None:
        """Holds nothing open between questions."""


def endpoint(server: str, port: int = 53) -> tuple[str, int]:
    """Host and port of ``ADDRESS``, ``ADDRESS#PORT`` or, for IPv4, ``ADDRESS:PORT``."""
    host, sign, own = server.rpartition("#")
    if not sign:
        host, sign, own = server.rpartition(":")
    return (host, int(own)) if sign and own.isdigit() and (":" not in host or "#" in server) else (server, port)


def _cares_server(server: str) -> str:
    host, port = endpoint(server)
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _negative_ttl(reply: dns.message.Message) -> int:
    for rrset in reply.authority:
        if rrset.rdtype == dns.rdatatype.SOA:
            return min(int(rrset.ttl), int(rrset[0].minimum))  # RFC 2308 section 5
    return NEGATIVE_TTL


_FROM_RDATA: dict[str, Callable[[Any], Record]] = {
    "A": lambda d: str(d.address),
    "AAAA": lambda d: str(d.address),
    "MX": lambda d: MX(d.preference, _host(d.exchange.to_text())),
    "TXT": lambda d: b"".join(d.strings),
    "NS": lambda d: _host(d.target.to_text()),
    "PTR": lambda d: _host(d.target.to_text()),
    "CNAME": lambda d: _host(d.target.to_text()),
    "SOA": lambda d: SOA(_host(d.mname.to_text()), d.serial, d.minimum),
    "TLSA": lambda d: TLSA(d.usage, d.selector, d.mtype, bytes(d.cert)),
}


def _from_rdata(rdata: Any) -> Record | None:
    reader = _FROM_RDATA.get(dns.rdatatype.to_text(rdata.rdtype))
    return reader(rdata) if reader else None
