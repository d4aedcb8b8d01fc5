"""SMTP TLS reports (RFC 8460), the JSON that tells how others' TLS to us went."""

from __future__ import annotations

import datetime as dt
from typing import Any

import msgspec

from maild.verify.dmarc.aggregate import wire
from maild.verify.dmarc.packed import ReportError, unpacked

MAX_POLICIES = 1_000
"""Policies of a report that are read; honest ones have one or two."""
MAX_FAILURES = 10_000
"""Kinds of failure that are read."""


class Failure(msgspec.Struct, frozen=True, kw_only=True):
    """Sessions that failed alike."""

    kind: str
    count: int
    host: str = ""
    source: str = ""
    detail: str = ""


class TLSReport(msgspec.Struct, frozen=True, kw_only=True):
    """What one reporter saw of one policy domain."""

    organization: str
    report_id: str
    domain: str
    begin: int
    end: int
    policy: str
    succeeded: int
    failed: int
    failures: tuple[Failure, ...] = ()

    def dumped(self) -> bytes:
        """The report as the store keeps it."""
        return msgspec.json.encode(self)

    @classmethod
    def loaded(cls, data: bytes) -> TLSReport:
        """A report that ``dumped`` wrote."""
        return msgspec.json.decode(data, type=cls)


def parse(data: bytes) -> list[TLSReport]:
    """The reports of a file, one a policy; ``ReportError`` when it holds none."""
    try:
        whole = msgspec.json.decode(unpacked(data))
        return [_report(whole, entry) for entry in _list(whole["policies"])[:MAX_POLICIES]]
    except (msgspec.DecodeError, UnicodeDecodeError, KeyError, TypeError, ValueError, RecursionError) as error:
        raise ReportError(f"the report is no TLS report: {error}") from error


def _report(whole: dict[str, Any], entry: dict[str, Any]) -> TLSReport:
    policy, summary, dates = entry["policy"], entry.get("summary", {}), whole["date-range"]
    return TLSReport(
        organization=_text(whole.get("organization-name", "")),
        report_id=_text(whole["report-id"]),
        domain=wire(_text(policy["policy-domain"])),
        begin=_time(dates["start-datetime"]),
        end=_time(dates["end-datetime"]),
        policy=_text(policy.get("policy-type", "")),
        succeeded=_count(summary.get("total-successful-session-count", 0)),
        failed=_count(summary.get("total-failure-session-count", 0)),
        failures=tuple(_failure(one) for one in _list(entry.get("failure-details") or [])[:MAX_FAILURES]),
    )


def _failure(one: dict[str, Any]) -> Failure:
    return Failure(
        kind=_text(one.get("result-type", "")),
        count=_count(one.get("failed-session-count", 0)),
        host=_text(one.get("receiving-mx-hostname", "")),
        source=_text(one.get("sending-mta-ip", "")),
        detail=_text(one.get("failure-reason-code") or one.get("additional-information") or ""),
    )


def _list(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise ReportError("a list is missing")
    return value


def _text(value: object) -> str:
    return str(value)[:1000]


def _count(value: object) -> int:
    number = int(value) if isinstance(value, int | str) else -1
    if not 0 <= number < 1 << 53:
        raise ReportError("a count is no sensible number")
    return number


def _time(value: object) -> int:
    try:
        return int(dt.datetime.fromisoformat(str(value)).timestamp())
    except (ValueError, OverflowError, OSError) as error:
        raise ReportError("a date is no date") from error
