"""How a connection to an exchanger must be protected: DANE, else MTA-STS, else TLS when it is offered.

TLSA records decide before MTA-STS does (RFC 8461 section 2), and never fall back to clear text. DANE is on only with a
resolver that was marked as validating: without it an answer proves nothing.
"""

from __future__ import annotations

from maild.delivery.hosts import Exchanger
from maild.delivery.next_hop import HopError, Reply, Security, TLSRule
from maild.delivery.sts import matches
from maild.dns import TLSA, DNSError, NoData, NoName, Resolver
from maild.store import STSPolicy

USABLE = frozenset({2, 3})
"""Certificate usages that count for SMTP: DANE-TA and DANE-EE (RFC 7672 section 3.1.3)."""


async def rule_for(
    exchanger: Exchanger, domain: str, port: int, resolver: Resolver, policy: STSPolicy | None, *, dane: bool
) -> TLSRule:
    """The rule for one exchanger; raises ``HopError`` when it must not be used at all."""
    base, records = await _tlsa(exchanger, port, resolver) if dane and exchanger.secure else ("", None)
    if records is not None:
        why = f"TLSA records of {base}"
        usable = tuple(record for record in records if _usable(record))
        if usable:
            names = tuple(dict.fromkeys((base, exchanger.name, domain)))
            return TLSRule(security=Security.DANE, names=names, records=usable, why=why)
        return TLSRule(security=Security.ENCRYPTED, why=f"unusable {why}")  # RFC 7672 section 2.2
    if policy is not None and policy.mode == "enforce":
        why = f"MTA-STS policy of {domain}"
        if not matches(exchanger.name, policy.mx):
            raise HopError(Reply(451, "4.7.5", f"{exchanger.name} is not named by the {why}"), tls=True)
        return TLSRule(security=Security.VERIFIED, names=(exchanger.name,), why=why)
    return TLSRule()


async def _tlsa(exchanger: Exchanger, port: int, resolver: Resolver) -> tuple[str, list[TLSA] | None]:
    """The secure TLSA records of a host and the name they stand at: that of its addresses first, then its own.

    None where there are none; a look-up that fails forbids the host (RFC 7672 sections 2.1.2 and 2.2.2).
    """
    for base in filter(None, (exchanger.canonical, exchanger.name)):
        try:
            answer = await resolver.query(f"_{port}._tcp.{base}", "TLSA")
        except (NoName, NoData):
            continue
        except DNSError as error:
            raise HopError(Reply(451, "4.7.5", str(error)), tls=True, host=exchanger.name) from error
        if answer.secure:
            return base, [record for record in answer.records if isinstance(record, TLSA)]
    return "", None


def _usable(record: TLSA) -> bool:
    return record.usage in USABLE and record.selector in (0, 1) and record.matching in (0, 1, 2)
