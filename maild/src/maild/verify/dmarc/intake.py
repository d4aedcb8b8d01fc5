"""Finds reports in mail, keeps them in the store, and sums them up for people.

Messages are read from the report mailbox when somebody asks; each once, remembered by UID. Mail that holds no report is
left alone, a broken report is named, and nothing of either changes the mailbox.
"""

from __future__ import annotations

import email
import email.message
import email.policy
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from maild.store import Report
from maild.verify.dmarc import aggregate, tls
from maild.verify.dmarc.aggregate import Aggregate, Row
from maild.verify.dmarc.packed import MAX_PACKED, ReportError, unpacked
from maild.verify.dmarc.tls import TLSReport

MAX_MESSAGE = 2 * MAX_PACKED
"""Octets of a message that is looked into: a report in base64 and some words."""
MAX_PARTS = 20
"""MIME parts that are looked at."""
DMARC_IN, TLS_IN = "dmarc-in", "tls-in"
_MICRO = 1_000_000
_AGGREGATE = frozenset({"application/gzip", "application/x-gzip", "application/zip", "application/x-zip-compressed"})
_XML = frozenset({"text/xml", "application/xml"})
_TLS = frozenset({"application/tlsrpt+gzip", "application/tlsrpt+json"})


def reports_of(message: bytes) -> list[Report]:
    """The reports a message carries, as rows; ``ReportError`` when it carries a broken one."""
    if len(message) > MAX_MESSAGE:
        raise ReportError(f"the message is larger than {MAX_MESSAGE} octets")
    parsed = email.message_from_bytes(message, policy=email.policy.compat32)
    rows: list[Report] = []
    for number, part in enumerate(parsed.walk()):
        if number >= MAX_PARTS:
            break
        kind = _kind(part)
        if not kind:
            continue
        payload = part.get_payload(decode=True)
        if not isinstance(payload, bytes):
            continue
        if kind == TLS_IN:
            rows += [_tls_row(report) for report in tls.parse(payload)]
        else:
            rows.append(_aggregate_row(aggregate.parse(payload)))
    return rows


def rows_of(data: bytes) -> list[Report]:
    """The reports of a file, of either kind, as rows."""
    if unpacked(data).lstrip()[:1] == b"{":
        return [_tls_row(report) for report in tls.parse(data)]
    return [_aggregate_row(aggregate.parse(data))]


def _kind(part: email.message.Message) -> str:
    content, name = part.get_content_type(), (part.get_filename() or "").lower()
    if content in _TLS or name.endswith((".json", ".json.gz")):
        return TLS_IN
    if content in _AGGREGATE | _XML or name.endswith((".xml", ".xml.gz", ".zip")):
        return DMARC_IN
    return ""


def _aggregate_row(report: Aggregate) -> Report:
    return Report(
        kind=DMARC_IN,
        domain=report.domain,
        source=f"{report.organization} {report.report_id}"[:200],
        begin_at=report.begin * _MICRO,
        end_at=report.end * _MICRO,
        data=report.dumped(),
    )


def _tls_row(report: TLSReport) -> Report:
    return Report(
        kind=TLS_IN,
        domain=report.domain,
        source=f"{report.organization} {report.report_id}"[:200],
        begin_at=report.begin * _MICRO,
        end_at=report.end * _MICRO,
        data=report.dumped(),
    )


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason of a failure: ``dkim`` or ``spf`` with its result and domain, or a ``reason`` to spare a message."""

    method: str
    result: str
    domain: str = ""


@dataclass(slots=True)
class Source:
    """What one address sent in a domain's name."""

    address: str
    messages: int = 0
    passed: int = 0
    refused: int = 0
    causes: Counter[Cause] = field(default_factory=Counter)
    """Why messages failed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Reports of a domain put together; sources with failures first, then by how much they sent."""

    domain: str
    reporters: tuple[str, ...]
    messages: int
    passed: int
    sources: tuple[Source, ...]


def summed(domain: str, reports: Iterable[Aggregate]) -> Summary:
    """The summary of a domain's reports."""
    sources: dict[str, Source] = {}
    reporters: Counter[str] = Counter()
    for report in reports:
        reporters[report.organization] += 1
        for row in report.rows:
            _add(sources.setdefault(row.source, Source(row.source)), row)
    found = sorted(sources.values(), key=lambda one: (one.passed - one.messages, -one.messages, one.address))
    return Summary(
        domain=domain,
        reporters=tuple(name for name, _ in reporters.most_common()),
        messages=sum(one.messages for one in found),
        passed=sum(one.passed for one in found),
        sources=tuple(found),
    )


def _add(source: Source, row: Row) -> None:
    source.messages += row.count
    if row.passed:
        source.passed += row.count
        return
    if row.disposition != "none":
        source.refused += row.count
    # One result a method and domain: several signatures of one domain are one cause.
    causes = {Cause(one.method, one.result, one.domain) for one in row.results if one.result}
    if not any(cause.method == "dkim" for cause in causes):
        causes.add(Cause("dkim", "none"))
    causes |= {Cause("reason", reason) for reason in row.reasons}
    for cause in causes:
        source.causes[cause] += row.count


def summed_tls(reports: Sequence[TLSReport]) -> tuple[int, int, Counter[tuple[str, str]]]:
    """Sessions that succeeded, that failed, and the failures by kind and server."""
    kinds: Counter[tuple[str, str]] = Counter()
    for report in reports:
        for failure in report.failures:
            kinds[failure.kind, failure.host] += failure.count
    return sum(one.succeeded for one in reports), sum(one.failed for one in reports), kinds
