from __future__ import annotations

import contextlib
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.wsman import http, signon, soap
from lab.wsman.shells import Output
from lab.xmltext import ET, parse

ENVELOPE = (
    b'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" '
    b'xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing" '
    b'xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"><s:Header><a:Action>x</a:Action>'
    b"<a:MessageID>uuid:1</a:MessageID><w:OperationTimeout>PT1.5S</w:OperationTimeout>"
    b'<w:SelectorSet><w:Selector Name="ShellId">ABC</w:Selector></w:SelectorSet>'
    b'<w:OptionSet><w:Option Name="winrs_codepage">65001</w:Option></w:OptionSet></s:Header><s:Body/></s:Envelope>'
)


def test_an_envelope_is_read_by_what_decides():
    request = soap.read(ENVELOPE)
    assert (request.action, request.shell_id, request.timeout) == ("x", "ABC", 1.5)
    assert request.options == {"WINRS_CODEPAGE": "65001"}


@given(st.binary(max_size=200))
def test_any_bytes_are_a_request_or_a_fault(data: bytes):
    with contextlib.suppress(soap.Fault):
        soap.read(data)


def test_a_document_type_is_not_read():
    with pytest.raises(soap.Fault):
        soap.read(b'<!DOCTYPE x [<!ENTITY a "b">]>' + ENVELOPE)
    with pytest.raises(ET.ParseError):
        parse("<!DOCTYPE x><x/>")


@pytest.mark.parametrize(
    ("text", "seconds"), [("PT20S", 20), ("PT7200.000S", 7200), ("PT1H", 3600), ("P1DT1M", 86460), ("PT0.5S", 0.5)]
)
def test_durations_are_read(text: str, seconds: float):
    assert soap.seconds(text) == seconds


@given(st.text(alphabet="PTHMSD0123456789.- ", max_size=12))
def test_any_text_is_a_duration_or_a_schema_fault(text: str):
    try:
        assert soap.seconds(text) >= 0
    except soap.Fault as fault:
        code = fault.code
        assert code == 2150858817


@given(st.text(max_size=30).filter(lambda text: all(char.isprintable() for char in text)))
def test_a_fault_can_be_read_whatever_it_says(reason: str):
    root = parse(soap.fault(soap.access_denied(reason), "uuid:<&>"))
    assert root.find(".//{http://schemas.microsoft.com/wbem/wsman/1/wsmanfault}WSManFault").get("Code") == "5"


@given(st.binary(max_size=200))
def test_any_bytes_are_an_http_request_or_an_error_of_http(data: bytes):
    with contextlib.suppress(http.RequestError, ConnectionError):
        http.read_request(io.BufferedReader(io.BytesIO(data)))


def test_a_body_is_read_to_its_length_and_the_next_request_follows():
    data = b"POST /wsman HTTP/1.1\r\nContent-Length: 3\r\n\r\nabcPOST /x HTTP/1.1\r\n\r\n"
    reader = io.BufferedReader(io.BytesIO(data))
    first, second, third = (http.read_request(reader) for _ in range(3))
    assert first is not None
    assert (first.path, first.body) == ("/wsman", b"abc")
    assert second is not None
    assert second.path == "/x"
    assert third is None


@pytest.mark.parametrize(
    ("head", "status"),
    [
        (b"Content-Length: 99999999\r\n", 413),
        (b"Content-Length: -1\r\n", 400),
        (b"Transfer-Encoding: chunked\r\n", 411),
        (b"no colon\r\n", 400),
    ],
)
def test_what_is_not_taken_is_answered_with_its_status(head: bytes, status: int):
    with pytest.raises(http.RequestError) as refused:
        http.read_request(io.BufferedReader(io.BytesIO(b"POST /wsman HTTP/1.1\r\n" + head + b"\r\n")))
    assert refused.value.status == status


@given(st.binary(max_size=120))
def test_any_bytes_are_an_encrypted_message_or_refused(data: bytes):
    with contextlib.suppress(signon.DecryptionError):
        signon.decrypt(data, lambda header, body: header + body)


def test_output_is_given_out_in_pieces_and_the_exit_code_last():
    output = Output()
    output.write("stdout", b"abcdef")
    output.write("stderr", b"x")
    output.done(-1)
    assert output.take(4, 0) == ({"stdout": b"abcd"}, None)
    assert output.take(4, 0) == ({"stdout": b"ef", "stderr": b"x"}, 0xFFFFFFFF)


def test_nothing_to_take_in_time_is_no_output():
    assert Output().take(10, 0) is None
