"""Who may send as whom in a scripted SMTP session: logins, users' own addresses, strangers who claim to be ours."""

from __future__ import annotations

import base64
import dataclasses
import ipaddress

import pytest

from maild.smtp.context import Verified
from maild.store import Alias, Direction, IPRange, ListMode, MailingList
from tests.lib.scripted import (
    DOMAIN,
    LOGIN,
    MAIL,
    MX,
    OWN_MAIL,
    OWN_MESSAGE,
    SUBMISSION,
    SUBMISSIONS,
    Finds,
    House,
    codes,
    plain,
    replies,
)


@pytest.mark.parametrize("listener", [MX, SUBMISSION, SUBMISSIONS])
def test_auth_is_offered_only_under_tls_where_it_is_on(listener: object) -> None:
    for tls in (False, True):
        said = bytes(House().talk(b"EHLO c\r\n", listener=listener, tls=tls).sent).decode()  # type: ignore[arg-type]
        encrypted = tls or listener is SUBMISSIONS
        assert ("AUTH PLAIN LOGIN" in said) == (encrypted and listener is not MX)
        assert ("STARTTLS" in said) == (not encrypted)


def test_auth_on_25_is_refused_even_under_tls() -> None:
    assert codes(b"EHLO c\r\n", LOGIN, tls=True) == ["220", "250", "502"]


def test_submission_without_tls_takes_nothing_but_the_way_to_it() -> None:
    said = codes(b"EHLO c\r\nMAIL FROM:<a@b.c>\r\nNOOP\r\n" + LOGIN + b"VRFY a\r\nRSET\r\n", listener=SUBMISSION)
    assert said[1:] == ["250", "530", "250", "530", "530", "250"]


def test_submission_needs_a_login() -> None:
    assert codes(b"EHLO c\r\n" + OWN_MAIL, listener=SUBMISSIONS)[2:] == ["530", "503", "503"]


def test_login_by_plain_in_one_and_two_steps_and_by_login() -> None:
    initial = LOGIN.removeprefix(b"AUTH PLAIN ")
    user, password = base64.b64encode("id@테스트.net".encode()), base64.b64encode("비밀번호1".encode())
    for exchange in (
        [LOGIN],
        [b"AUTH PLAIN\r\n", initial],
        [b"auth login\r\n", user + b"\r\n", password + b"\r\n"],
        [b"AUTH LOGIN " + user + b"\r\n", password + b"\r\n"],
    ):
        assert codes(b"EHLO c\r\n", *exchange, listener=SUBMISSIONS)[-1] == "235"


@pytest.mark.parametrize(
    ("exchange", "code"),
    [
        ([b"AUTH PLAIN !!!\r\n"], "501"),
        ([b"AUTH PLAIN =\r\n"], "501"),
        ([b"AUTH PLAIN\r\n", b"*\r\n"], "501"),
        ([b"AUTH LOGIN\r\n", b"*\r\n"], "501"),
        ([b"AUTH CRAM-MD5\r\n"], "504"),
        ([b"AUTH\r\n"], "501"),
        ([b"AUTH PLAIN " + base64.b64encode(b"boss\0id\0p") + b"\r\n"], "501"),
        ([plain("id@테스트.net", "wrong")], "535"),
        ([plain("nobody@테스트.net", "wrong")], "535"),
        ([LOGIN, LOGIN], "503"),
    ],
)
def test_logins_that_fail(exchange: list[bytes], code: str) -> None:
    assert codes(b"EHLO c\r\n", *exchange, listener=SUBMISSIONS)[-1] == code


def test_the_third_failure_ends_the_session_with_hmailservers_words() -> None:
    connection = House().talk(b"EHLO c\r\n", *[plain("id@테스트.net", "x")] * 3, b"NOOP\r\n", listener=SUBMISSIONS)
    assert replies(connection)[-1] == "535 5.7.8 Authentication failed. Too many invalid logon attempts."
    assert not connection.alive


def test_a_user_sends_out_and_date_and_message_id_are_added_and_bcc_goes() -> None:
    house = House()
    envelope = f"MAIL FROM:<id@{DOMAIN}>\r\nRCPT TO:<x@example.com>\r\nRCPT TO:<id@{DOMAIN}>\r\nDATA\r\n".encode()
    said = codes(
        b"EHLO c\r\n",
        LOGIN,
        envelope,
        f"From: id@{DOMAIN}\r\nBcc: x@example.com,\r\n hidden@example.com\r\nSubject: s\r\n\r\nb\r\n.\r\n".encode(),
        house=house,
        listener=SUBMISSIONS,
    )
    assert said[-1] == "250"
    incoming, body = house.memory.accepted[0]
    assert b"\r\nDate: Wed, 25 Nov 2026" in incoming.prefix
    assert b"\r\nMessage-ID: <" in incoming.prefix
    assert b"with ESMTPSA (TLSv1.3" in incoming.prefix
    assert b"for <" not in incoming.prefix
    assert b"hidden" not in body
    assert [each.destination for each in incoming.queue] == ["mx:example.com"]


@pytest.mark.parametrize("sender", ["boss@테스트.net", "주문@테스트.net", "a@example.org"])
def test_a_user_cannot_use_the_envelope_of_another(sender: str) -> None:
    said = codes(b"EHLO c\r\n", LOGIN, f"MAIL FROM:<{sender}> SMTPUTF8\r\n".encode(), listener=SUBMISSIONS)
    assert said[-1] == "553"


@pytest.mark.parametrize(
    "header", ["From: 주문@테스트.net", "From: id@테스트.net\r\nSender: a@example.org", "Subject: no author"]
)
def test_a_user_cannot_be_another_author(header: str) -> None:
    house = House()
    said = codes(
        b"EHLO c\r\n", LOGIN, OWN_MAIL, f"{header}\r\n\r\nb\r\n.\r\n".encode(), house=house, listener=SUBMISSIONS
    )
    assert said[-1] == "550"
    assert not house.memory.accepted


@pytest.mark.parametrize(
    "header",
    ["From: id@테스트.net", "From: x@테스트.co.kr", "From: a@b.c, id@테스트.net", "From: a@b.c\r\nFrom: d@e.f"],
)
def test_a_stranger_cannot_be_one_of_us_in_the_header(header: str) -> None:
    house = House()
    assert codes(b"EHLO c\r\n" + MAIL, f"{header}\r\n\r\nb\r\n.\r\n".encode(), house=house)[-1] == "550"
    assert not house.memory.accepted


def test_a_stranger_cannot_be_one_of_us_in_the_envelope() -> None:
    said = codes(b"EHLO c\r\nMAIL FROM:<id@xn--9t4b11yi5a.net>\r\nRCPT TO:<id@xn--9t4b11yi5a.net>\r\n")
    assert said[-1] == "530"


def test_a_range_that_speaks_for_us_may_use_our_addresses_and_is_not_verified() -> None:
    house = House(verifier=Finds())
    net = ipaddress.ip_network("192.0.2.0/28")
    house.memory.range_rows.append(
        IPRange(
            name="application",
            low=net[0],
            high=net[-1],
            priority=30,
            allow=frozenset({Direction.LOCAL_TO_LOCAL}),
            allow_local_sender=True,
        )
    )
    envelope = f"EHLO c\r\nMAIL FROM:<id@{DOMAIN}>\r\nRCPT TO:<id@{DOMAIN}>\r\nDATA\r\n".encode()
    assert codes(envelope, OWN_MESSAGE, house=house)[-1] == "250"

    async def greylisted(**_: object) -> str:
        return "451 4.7.1 Greylisted"

    assert codes(envelope, OWN_MESSAGE, house=dataclasses.replace(house, screen=greylisted))[-1] == "250"
    assert codes(envelope, OWN_MESSAGE, house=house, peer="198.51.100.1")[-1] == "550"


@pytest.mark.parametrize(("authentic", "code"), [(True, "250"), (False, "550")])
def test_dmarc_decides_whether_a_stranger_is_one_of_us(code: str, *, authentic: bool) -> None:
    house = House(verifier=Finds(Verified(authentic=authentic, fields=b"Authentication-Results: x\r\n")))
    envelope = f"EHLO c\r\nMAIL FROM:<id@{DOMAIN}>\r\nRCPT TO:<id@{DOMAIN}>\r\nDATA\r\n".encode()
    assert codes(envelope, OWN_MESSAGE, house=house)[-1] == code
    assert codes(b"EHLO c\r\n" + MAIL, OWN_MESSAGE, house=house)[-1] == code
    outside = f"EHLO c\r\nMAIL FROM:<id@{DOMAIN}>\r\nRCPT TO:<x@example.com>\r\n".encode()
    assert codes(outside, house=house)[-1] == "530"


def test_a_success_report_is_sent_to_whom_asked_and_to_nobody_else() -> None:
    house = House()
    head = b"EHLO c\r\n"
    for notify, reports in (("SUCCESS", 1), ("NEVER", 0), ("FAILURE", 0)):
        house.memory.accepted.clear()
        envelope = f"MAIL FROM:<id@{DOMAIN}> ENVID=E1\r\nRCPT TO:<주문@{DOMAIN}> NOTIFY={notify}\r\nDATA\r\n"
        smtputf8 = envelope.replace(" ENVID", " SMTPUTF8 ENVID").encode()
        assert codes(head, LOGIN, smtputf8, OWN_MESSAGE, house=house, listener=SUBMISSIONS)[-1] == "250"
        told = house.memory.bodies_of(house.id)
        assert len(told) == reports
    house.memory.accepted.clear()
    plain_envelope = f"MAIL FROM:<id@{DOMAIN}> ENVID=E1\r\nRCPT TO:<id@{DOMAIN}> NOTIFY=SUCCESS\r\nDATA\r\n".encode()
    codes(head, LOGIN, plain_envelope, OWN_MESSAGE, house=house, listener=SUBMISSIONS)
    report = house.memory.bodies_of(house.id)[1]
    assert b"multipart/report" in report
    assert b"Action: delivered" in report
    assert b"Original-Envelope-Id: E1" in report
    assert b"Return-Path: <>" in report


def test_success_at_an_alias_of_several_and_at_a_list_is_reported_as_what_it_is() -> None:
    house = House()
    house.memory.alias_rows.append(Alias(id=1, domain=DOMAIN, local="all", targets=(f"주문@{DOMAIN}", "x@example.com")))
    house.memory.list_rows.append(
        MailingList(id=1, domain=DOMAIN, local="news", members=(f"주문@{DOMAIN}",), mode=ListMode.PUBLIC)
    )
    for local, action in (("all", b"expanded"), ("news", b"delivered")):
        house.memory.accepted.clear()
        envelope = f"MAIL FROM:<id@{DOMAIN}>\r\nRCPT TO:<{local}@{DOMAIN}> NOTIFY=SUCCESS\r\nDATA\r\n".encode()
        assert codes(b"EHLO c\r\n", LOGIN, envelope, OWN_MESSAGE, house=house, listener=SUBMISSIONS)[-1] == "250"
        (report,) = house.memory.bodies_of(house.id)
        assert b"Action: " + action in report
        assert f"Final-Recipient: rfc822; {local}@{DOMAIN}".encode() in report


def test_secrets_and_lines_that_are_no_command_are_not_logged() -> None:
    house = House()
    secret = base64.b64encode(b"geheim").rstrip(b"=")
    house.talk(
        b"EHLO c\r\n",
        LOGIN,
        b"AUTH PLAIN\t" + secret + b"\r\n",
        b"AUTH " + secret + b"\r\n",
        secret + b"\r\n",
        b"geheim\r\n",
        listener=SUBMISSIONS,
    )
    text = "\n".join(record.text for record in house.records)
    for word in ("geheim", secret.decode(), LOGIN.split()[2].decode(), "비밀번호1"):
        assert word not in text
