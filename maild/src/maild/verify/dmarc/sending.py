"""Aggregate reports to others (RFC 9990), off unless an administrator wants them, and never a weapon.

A domain is reported to only after a message of its own has passed DMARC and was delivered, so forged senders cause
nothing. Targets elsewhere must have agreed (section 4), a day and a destination have caps, addresses that bounced are
left alone. No failure reports are ever made.
"""

from __future__ import annotations

import gzip
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import formatdate

from maild.dns import DNSError, Resolver
from maild.dns.names import to_query
from maild.verify import dmarc, spf
from maild.verify.dkim import Check
from maild.verify.dmarc.aggregate import Aggregate, Authentication, Row, write
from maild.verify.dmarc.discovery import Walker
from maild.verify.dmarc.record import Policy

DAY = 86_400
"""Seconds a report covers (section 2: at least daily)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """How much is sent and held at most."""

    reports_a_day: int = 100
    """Reports of a day in all: a small server has fewer correspondents that ask for them."""
    reports_a_target: int = 2
    """Reports of a day to one target domain."""
    domains: int = 1_000
    """Domains gathered at once."""
    rows: int = 1_000
    """Kinds of message gathered for a domain."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """One checked message; ``delivered`` when it reached a mailbox."""

    ip: str
    envelope_domain: str
    evaluation: dmarc.Evaluation
    spf: spf.Outcome
    dkim: Sequence[Check]
    delivered: bool


@dataclass(slots=True)
class _Gathered:
    policy: Policy
    rows: Counter[Row] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A report that is ready, and the policy it was gathered under."""

    report: Aggregate
    policy: Policy


@dataclass(slots=True)
class Gatherer:
    """Counts what correspondents' domains sent, until a day is over."""

    caps: Caps = field(default_factory=Caps)
    _domains: dict[str, _Gathered] = field(default_factory=dict)

    def note(self, seen: Seen) -> None:
        """Counts a message, if its domain is one that really writes to us and asks for reports."""
        evaluation = seen.evaluation
        policy = evaluation.policy
        if policy is None or not policy.reports_to:
            return
        domain = evaluation.policy_domain
        gathered = self._domains.get(domain)
        if gathered is None:
            is_genuine = seen.delivered and evaluation.result is dmarc.Result.PASS
            if not is_genuine or len(self._domains) >= self.caps.domains:
                return
            gathered = self._domains[domain] = _Gathered(policy)
        row = _row(seen)
        if row in gathered.rows or len(gathered.rows) < self.caps.rows:
            gathered.rows[row] += 1

    def drain(self, organization: str, contact: str, begin: int, end: int) -> list[Draft]:
        """The reports of what was counted since the last time."""
        domains, self._domains = self._domains, {}
        return [
            Draft(
                policy=gathered.policy,
                report=Aggregate(
                    organization=organization,
                    contact=contact,
                    report_id=f"{end}.{number}@{organization}",
                    domain=domain,
                    begin=begin,
                    end=end,
                    rows=tuple(_counted(row, count) for row, count in gathered.rows.items()),
                ),
            )
            for number, (domain, gathered) in enumerate(sorted(domains.items()), 1)
        ]


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A report that may leave."""

    target: str
    message: bytes


@dataclass(slots=True)
class Sender:
    """Decides which drafts leave. ``suppressed`` knows the addresses that have bounced."""

    resolver: Resolver
    sender: str
    """Address at a signed subdomain of ours that reports come from; it only takes bounces."""
    suppressed: Callable[[str], Awaitable[bool]]
    caps: Caps = field(default_factory=Caps)
    _sent: Counter[str] = field(default_factory=Counter)

    async def outgoing(self, drafts: Sequence[Draft], now: float) -> list[Outgoing]:
        """The messages to send today."""
        ready: list[Outgoing] = []
        for draft in drafts:
            for target in await self._targets(draft):
                place = target.rpartition("@")[2].lower()
                if self._sent.total() >= self.caps.reports_a_day:
                    return ready
                if self._sent[place] >= self.caps.reports_a_target:
                    continue
                self._sent[place] += 1
                ready.append(Outgoing(target, compose(draft, self.sender, target, now)))
        return ready

    def new_day(self) -> None:
        """Lets the caps begin anew."""
        self._sent.clear()

    async def _targets(self, draft: Draft) -> list[str]:
        return [
            target
            for target in draft.policy.reports_to
            if not await self.suppressed(target) and await agreed(self.resolver, draft.report.domain, target)
        ]


async def agreed(resolver: Resolver, domain: str, target: str) -> bool:
    """Whether reports about a domain may go to an address: its own organization's, or one that says so (section 4)."""
    place = to_query(target.rpartition("@")[2])
    if place is None:
        return False
    walker = Walker(resolver)
    try:
        if place == domain or await walker.organization(place) == await walker.organization(domain):
            return True
        answer = await resolver.query(f"{domain}._report._dmarc.{place}", "TXT")
    except DNSError:
        return False
    return any(isinstance(text, bytes) and text.partition(b";")[0].strip() == b"v=DMARC1" for text in answer.records)


def compose(draft: Draft, sender: str, target: str, now: float) -> bytes:
    """The message that carries a report (section 3.4)."""
    report, submitter = draft.report, sender.rpartition("@")[2]
    message = EmailMessage()
    message["From"], message["To"] = sender, target
    message["Date"] = formatdate(now)
    message["Message-ID"] = f"<{report.report_id.partition('@')[0]}@{submitter}>"
    message["Subject"] = f"Report Domain: {report.domain} Submitter: {submitter} Report-ID: <{report.report_id}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(f"DMARC aggregate report for {report.domain}, {len(report.rows)} records.\n")
    message.add_attachment(
        gzip.compress(write(report, policy=_published(draft.policy)), mtime=0),
        maintype="application",
        subtype="gzip",
        filename=f"{submitter}!{report.domain}!{report.begin}!{report.end}.xml.gz",
    )
    return message.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def _published(policy: Policy) -> dict[str, str]:
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
        for check in seen.dkim
        if check.domain
    ]
    results.append(Authentication(method="spf", domain=seen.spf.domain, scope="mfrom", result=str(seen.spf.result)))
    return Row(
        source=seen.ip,
        count=1,
        header_from=evaluation.domain,
        envelope_from=seen.envelope_domain,
        disposition=str(evaluation.disposition),
        dkim=bool(evaluation.aligned_dkim),
        spf=bool(evaluation.aligned_spf),
        results=tuple(results),
    )


def _counted(row: Row, count: int) -> Row:
    return Row(
        source=row.source,
        count=count,
        header_from=row.header_from,
        envelope_from=row.envelope_from,
        disposition=row.disposition,
        dkim=row.dkim,
        spf=row.spf,
        reasons=row.reasons,
        results=row.results,
    )
