from __future__ import annotations

import email
import email.policy
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maild.mail import dates, dsn, header, message_id, received
from maild.mail.address import Address

WHEN = datetime(2026, 11, 25, 3, 0, tzinfo=UTC)
ORIGINAL = "From: id@테스트.net\r\nSubject: 안녕\r\n\r\n본문\r\n".encode()


def report(*recipients: dsn.RecipientStatus, original: bytes = b"Subject: a\r\n\r\nb\r\n") -> dsn.Report:
    return dsn.Report(
        to=Address.parse("id@테스트.net"), sender_name="메일 시스템", host="smtp.xn--9t4b11yi5a.net",
        subject="전달하지 못했습니다", text="다음 주소로 전달하지 못했습니다.\n",
        message_id="<b1@smtp.xn--9t4b11yi5a.net>",
        when=WHEN, arrived=WHEN, envelope_id="QQ314159", recipients=recipients, original=original,
        language="ko", references=b"<a@b>",
    )  # fmt: skip


def failed(address: str, **more: str) -> dsn.RecipientStatus:
    return dsn.RecipientStatus(recipient=Address.parse(address), action="failed", status="5.1.1", **more)  # type: ignore[arg-type]


def test_bounce_is_a_multipart_report_of_three_parts() -> None:
    built = dsn.build(
        report(failed("x@example.com", remote="mx.example.com", diagnostic="550 5.1.1 no\r\n such")), "b0"
    )
    parsed = email.message_from_bytes(built, policy=email.policy.default)
    assert not parsed.defects
    assert parsed.get_content_type() == "multipart/report"
    kinds = [part.get_content_type() for part in parsed.iter_parts()]  # type: ignore[attr-defined]
    assert kinds == ["text/plain", "message/delivery-status", "message/rfc822"]
    assert parsed["subject"] == "전달하지 못했습니다"
    assert parsed["auto-submitted"] == "auto-replied"
    (sender,) = parsed["from"].addresses
    assert (sender.display_name, sender.addr_spec) == ("메일 시스템", "postmaster@smtp.xn--9t4b11yi5a.net")
    assert b"Diagnostic-Code: smtp; 550 5.1.1 no such\r\n" in built
    assert b"Original-Envelope-Id: QQ314159\r\n" in built


def test_bounce_is_read_back() -> None:
    built = dsn.build(report(failed("x@example.com", diagnostic="550 no"), failed("y@테스트.net")), "b0")
    assert [(one.recipient, one.status, one.action) for one in dsn.read(built)] == [
        ("x@example.com", "5.1.1", "failed"),
        ("y@xn--9t4b11yi5a.net", "5.1.1", "failed"),
    ]


def test_internationalised_recipient_makes_it_global() -> None:
    built = dsn.build(report(failed("주문@테스트.net"), original=ORIGINAL), "b0")
    assert b"Content-Type: message/global-delivery-status\r\n" in built
    assert b"Content-Type: message/global\r\n" in built
    assert "Final-Recipient: utf-8; 주문@xn--9t4b11yi5a.net".encode() in built
    assert dsn.read(built)[0].recipient == "주문@xn--9t4b11yi5a.net"


def test_large_original_is_returned_as_its_header() -> None:
    built = dsn.build(report(failed("x@example.com"), original=b"Subject: a\r\n\r\n" + b"x" * 100_000), "b0")
    assert b"Content-Type: text/rfc822-headers\r\n" in built
    assert len(built) < 3000


def test_ordinary_message_is_no_report() -> None:
    assert dsn.read(b"Subject: a\r\n\r\nFinal-Recipient: rfc822; a@b\r\n") == ()


@given(st.binary(max_size=300))
def test_reading_a_report_never_fails(body: bytes) -> None:
    head = b"Content-Type: multipart/report; boundary=b\r\n\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
    dsn.read(head + body)
    dsn.read(head + b"Final-Recipient: utf-8; " + body)


def hop(**more: str) -> received.Hop:
    facts = {"helo": "mail.example.com", "client": "203.0.113.7", "by": "smtp.a.net", "protocol": "ESMTPS", "id": "7"}
    return received.Hop(when=WHEN, **{**facts, **more})  # type: ignore[arg-type]


def test_received_field_has_every_clause() -> None:
    written = received.write(
        hop(client_name="m.example.com", tls="TLSv1.3 TLS_AES_256_GCM_SHA384", recipient="id@a.net")
    )
    assert written == (
        b"Received: from mail.example.com (m.example.com [203.0.113.7])\r\n\t(TLSv1.3 TLS_AES_256_GCM_SHA384)\r\n"
        b"\tby smtp.a.net with ESMTPS id 7\r\n\tfor <id@a.net>;\r\n\tWed, 25 Nov 2026 03:00:00 +0000\r\n"
    )


@given(st.text(max_size=60))
def test_no_greeting_can_forge_a_clause(helo: str) -> None:
    written = received.write(hop(helo=helo, client="2001:db8::1"))
    assert len(list(header.fields(written))) == 1
    assert written.count(b" by ") + written.count(b"\tby ") == 1
    assert b"([IPv6:2001:db8::1])" in written


@pytest.mark.parametrize(
    ("flags", "word"),
    [
        ((False, False, False, False), "SMTP"),
        ((True, True, True, False), "ESMTPSA"),
        ((True, True, False, True), "UTF8SMTPS"),
    ],
)
def test_protocol_keyword(flags: tuple[bool, bool, bool, bool], word: str) -> None:
    extended, secure, authenticated, smtputf8 = flags
    assert received.protocol(extended=extended, secure=secure, authenticated=authenticated, smtputf8=smtputf8) == word


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("Wed, 25 Nov 2026 12:00:00 +0900 (KST)", "2026-11-25T12:00:00+09:00"),
        ("25 Nov 26 03:00 GMT", "2026-11-25T03:00:00+00:00"),
        ("Mon,  4 Jan 1999 09:00:00 KST", "1999-01-04T09:00:00+09:00"),
        ("Wed, 25-Nov-2026 03:00:60 -0000", "2026-11-25T03:00:59+00:00"),
    ],
)
def test_date_is_read(text: str, iso: str) -> None:
    assert dates.parse(text) == datetime.fromisoformat(iso)


@given(st.text(max_size=60))
def test_reading_a_date_never_fails(text: str) -> None:
    dates.parse(text)
    dates.parse_internal(text)


@given(st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.timezones()))  # noqa: DTZ001
def test_written_date_is_read_back(when: datetime) -> None:
    assert dates.moment(dates.micros(when)) == when.astimezone(UTC)  # ambiguous local times equal nothing (PEP 495)
    whole = when.replace(microsecond=0)
    offset = whole.utcoffset()
    if offset is not None and offset.total_seconds() % 60 == 0:
        assert dates.parse(dates.write(whole)) == whole.astimezone(UTC)
        assert dates.parse_internal(dates.write_internal(whole)) == whole.astimezone(UTC)


def test_identifiers_are_read_in_order() -> None:
    assert message_id.read(b"<a@b> (c) <d@e>\t<f g> <>") == [b"a@b", b"d@e"]
    assert message_id.read(None) == []
    assert message_id.make(WHEN, b"\1\2", "h.net") == "<20261125030000.0102@h.net>"
