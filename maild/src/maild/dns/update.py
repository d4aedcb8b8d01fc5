"""Writes records into a zone by dynamic update (RFC 2136), signed with a TSIG key (RFC 8945).

For zones whose server lets us; everyone else enters records by hand. Only the names given are touched, and a value is
removed only as itself, so foreign records at the same name stay.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import dns.asyncquery
import dns.exception
import dns.name
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.tsig
import dns.tsigkeyring
import dns.update

from maild.dns import zone
from maild.dns.answer import DNSError, NoData, NoName, Resolver
from maild.dns.names import parents
from maild.dns.records import Expected
from maild.dns.upstream import endpoint

KEY_WORDS = 2
"""Words of a key file."""
TTL = 300
"""Seconds of records we write: short, since the next rotation will change them."""
TIMEOUT = 10.0
"""Seconds a server has to answer an update."""


class UpdateError(Exception):
    """The server did not take the update; the message says why."""


@dataclass(frozen=True, slots=True)
class Key:
    """A TSIG key as name servers know it: name, base64 secret, algorithm."""

    name: str
    secret: str
    algorithm: str = "hmac-sha256"


def read_key(path: Path) -> Key:
    """The key of a file that holds its name and its secret; ``UpdateError`` when it holds something else."""
    try:
        words = path.read_text(encoding="utf-8").split()
    except (OSError, UnicodeDecodeError) as error:
        raise UpdateError(f"the key file {path} cannot be read: {error}") from error
    if len(words) != KEY_WORDS:
        raise UpdateError(f"the key file {path} does not hold a name and a secret")
    return Key(*words)


async def zone_of(resolver: Resolver, name: str) -> str:
    """The zone a name is in: the nearest one above with a start of authority (RFC 1034 section 4.2)."""
    for zone_name in parents(name):
        try:
            await resolver.query(zone_name, "SOA")
        except (NoData, NoName):
            continue
        except DNSError as error:
            raise UpdateError(f"the zone of {name} is not known: {error}") from error
        return zone_name
    raise UpdateError(f"the zone of {name} is not known")


@dataclass(frozen=True, slots=True)
class Updater:
    """Updates one zone at its primary server."""

    zone: str
    server: str
    port: int = 53
    key: Key | None = None

    async def publish(self, rows: Sequence[Expected]) -> None:
        """Adds the records; those that are there already stay."""
        message = self._message()
        for row in rows:
            message.add(dns.name.from_text(row.owner), TTL, row.rdtype, zone.rdata(row))
        await self._send(message)

    async def withdraw(self, rows: Sequence[Expected]) -> None:
        """Removes exactly these records; one that is gone is fine (RFC 2136 section 3.4.2.4)."""
        message = self._message()
        for row in rows:
            rdata = dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.from_text(row.rdtype), zone.rdata(row))
            message.delete(dns.name.from_text(row.owner), rdata)
        await self._send(message)

    def _message(self) -> dns.update.UpdateMessage:
        message = dns.update.UpdateMessage(self.zone)
        if self.key is not None:
            ring = dns.tsigkeyring.from_text({self.key.name: (self.key.algorithm, self.key.secret)})
            message.use_tsig(ring)
        return message

    async def _send(self, message: dns.update.UpdateMessage) -> None:
        try:
            reply = await dns.asyncquery.tcp(message, self.server, timeout=TIMEOUT, port=self.port)
        except (dns.exception.DNSException, OSError, EOFError) as error:
            raise UpdateError(f"{self.server} did not take the update: {error or 'no answer in time'}") from error
        if reply.rcode() != dns.rcode.NOERROR:
            raise UpdateError(f"{self.server} refused the update: {dns.rcode.to_text(reply.rcode())}")


async def updater_of(server: str, key_file: Path | None, name: str, resolver: Resolver) -> Updater | None:
    """Whoever updates the zone a name is in at this server; None without one. Raises ``UpdateError``."""
    if not server:
        return None
    host, port = endpoint(server)
    return Updater(await zone_of(resolver, name), host, port, read_key(key_file) if key_file else None)
