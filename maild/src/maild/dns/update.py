"""Writes records into a zone by dynamic update (RFC 2136), signed with a TSIG key (RFC 8945).

For zones whose server lets us; everyone else enters records by hand. Only the names given are touched, and a value is
removed only as itself, so foreign records at the same name stay.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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
from maild.dns.records import Expected

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
