"""Whether a message passes DMARC, and what its author's domain asks for when it does not (RFC 9989 section 5.3).

The identifiers come verified from SPF and DKIM. DNS trouble gives ``temperror``, which neither passes nor fails.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from maild.dns import DNSError, NoData, NoName, Resolver
from maild.verify.dmarc.discovery import Found, Walker, organization
from maild.verify.dmarc.record import Disposition, Mode, Policy
from maild.verify.message import Author


class Result(StrEnum):
    """The DMARC results of RFC 9989 section 9.2."""

    NONE = "none"
    PASS = "pass"  # noqa: S105 - a result's name
    FAIL = "fail"
    TEMPERROR = "temperror"
    PERMERROR = "permerror"


@dataclass(frozen=True, slots=True, kw_only=True)
class Evaluation:
    """The result. ``requested`` is what the owner asks for, ``disposition`` that after ``t=y``; ``aligned`` vouch."""

    result: Result
    domain: str = ""
    policy_domain: str = ""
    requested: Disposition = Disposition.NONE
    disposition: Disposition = Disposition.NONE
    policy: Policy | None = None
    aligned_spf: str = ""
    aligned_dkim: tuple[str, ...] = ()
    problem: str = ""


async def evaluate(
    resolver: Resolver, author: Author, *, spf_domain: str = "", dkim_domains: Sequence[str] = ()
) -> Evaluation:
    """DMARC of a message with this author; the other domains are those that SPF and DKIM have passed."""
    if author.problem:
        return Evaluation(result=Result.PERMERROR, problem=author.problem)
    try:
        return await _evaluated(Walker(resolver), author.domain, spf_domain, dkim_domains)
    except DNSError as error:
        return Evaluation(result=Result.TEMPERROR, domain=author.domain, problem=str(error))


async def _evaluated(walker: Walker, domain: str, spf_domain: str, dkim_domains: Sequence[str]) -> Evaluation:
    applied = await _applied(walker, domain)
    if applied is None:
        return Evaluation(result=Result.NONE, domain=domain)
    requested = await _requested(walker.resolver, domain, applied)
    if requested is None:
        return Evaluation(result=Result.NONE, domain=domain, problem="the record has no valid policy")
    policy = applied.policy
    aligned_spf, spf_fault = await _aligned(walker, [spf_domain] if spf_domain else [], domain, policy.spf_mode)
    aligned_dkim, dkim_fault = await _aligned(walker, dkim_domains, domain, policy.dkim_mode)
    passed = bool(aligned_spf or aligned_dkim)
    fault = spf_fault or dkim_fault
    if fault is not None and not passed:
        raise fault
    return Evaluation(
        result=Result.PASS if passed else Result.FAIL,
        domain=domain,
        policy_domain=applied.name,
        requested=requested,
        disposition=Disposition.NONE if passed else requested.milder if policy.testing else requested,
        policy=policy,
        aligned_spf="".join(aligned_spf),
        aligned_dkim=aligned_dkim,
    )


async def _applied(walker: Walker, domain: str) -> Found | None:
    """The record that applies: the author domain's, its organization's, its public suffix's (section 4.10.1)."""
    policy = await walker.at(domain)
    if policy is not None:
        return Found(domain, policy)
    met = await walker.walk(domain)
    by_name = {one.name: one for one in met}
    suffix = next((one for one in met if one.policy.psd == "y"), None)
    return by_name.get(organization(domain, met)) or suffix


async def _requested(resolver: Resolver, domain: str, applied: Found) -> Disposition | None:
    if applied.name == domain:
        return applied.policy.policy
    exists = True
    if applied.policy.nonexistent is not None:
        try:
            await resolver.query(domain, "A")
        except NoName:
            exists = False  # NXDOMAIN, in the sense of RFC 8020 (section 3.2.13)
        except NoData:
            pass
    return applied.policy.for_subdomain(exists=exists)


async def _aligned(
    walker: Walker, identifiers: Sequence[str], domain: str, mode: Mode
) -> tuple[tuple[str, ...], DNSError | None]:
    """The authenticated domains that vouch for the author's (sections 3.2.10 and 4.10.2), and what hid others.

    The same name needs no DNS, so trouble further up the tree cannot take a plain pass away.
    """
    found = [one for one in dict.fromkeys(identifiers) if one == domain]
    others = [one for one in dict.fromkeys(identifiers) if one != domain]
    if mode == "s" or not others:
        return tuple(found), None
    try:
        own = await walker.organization(domain)
        found += [one for one in others if await walker.organization(one) == own]
    except DNSError as error:
        return tuple(found), error
    return tuple(found), None
