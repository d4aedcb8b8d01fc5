"""The DNS tree walk (RFC 9989 section 4.10): where a domain's policy is, and which domain it belongs to.

At most eight queries a walk, however many labels a name has. A DNS failure is raised, never taken for "no record".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from maild.dns import NoData, NoName, Resolver
from maild.verify.dmarc.record import Policy, parse

MAX_QUERIES = 8
"""Queries of one walk (section 4.10)."""


@dataclass(frozen=True, slots=True)
class Found:
    """A record and the name it stands at (without ``_dmarc``)."""

    name: str
    policy: Policy


@dataclass(slots=True)
class Walker:
    """Walks for the domains of one message, asking for each name once."""

    resolver: Resolver
    known: dict[str, Policy | None] = field(default_factory=dict)

    async def walk(self, domain: str) -> list[Found]:
        """The records met from the domain upwards; the walk stops behind ``psd=y`` or ``psd=n``."""
        found: list[Found] = []
        for name in names(domain):
            policy = await self.at(name)
            if policy is not None:
                found.append(Found(name, policy))
                if policy.psd != "u":
                    break
        return found

    async def organization(self, domain: str) -> str:
        """The organizational domain of a name."""
        return organization(domain, await self.walk(domain))

    async def at(self, name: str) -> Policy | None:
        """The record at this very name."""
        if name not in self.known:
            self.known[name] = await _record(self.resolver, name)
        return self.known[name]


def names(domain: str) -> list[str]:
    """The names a walk asks for: the domain, then its parents of at most seven labels (steps 3 to 7)."""
    labels = domain.split(".")
    shorter = min(len(labels) - 1, MAX_QUERIES - 1)
    return [domain, *(".".join(labels[-count:]) for count in range(shorter, 0, -1))]


def organization(domain: str, found: Sequence[Found]) -> str:
    """The organizational domain by the records a walk met (section 4.10.2)."""
    for one in found:
        if one.policy.psd == "n":
            return one.name
        if one.policy.psd == "y":
            depth = one.name.count(".") + 2  # one label more than the suffix, or the suffix itself where it begins
            return ".".join(domain.split(".")[-depth:])
    return found[-1].name if found else domain


async def _record(resolver: Resolver, name: str) -> Policy | None:
    """The only DMARC record at a name; several are discarded all (step 2)."""
    try:
        answer = await resolver.query(f"_dmarc.{name}", "TXT")
    except (NoName, NoData):
        return None
    policies = [policy for text in answer.records if isinstance(text, bytes) and (policy := parse(text)) is not None]
    return policies[0] if len(policies) == 1 else None
