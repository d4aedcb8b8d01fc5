"""Authentication-Results: ours read back by us and by authres, others' read, forged ones removed and nothing else."""

from __future__ import annotations

import contextlib

import authres
import pytest
from hypothesis import given
from hypothesis import strategies as st

from maild.verify.results import AuthenticationResults, MethodResult, ResultsError, parse, without_forged, write

US = "smtp.xn--9t4b11yi5a.net"


def value(field: bytes) -> bytes:
    return field.partition(b":")[2]


def test_what_we_write_reads_back_here_and_in_authres() -> None:
    found = [
        MethodResult("spf", "pass", {"smtp.mailfrom": "id@a.example"}, comment="ip4:192.0.2.1"),
        MethodResult("dkim", "fail", {"header.d": "a.example", "header.b": "Ab/+="}, reason="the body was changed"),
        MethodResult("dmarc", "fail", {"header.from": "a.example"}, comment="p=reject"),
    ]
    field = write(US, found)
    assert all(len(line) <= 100 for line in field.split(b"\r\n"))
    read = parse(value(field))
    assert read.server == US
    assert [(one.method, one.result, dict(one.properties)) for one in read.results] == [
        (one.method, one.result, dict(one.properties)) for one in found
    ]
    assert read.of("dkim")[0].reason == "the body was changed"
    other = authres.AuthenticationResultsHeader.parse(field.decode().replace("\r\n", "").replace("\t", " "))
    assert [(one.method, one.result) for one in other.results] == [("spf", "pass"), ("dkim", "fail"), ("dmarc", "fail")]


def test_no_result_is_written_as_none() -> None:
    assert parse(value(write(US, []))) == AuthenticationResults(US)


@pytest.mark.parametrize(
    ("text", "method", "result"),
    [
        (b" example.org 1; none", "", ""),
        (b' (a (nested) comment) example.org; spf=pass (a; b) smtp.mailfrom="x;y@a.example"', "spf", "pass"),
        (b' example.org;\r\n dkim = fail reason="no; key" header.d=a.example', "dkim", "fail"),
        (b" example.org; dkim/1=pass header . d = a.example", "dkim", "pass"),
    ],
)
def test_rfc_8601_forms_are_read(text: bytes, method: str, result: str) -> None:
    read = parse(text)
    assert read.server == "example.org"
    assert [(one.method, one.result) for one in read.results] == ([(method, result)] if method else [])


MESSAGE = (
    b"From: a@a.example\r\nSubject: =?EUC-KR?B?wMe4rg==?=\r\n\r\n"
    b"Authentication-Results: smtp.xn--9t4b11yi5a.net; spf=pass\r\n"
)


@pytest.mark.parametrize(
    "forged",
    [
        b"Authentication-Results: smtp.xn--9t4b11yi5a.net; dmarc=pass header.from=bank.example\r\n",
        b"authentication-results:SMTP.XN--9T4B11YI5A.NET; dmarc=pass\r\n",
        "Authentication-Results: smtp.테스트.net; dmarc=pass\r\n".encode(),
        b'Authentication-Results: (x) "smtp.xn--9t4b11yi5a.net" 1; dmarc=pass\r\n',
        b"Authentication-Results:\r\n smtp.xn--9t4b11yi5a.net;\r\n dmarc=pass\r\n",
        b"Authentication-Results: ((broken smtp.xn--9t4b11yi5a.net; dmarc=pass\r\n",
        b"X-Mailhost-Verdict: accept\r\n",
        b"x-mailhost-reason: none\r\n",
    ],
)
def test_results_in_our_name_are_removed_and_every_other_byte_stays(forged: bytes) -> None:
    other = b"Authentication-Results: mx.elsewhere.example; spf=pass\r\n"
    assert without_forged(forged + other + MESSAGE, US) == other + MESSAGE
    assert without_forged(other + forged + MESSAGE, US) == other + MESSAGE


@given(st.binary(max_size=300))
def test_any_value_is_read_or_refused(data: bytes) -> None:
    for text in (data, b"a.example; " + data, b"a.example; spf=pass " + data):
        with contextlib.suppress(ResultsError):
            assert parse(text).server


@given(st.text(max_size=60), st.text(max_size=60), st.text(max_size=60))
def test_no_text_breaks_out_of_the_field_we_write(reason: str, comment: str, detail: str) -> None:
    field = write(US, [MethodResult("spf", "fail", {"smtp.mailfrom": detail}, reason, comment)])
    lines = field.removesuffix(b"\r\n").split(b"\r\n")
    assert all(line.startswith(b"\t") for line in lines[1:])
    assert b"\n" not in b"".join(lines)
    assert parse(value(field)).of("spf")[0].result == "fail"
