"""DMARC aggregate reports (RFC 9990, and the older ones of RFC 7489) read from XML and written to it.

A streaming reader: no document type, no entities, bounded records, lengths and depth. What a reporter leaves out has a
neutral value; what contradicts the form is refused as a whole.
"""

from __future__ import annotations

import ipaddress
from xml.parsers import expat
from xml.sax.saxutils import escape

import msgspec

from maild.dns.names import to_query
from maild.verify.dmarc.packed import ReportError, unpacked

MAX_ROWS = 50_000
"""Records of a report that are read; the largest receivers send some thousand."""
MAX_TEXT = 4_096
"""Characters of one value."""
MAX_DEPTH = 16
"""Nested elements; the form has seven."""
MAX_RESULTS = 32
"""Authentication results of one record."""


class Authentication(msgspec.Struct, frozen=True, kw_only=True):
    """One DKIM or SPF result as the receiver saw it."""

    method: str
    domain: str
    result: str
    selector: str = ""
    scope: str = ""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """Messages of one address that fared alike."""

    source: str
    count: int
    header_from: str
    envelope_from: str = ""
    disposition: str = "none"
    dkim: bool = False
    spf: bool = False
    reasons: tuple[str, ...] = ()
    results: tuple[Authentication, ...] = ()

    @property
    def passed(self) -> bool:
        """DMARC passed."""
        return self.dkim or self.spf


class Aggregate(msgspec.Struct, frozen=True, kw_only=True):
    """One report."""

    organization: str
    report_id: str
    domain: str
    begin: int
    end: int
    contact: str = ""
    policy: str = ""
    rows: tuple[Row, ...] = ()

    def dumped(self) -> bytes:
        """The report as the store keeps it."""
        return msgspec.json.encode(self)

    @classmethod
    def loaded(cls, data: bytes) -> Aggregate:
        """A report that ``dumped`` wrote."""
        return msgspec.json.decode(data, type=cls)


def parse(data: bytes) -> Aggregate:
    """The report of a file, packed or not; ``ReportError`` when it is none."""
    reader = _Reader()
    try:
        return reader.read(unpacked(data))
    except expat.ExpatError as error:
        raise ReportError(f"the report is no XML: {error}") from error
    except (ValueError, LookupError, TypeError) as error:
        raise ReportError(str(error)) from error


class _Reader:
    """Collects values by their path; a record becomes a row as soon as it ends."""

    def __init__(self) -> None:
        self._path: list[str] = []
        self._text: list[str] = []
        self._length = 0
        self._head: dict[str, str] = {}
        self._record: dict[str, list[str]] = {}
        self._result: dict[str, str] = {}
        self._results: list[Authentication] = []
        self._rows: list[Row] = []

    def read(self, data: bytes) -> Aggregate:
        parser = expat.ParserCreate()
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.StartDoctypeDeclHandler = _refuse_doctype
        parser.Parse(data, True)
        head = self._head
        if "report_metadata/report_id" not in head or "policy_published/domain" not in head:
            raise ReportError("the report lacks its identifier or its domain")
        return Aggregate(
            organization=head.get("report_metadata/org_name", ""),
            contact=head.get("report_metadata/email", ""),
            report_id=head["report_metadata/report_id"],
            domain=wire(head["policy_published/domain"]),
            begin=_number(head.get("report_metadata/date_range/begin", "0")),
            end=_number(head.get("report_metadata/date_range/end", "0")),
            policy=head.get("policy_published/p", ""),
            rows=tuple(self._rows),
        )

    def _start(self, name: str, _: object) -> None:
        if len(self._path) >= MAX_DEPTH:
            raise ReportError("elements are nested too deeply")
        self._path.append(name.rpartition(":")[2].lower())
        self._text, self._length = [], 0

    def _characters(self, text: str) -> None:
        self._length += len(text)
        if self._length <= MAX_TEXT:
            self._text.append(text)

    def _end(self, _: str) -> None:
        path, value = "/".join(self._path[1:]), "".join(self._text).strip()
        name = self._path.pop()
        self._text, self._length = [], 0
        if path == "record":
            self._end_record()
        elif path.startswith("record/auth_results/"):
            self._end_result(path, name, value)
        elif path.startswith("record/"):
            values = self._record.setdefault(path.removeprefix("record/"), [])
            if len(values) < MAX_RESULTS:
                values.append(value)
        elif value:
            self._head.setdefault(path, value)

    def _end_result(self, path: str, name: str, value: str) -> None:
        if path.count("/") == 3:
            self._result[name] = value
            return
        if name in {"dkim", "spf"} and len(self._results) < MAX_RESULTS:
            found = self._result
            self._results.append(
                Authentication(
                    method=name,
                    domain=found.get("domain", "").lower(),
                    result=found.get("result", "").lower(),
                    selector=found.get("selector", ""),
                    scope=found.get("scope", ""),
                )
            )
        self._result = {}

    def _end_record(self) -> None:
        if len(self._rows) >= MAX_ROWS:
            raise ReportError(f"the report has more than {MAX_ROWS} records")

        def first(path: str, default: str = "") -> str:
            return next(iter(self._record.get(path, [])), "") or default

        evaluated = "row/policy_evaluated/"
        self._rows.append(
            Row(
                source=str(ipaddress.ip_address(first("row/source_ip"))),
                count=_number(first("row/count", "0")),
                header_from=first("identifiers/header_from").lower(),
                envelope_from=first("identifiers/envelope_from").lower(),
                disposition=first(f"{evaluated}disposition", "none").lower(),
                dkim=first(f"{evaluated}dkim").lower() == "pass",
                spf=first(f"{evaluated}spf").lower() == "pass",
                reasons=tuple(filter(None, self._record.get(f"{evaluated}reason/type", []))),
                results=tuple(self._results),
            )
        )
        self._record, self._results = {}, []


def wire(name: str) -> str:
    """A domain as rows are kept by it, in whatever form a reporter wrote it."""
    return to_query(name) or name.lower()


def _number(text: str) -> int:
    value = int(text[:20])
    if not 0 <= value < 1 << 53:
        raise ReportError(f"{text[:20]} is no sensible number")
    return value


def _refuse_doctype(*_: object) -> None:
    raise ReportError("the report declares a document type")


def write(report: Aggregate, *, policy: dict[str, str], version: str = "1.0") -> bytes:
    """The report as XML by RFC 9990 section 3.1; ``policy`` holds the published tags (``p``, ``sp``, ``adkim``...)."""
    out = [
        '<?xml version="1.0" encoding="UTF-8"?>\n<feedback xmlns="urn:ietf:params:xml:ns:dmarc-2.0">\n',
        _element("version", version),
        "<report_metadata>",
        _element("org_name", report.organization),
        _element("email", report.contact),
        _element("report_id", report.report_id),
        f"<date_range>{_element('begin', report.begin)}{_element('end', report.end)}</date_range>",
        "</report_metadata>\n<policy_published>",
        _element("domain", report.domain),
        *(_element(name, value) for name, value in policy.items()),
        "</policy_published>\n",
        *map(_record, report.rows),
        "</feedback>\n",
    ]
    return "".join(out).encode("utf-8", "replace")


def _record(row: Row) -> str:
    results = "".join(
        f"<{one.method}>{_element('domain', one.domain)}"
        f"{_element('selector', one.selector) if one.selector else ''}"
        f"{_element('scope', one.scope) if one.scope else ''}{_element('result', one.result)}</{one.method}>"
        for one in row.results
    )
    reasons = "".join(f"<reason>{_element('type', reason)}</reason>" for reason in row.reasons)
    envelope = _element("envelope_from", row.envelope_from) if row.envelope_from else ""
    return (
        f"<record><row>{_element('source_ip', row.source)}{_element('count', row.count)}<policy_evaluated>"
        f"{_element('disposition', row.disposition)}{_element('dkim', 'pass' if row.dkim else 'fail')}"
        f"{_element('spf', 'pass' if row.spf else 'fail')}{reasons}</policy_evaluated></row>"
        f"<identifiers>{envelope}{_element('header_from', row.header_from)}</identifiers>"
        f"<auth_results>{results}</auth_results></record>\n"
    )


def _element(name: str, value: object) -> str:
    clean = "".join(char for char in str(value) if char.isprintable())
    return f"<{name}>{escape(clean)}</{name}>"
