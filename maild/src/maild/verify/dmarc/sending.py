"""Aggregate reports to others (RFC 9990), off unless an administrator wants them.

Sent once a day when the day is over, by one daemon, at most once each: only where the policy's own organization or the
target's (section 4) wants them, within caps, never to an address that bounced. No failure reports are ever made.
"""

from __future__ import annotations

import gzip
import hashlib
import hmac
import json
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.utils import formatdate

from maild.dns import DNSError, Resolver
from maild.dns.names import to_query
from maild.store import Report, State
from maild.verify.dmarc.aggregate import Aggregate, write
from maild.verify.dmarc.discovery import Walker
from maild.verify.dmarc.gathering import DAY, DMARC_OUT, Gathered, merged
from maild.verify.dmarc.record import parse

SETTLE = 900
"""Seconds after its end when a day is reported: every daemon has saved its counts by then."""
LEASE = 600
"""Seconds one daemon has to send a day's reports before another goes on."""
ONCE = 30 * DAY
"""Seconds it is remembered that a report was sent."""
SENT = "dmarc-sent"
"""Name of what was sent today, in the store."""
_MICRO = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """How much is sent a day at most."""

    reports: int = 100
    """In all: a small server has fewer correspondents that ask for them."""
    reports_to_one: int = 2
    """To one target domain."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A report that may leave."""

    target: str
    message: bytes


Post = Callable[[Outgoing], Awaitable[None]]
"""Hands a report to the queue."""


@dataclass(slots=True)
class Sender:
    """Sends the reports of days that are over. ``suppressed`` knows the addresses that have bounced."""

    state: State
    resolver: Resolver
    address: str
    """At a signed subdomain of ours: reports come from it, and it takes what bounces."""
    secret: bytes
    """Marks our reports, so that nobody can pretend that one has bounced."""
    suppressed: Callable[[str], Awaitable[bool]]
    post: Post
    caps: Caps = field(default_factory=Caps)

    async def turn(self, now: float) -> int:
        """Sends what is due, unless another daemon is at it; how many reports left."""
        rows = [row for row in await self.state.reports(DMARC_OUT) if row.end_at + SETTLE * _MICRO <= now * _MICRO]
        moment = int(now * _MICRO)
        if not rows or not await self.state.once("dmarc-lease", "", moment + LEASE * _MICRO, moment):
            return 0
        sent = await self._sent(int(now) // DAY)
        before = sent.total()
        for whole in merged(Gathered.loaded(row.data) for row in rows):
            if sent.total() < self.caps.reports:
                await self._report(whole, sent, now)
        await self._forget(rows)
        return sent.total() - before

    async def _report(self, whole: Gathered, sent: Counter[str], now: float) -> None:
        """Sends one domain's report to each of its targets."""
        for target in await self._targets(whole):
            place = target.rpartition("@")[2].lower()
            if sent.total() >= self.caps.reports or sent[place] >= self.caps.reports_to_one:
                continue
            key, moment = f"{whole.day} {whole.domain} {target}", int(now * _MICRO)
            if not await self.state.once("dmarc-report", key, moment + ONCE * _MICRO, moment):
                continue
            sent[place] += 1
            await self.state.put(SENT, json.dumps({"day": int(now) // DAY, "sent": sent}))
            await self.post(Outgoing(target, compose(whole, self.address, target, self.secret, now)))

    async def _targets(self, whole: Gathered) -> list[str]:
        wanted = []
        for address in whole.reports_to:
            for target in await agreed(self.resolver, whole.domain, address):
                if target not in wanted and not await self.suppressed(target):
                    wanted.append(target)
        return wanted

    async def _sent(self, today: int) -> Counter[str]:
        """What went out today already, by target domain."""
        kept = json.loads(await self.state.get(SENT) or "{}")
        return Counter(kept["sent"]) if kept.get("day") == today else Counter()

    async def _forget(self, rows: Sequence[Report]) -> None:
        for row in rows:
            await self.state.remove_report(row.id)


async def agreed(resolver: Resolver, domain: str, target: str) -> list[str]:
    """Where reports about a domain that names this address may go (section 4): there, elsewhere at that host, nowhere.

    A target of the same organization needs no word of its own. Another one must publish that it takes them, and may
    then name other addresses of the same host; one that names another host gets none.
    """
    place = to_query(target.rpartition("@")[2])
    if place is None:
        return []
    walker = Walker(resolver)
    try:
        if place == domain or await walker.organization(place) == await walker.organization(domain):
            return [target]
        answer = await resolver.query(f"{domain}._report._dmarc.{place}", "TXT")
    except DNSError:
        return []
    policies = [policy for text in answer.records if isinstance(text, bytes) and (policy := parse(text)) is not None]
    others = [address for policy in policies for address in policy.reports_to]
    if any(to_query(address.rpartition("@")[2]) != place for address in others):
        return []
    return others or ([target] if policies else [])


def compose(whole: Gathered, sender: str, target: str, secret: bytes, now: float) -> bytes:
    """The message that carries a report: subject, file name and type are what report consumers sort by."""
    submitter = sender.rpartition("@")[2]
    begin, end = whole.day * DAY, (whole.day + 1) * DAY - 1
    name = mark(whole, target, secret)
    report = Aggregate(
        organization=submitter,
        contact=sender,
        report_id=f"{name}@{submitter}",
        domain=whole.domain,
        begin=begin,
        end=end,
        rows=whole.rows,
    )
    message = EmailMessage()
    message["From"], message["To"] = sender, target
    message["Date"] = formatdate(now)
    message["Message-ID"] = f"<{report.report_id}>"
    message["Subject"] = f"Report Domain: {whole.domain} Submitter: {submitter} Report-ID: <{report.report_id}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(f"DMARC aggregate report for {whole.domain}, {len(whole.rows)} records.\n")
    message.add_attachment(
        gzip.compress(write(report, policy=whole.published), mtime=0),
        maintype="application",
        subtype="gzip",
        filename=f"{submitter}!{whole.domain}!{begin}!{end}.xml.gz",
    )
    return message.as_bytes().replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def report_secret(wrap_key: bytes) -> bytes:
    """The secret that marks reports, made from the key that all daemons of a database share."""
    return hmac.new(wrap_key, b"dmarc-report", hashlib.sha256).digest()


def mark(whole: Gathered, target: str, secret: bytes) -> str:
    """A report's name, which nobody else can make for this target."""
    about = f"{whole.day}.{hashlib.sha256(whole.domain.encode()).hexdigest()[:12]}"
    return f"{about}.{_seal(about, target, secret)}"


def is_ours(name: str, target: str, secret: bytes) -> bool:
    """Whether a report of this name went to this target."""
    about, _, seal = name.rpartition(".")
    return hmac.compare_digest(seal.encode(), _seal(about, target, secret).encode())


def _seal(about: str, target: str, secret: bytes) -> str:
    return hmac.new(secret, f"dmarc-report {about} {target.lower()}".encode(), hashlib.sha256).hexdigest()[:24]
