"""Reports received: both XML forms, packed and hostile ones, TLS reports, mail that carries them, and the sums."""

from __future__ import annotations

import contextlib
import gzip
import io
import json
import tracemalloc
import zipfile
from email.message import EmailMessage
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maild.locale import translator
from maild.verify.dkim import Result as DKIMResult
from maild.verify.dmarc import aggregate, tls
from maild.verify.dmarc.aggregate import Aggregate, Authentication, Row, write
from maild.verify.dmarc.intake import DMARC_IN, TLS_IN, Cause, reports_of, summed, summed_tls
from maild.verify.dmarc.packed import MAX_PLAIN, ReportError, unpacked
from maild.verify.dmarc.tls import TLSReport
from maild.verify.dmarc.wording import cause_text, tls_text
from maild.verify.spf import Result as SPFResult

NET = "xn--9t4b11yi5a.net"
OLD = f"""<?xml version="1.0"?>
<feedback>
 <report_metadata><org_name>google.com</org_name><email>noreply@google.com</email><report_id>17</report_id>
  <date_range><begin>1700000000</begin><end>1700086400</end></date_range></report_metadata>
 <policy_published><domain>{NET}</domain><adkim>s</adkim><p>reject</p><sp>reject</sp><pct>100</pct></policy_published>
 <record><row><source_ip>192.0.2.25</source_ip><count>12</count>
  <policy_evaluated><disposition>none</disposition><dkim>pass</dkim><spf>pass</spf></policy_evaluated></row>
  <identifiers><header_from>{NET}</header_from></identifiers>
  <auth_results><dkim><domain>{NET}</domain><selector>dkim</selector><result>pass</result></dkim>
   <spf><domain>{NET}</domain><result>pass</result></spf></auth_results></record>
 <record><row><source_ip>198.51.100.7</source_ip><count>3</count>
  <policy_evaluated><disposition>reject</disposition><dkim>fail</dkim><spf>fail</spf>
   <reason><type>local_policy</type><comment>x</comment></reason></policy_evaluated></row>
  <identifiers><header_from>{NET}</header_from></identifiers>
  <auth_results><spf><domain>spam.example</domain><result>softfail</result></spf></auth_results></record>
</feedback>""".encode()
TLS = {
    "organization-name": "Company-X",
    "date-range": {"start-datetime": "2016-04-01T00:00:00Z", "end-datetime": "2016-04-01T23:59:59Z"},
    "contact-info": "sts-reporting@company-x.example",
    "report-id": "5065427c-23d3-47ca-b6e0-946ea0e8c4be",
    "policies": [
        {
            "policy": {"policy-type": "sts", "policy-domain": NET, "mx-host": [f"*.{NET}"]},
            "summary": {"total-successful-session-count": 5326, "total-failure-session-count": 303},
            "failure-details": [
                {"result-type": "certificate-expired", "failed-session-count": 100, "receiving-mx-hostname": "mx1"},
                {"result-type": "starttls-not-supported", "failed-session-count": 203},
            ],
        }
    ],
}


def zipped(data: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("r.xml", data)
    return out.getvalue()


@pytest.mark.parametrize("pack", [bytes, gzip.compress, zipped])
def test_a_report_of_rfc_7489_is_read_however_it_is_packed(pack: type) -> None:
    report = aggregate.parse(pack(OLD))
    assert (report.organization, report.domain, report.begin, report.policy) == (
        "google.com",
        NET,
        1700000000,
        "reject",
    )
    assert [(row.source, row.count, row.passed, row.disposition) for row in report.rows] == [
        ("192.0.2.25", 12, True, "none"),
        ("198.51.100.7", 3, False, "reject"),
    ]
    assert report.rows[0].results[0] == Authentication(method="dkim", domain=NET, selector="dkim", result="pass")
    assert report.rows[1].reasons == ("local_policy",)
    assert Aggregate.loaded(report.dumped()) == report


def test_a_report_of_rfc_9990_that_we_write_reads_back() -> None:
    report = aggregate.parse(OLD)
    written = write(report, policy={"p": "reject", "np": "reject", "testing": "n"})
    assert b'xmlns="urn:ietf:params:xml:ns:dmarc-2.0"' in written
    assert aggregate.parse(written) == report


def test_prefixed_names_are_read_too() -> None:
    prefixed = OLD.replace(b"<feedback>", b'<ns0:feedback xmlns:ns0="urn:ietf:params:xml:ns:dmarc-2.0">')
    for name in (b"record", b"row", b"report_metadata"):
        prefixed = prefixed.replace(b"<" + name + b">", b"<ns0:" + name + b">").replace(
            b"</" + name + b">", b"</ns0:" + name + b">"
        )
    assert aggregate.parse(prefixed.replace(b"</feedback>", b"</ns0:feedback>")) == aggregate.parse(OLD)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "no XML"),
        (b"<feedback>", "no XML"),
        (b"<feedback/>", "identifier"),
        (b"<!DOCTYPE x [<!ENTITY a 'b'>]>" + OLD.partition(b"?>")[2], "document type"),
        (OLD.replace(b"192.0.2.25", b"nowhere"), "does not appear"),
        (OLD.replace(b"<count>12", b"<count>-1"), "sensible"),
        (OLD.replace(b"<count>12", b"<count>many"), "invalid literal"),
        (b"<a>" * 30, "nested"),
        (gzip.compress(OLD)[:-20], "gzip"),
        (b"\x1f\x8bgarbage", "gzip"),
        (b"PK\x03\x04garbage", "zip"),
    ],
)
def test_a_broken_report_is_refused_with_the_reason(data: bytes, words: str) -> None:
    with pytest.raises(ReportError, match=words):
        aggregate.parse(data)


@pytest.mark.parametrize("pack", [gzip.compress, zipped])
def test_a_bomb_is_unpacked_no_further_than_the_limit(pack: type) -> None:
    with pytest.raises(ReportError, match="unpacks to more"):
        unpacked(pack(b"\0" * 20_000_000), limit=1_000_000)


def test_values_and_records_are_bounded() -> None:
    long = aggregate.parse(OLD.replace(b"google.com", b"g" * 1_000_000))
    assert len(long.organization) <= aggregate.MAX_TEXT
    record = b"<record><row><source_ip>192.0.2.1</source_ip><count>1</count></row></record>"
    many = OLD.replace(b"</feedback>", record * 50_001 + b"</feedback>")
    with pytest.raises(ReportError, match="more than"):
        aggregate.parse(gzip.compress(many, 1))


def test_a_tls_report_is_read_by_policy() -> None:
    (report,) = tls.parse(gzip.compress(json.dumps(TLS).encode()))
    assert (report.organization, report.domain, report.succeeded, report.failed) == ("Company-X", NET, 5326, 303)
    assert [(one.kind, one.count, one.host) for one in report.failures] == [
        ("certificate-expired", 100, "mx1"),
        ("starttls-not-supported", 203, ""),
    ]
    succeeded, failed, kinds = summed_tls([report, report])
    assert (succeeded, failed, kinds["certificate-expired", "mx1"]) == (10652, 606, 200)


@pytest.mark.parametrize("data", [b"", b"[]", b"{}", b'{"policies": 1}', b'{"policies": [1]}', b"[" * 100_000])
def test_a_broken_tls_report_is_refused(data: bytes) -> None:
    with pytest.raises(ReportError):
        tls.parse(data)


def mail(payload: bytes, subtype: str, name: str) -> bytes:
    message = EmailMessage()
    message["From"], message["To"], message["Subject"] = "noreply@google.com", f"dmarc-reports@{NET}", "Report Domain"
    message.set_content("보고서입니다.")
    message.add_attachment(payload, maintype="application", subtype=subtype, filename=name)
    return message.as_bytes()


def test_reports_are_found_in_mail() -> None:
    (row,) = reports_of(mail(gzip.compress(OLD), "gzip", "google.com!a!1!2.xml.gz"))
    assert (row.kind, row.domain, row.begin_at) == (DMARC_IN, NET, 1700000000_000000)
    (row,) = reports_of(mail(zipped(OLD), "octet-stream", "a.zip"))
    assert row.kind == DMARC_IN
    (row,) = reports_of(mail(json.dumps(TLS).encode(), "tlsrpt+json", "a.json"))
    assert (row.kind, row.domain) == (TLS_IN, NET)
    assert reports_of(mail(b"%PDF", "pdf", "invoice.pdf")) == []
    with pytest.raises(ReportError):
        reports_of(mail(b"garbage", "gzip", "a.xml.gz"))


def test_the_sum_says_who_sends_as_us_what_failed_and_why() -> None:
    summary = summed(NET, [aggregate.parse(OLD), aggregate.parse(OLD)])
    assert (summary.messages, summary.passed, summary.reporters) == (30, 24, ("google.com",))
    assert [(one.address, one.messages, one.passed, one.refused) for one in summary.sources] == [
        ("198.51.100.7", 6, 0, 6),
        ("192.0.2.25", 24, 24, 0),
    ]
    assert dict(summary.sources[0].causes) == {
        Cause("dkim", "none"): 6,
        Cause("spf", "softfail", "spam.example"): 6,
        Cause("reason", "local_policy"): 6,
    }


SAMPLES = Path(__file__).resolve().parents[3] / "data" / "reports"


@pytest.mark.parametrize(
    ("name", "organization", "rows"),
    [
        ("google-zip.eml", "google.com", [("192.0.2.25", 41, True, "none"), ("2001:db8:4860::1a", 2, False, "none")]),
        (
            "microsoft-gzip.eml",
            "Enterprise Outlook",
            [("192.0.2.25", 3, True, "none"), ("198.51.100.77", 17, False, "reject")],
        ),
        ("yahoo-octet-stream.eml", "Yahoo", [("192.0.2.25", 5, True, "none")]),
        ("rfc9990-plain.eml", "한국 메일", [("203.0.113.9", 4, False, "quarantine")]),
    ],
)
def test_a_report_as_large_receivers_shape_it_is_read(
    name: str, organization: str, rows: list[tuple[str, int, bool, str]]
) -> None:
    (row,) = reports_of((SAMPLES / name).read_bytes())
    assert (row.kind, row.domain, row.begin_at) == (DMARC_IN, NET, 1795392000_000000)
    report = Aggregate.loaded(row.data)
    assert (report.organization, report.policy) == (organization, "reject")
    assert [(one.source, one.count, one.passed, one.disposition) for one in report.rows] == rows


def test_googles_tls_report_is_read() -> None:
    (row,) = reports_of((SAMPLES / "google-tls.eml").read_bytes())
    report = TLSReport.loaded(row.data)
    assert (row.kind, report.organization, report.domain) == (TLS_IN, "Google Inc.", NET)
    assert (report.policy, report.succeeded, report.failed) == ("no-policy-found", 118, 3)


def test_a_bomb_in_a_mail_is_refused_in_bounded_memory() -> None:
    message = (SAMPLES / "zip-bomb.eml").read_bytes()
    tracemalloc.start()
    with pytest.raises(ReportError, match="unpacks to more"):
        reports_of(message)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3 * MAX_PLAIN


@pytest.mark.parametrize("language", ["en", "ko"])
def test_every_cause_has_a_sentence(language: str) -> None:
    say = translator(language)
    for method, results in (("dkim", DKIMResult), ("spf", SPFResult)):
        for result in results:
            text = cause_text(Cause(method, str(result), "a.example"), say)
            assert "a.example" in text or result == "none", text
    assert cause_text(Cause("spf", "hardfail", "a.example"), say) == "SPF: hardfail (a.example)"
    assert cause_text(Cause("reason", "made-up"), say) == "made-up"
    assert tls_text("made-up", say) == "made-up"
    assert (tls_text("certificate-expired", say) == "the certificate has expired") is (language == "en")


@given(st.binary(max_size=400))
def test_any_bytes_are_a_report_or_refused(data: bytes) -> None:
    for reader in (aggregate.parse, tls.parse, reports_of):
        for whole in (data, OLD[: len(data)] + data, b"\x1f\x8b\x08\x00" + data, b"PK\x03\x04" + data):
            with contextlib.suppress(ReportError):
                reader(whole)


@given(st.text(max_size=40), st.integers(0, 1 << 40), st.ip_addresses().map(str))
def test_what_we_write_is_xml_whatever_it_holds(text: str, count: int, ip: str) -> None:
    row = Row(
        source=ip, count=count, header_from=text, results=(Authentication(method="spf", domain=text, result=text),)
    )
    report = Aggregate(organization=text, report_id="1", domain="a.example", begin=1, end=2, rows=(row,))
    assert aggregate.parse(write(report, policy={"p": text})).rows[0].count == count
