"""What correspondents' domains sent to us, counted by day until it is reported (RFC 9990), and never a weapon.

A domain is counted only from the moment a message of its own has passed DMARC and reached an inbox that day, so forged
senders open nothing. Counts are kept in the store by each daemon under a name of its own and put together at the end.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field

import msgspec

from maild.store import Report, State
from maild.verify import dmarc, spf
from maild.verify.check import Peer, Verdict
from maild.verify.decision import Name
from maild.verify.dkim import Check
from maild.verify.dmarc.aggregate import Authentication, Row
from maild.verify.dmarc.record import Disposition, Policy

DAY = 86_400
"""Seconds a report covers, a day of UTC."""
DMARC_OUT = "dmarc-out"
"""Kind of the rows in the store."""
MAX_SIGNATURES = 20
"""Signatures told of a message; 100 are allowed, honest mail has four."""
_MICRO = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """How much one daemon holds of a day at most."""

    domains: int = 1_000
    rows: int = 1_000
    """Kinds of message of one domain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One checked message; ``delivered`` when it reached an inbox, ``overridden`` says why a policy was not applied."""

    ip: str
    envelope_domain: str
    evaluation: dmarc.Evaluation
    spf: spf.Outcome
    dkim: Sequence[Check]
    delivered: bool
    applied: Disposition = Disposition.NONE
    overridden: str = ""


class Gathered(msgspec.Struct, frozen=True, kw_only=True):
    """What was counted of a policy domain in a day."""

    domain: str
    day: int
    """Days since 1970."""
    published: dict[str, str]
    reports_to: tuple[str, ...]
    rows: tuple[Row, ...]

    @classmethod
    def loaded(cls, data: bytes) -> Gathered:
        """Of a row in the store."""
        return msgspec.json.decode(data, type=cls)


@dataclass(slots=True)
class _Counts:
    policy: Policy
    rows: Counter[Row] = field(default_factory=Counter)


@dataclass(slots=True)
class Gatherer:
    """Counts in memory what ``save`` then keeps; ``run`` names this run of this daemon among all others."""

    room: Room = field(default_factory=Room)
    run: str = field(default_factory=lambda: secrets.token_hex(8))
    _days: dict[int, dict[str, _Counts]] = field(default_factory=dict)
    _changed: set[tuple[int, str]] = field(default_factory=set)

    def note(self, seen: Seen, now: float) -> None:
        """Counts a message, if its domain is one that really writes to us and asks for reports."""
        evaluation = seen.evaluation
        policy = evaluation.policy
        if policy is None or not policy.reports_to:
            return
        day, domain = int(now) // DAY, evaluation.policy_domain
        domains = self._days.setdefault(day, {})
        counts = domains.get(domain)
        if counts is None:
            is_genuine = seen.delivered and evaluation.result is dmarc.Result.PASS
            if not is_genuine or len(domains) >= self.room.domains:
                return
            counts = domains[domain] = _Counts(policy)
        counts.policy = policy
        row = _row(seen)
        if row in counts.rows or len(counts.rows) < self.room.rows:
            counts.rows[row] += 1
            self._changed.add((day, domain))

    def gathered(self) -> list[Gathered]:
        """All that is held."""
        return [_gathered(day, domain, counts) for day in self._days for domain, counts in self._days[day].items()]

    async def save(self, state: State, now: float) -> None:
        """Writes what has changed; what the store does not take is written the next time. Past days are let go."""
        for day, domain in sorted(self._changed):
            whole = _gathered(day, domain, self._days[day][domain])
            await state.add_report(
                Report(
                    kind=DMARC_OUT,
                    domain=domain,
                    source=self.run,
                    begin_at=day * DAY * _MICRO,
                    end_at=(day + 1) * DAY * _MICRO,
                    data=msgspec.json.encode(whole),
                )
            )
            self._changed.discard((day, domain))
        for day in [day for day in self._days if day < int(now) // DAY]:
            del self._days[day]


def seen_of(peer: Peer, verdict: Verdict, *, delivered: bool) -> Seen:
    """What is counted of a verdict."""
    facts = verdict.facts
    applied, overridden = _applied(facts.dmarc, {reason.name for reason in verdict.decision.reasons})
    return Seen(
        ip=peer.ip,
        envelope_domain=peer.sender.rpartition("@")[2],
        evaluation=facts.dmarc,
        spf=facts.spf,
        dkim=facts.dkim,
        delivered=delivered,
        applied=applied,
        overridden=overridden,
    )


def _applied(evaluation: dmarc.Evaluation, reasons: Collection[Name]) -> tuple[Disposition, str]:
    """What became of a message by its policy, and why less than was asked for."""
    if evaluation.result is not dmarc.Result.FAIL:
        return Disposition.NONE, ""
    if Name.TRUSTED_FORWARDER in reasons:
        return Disposition.NONE, "trusted_forwarder"
    rejected, filed = Name.DMARC_REJECT in reasons, Name.DMARC_QUARANTINE in reasons
    applied = Disposition.REJECT if rejected else Disposition.QUARANTINE if filed else Disposition.NONE
    if applied is evaluation.requested:
        return applied, ""
    return applied, "policy_test_mode" if applied is evaluation.disposition else "local_policy"


def merged(parts: Iterable[Gathered]) -> list[Gathered]:
    """What several daemons saw, put together by day and domain; the policy is the one seen last."""
    found: dict[tuple[int, str], list[Gathered]] = {}
    for part in parts:
        found.setdefault((part.day, part.domain), []).append(part)
    wholes = []
    for (day, domain), same in sorted(found.items()):
        counts: Counter[Row] = Counter()
        for part in same:
            for row in part.rows:
                counts[msgspec.structs.replace(row, count=0)] += row.count
        wholes.append(
            Gathered(
                domain=domain,
                day=day,
                published=same[-1].published,
                reports_to=same[-1].reports_to,
                rows=_counted(counts),
            )
        )
    return wholes


def _gathered(day: int, domain: str, counts: _Counts) -> Gathered:
    return Gathered(
        domain=domain,
        day=day,
        published=_published(counts.policy),
        reports_to=counts.policy.reports_to,
        rows=_counted(counts.rows),
    )


def _published(policy: Policy) -> dict[str, str]:
    """The tags a report repeats, in the order of its schema."""
    tags = {
        "p": policy.policy,
        "sp": policy.subdomains,
        "np": policy.nonexistent,
        "adkim": policy.dkim_mode,
        "aspf": policy.spf_mode,
        "testing": "y" if policy.testing else "n",
    }
    return {name: str(value) for name, value in tags.items() if value}


def _row(seen: Seen) -> Row:
    evaluation = seen.evaluation
    results = [
        Authentication(method="dkim", domain=check.domain, selector=check.selector, result=str(check.result))
        for check in seen.dkim[:MAX_SIGNATURES]
        if check.domain
    ]
    results.append(Authentication(method="spf", domain=seen.spf.domain, scope="mfrom", result=str(seen.spf.result)))
    return Row(
        source=seen.ip,
        count=0,
        header_from=evaluation.domain,
        envelope_from=seen.envelope_domain,
        disposition=str(seen.applied),
        dkim=bool(evaluation.aligned_dkim),
        spf=bool(evaluation.aligned_spf),
        reasons=(seen.overridden,) if seen.overridden else (),
        results=tuple(results),
    )


def _counted(rows: Counter[Row]) -> tuple[Row, ...]:
    return tuple(msgspec.structs.replace(row, count=count) for row, count in rows.items())
