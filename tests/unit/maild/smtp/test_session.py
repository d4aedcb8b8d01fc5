"""SMTP sessions over a scripted connection: order, extensions, TLS, login, transactions, limits."""

from __future__ import annotations

import base64
import dataclasses
import ipaddress

import pytest

from maild.settings import Limits
from maild.smtp.context import Verified
from maild.store import Alias, Direction, IPRange, StoreFull, StoreUnavailable
from tests.lib.scripted import MX, SUBMISSION, SUBMISSIONS, Finds, House, plain, replies

DOMAIN = "xn--9t4b11yi5a.net"
LOGIN = plain("id@테스트.net", "비밀번호1")
MAIL = b"MAIL FROM:<a@example.org>\r\nRCPT TO:<id@xn--9t4b11yi5a.net>\r\nDATA\r\n"
OWN_MAIL = b"MAIL FROM:<id@xn--9t4b11yi5a.net>\r\nRCPT TO:<id@xn--9t4b11yi5a.net>\r\nDATA\r\n"
MESSAGE = b"From: a@example.org\r\nSubject: x\r\n\r\nbody\r\n.\r\n"
OWN_MESSAGE = b"From: id@xn--9t4b11yi5a.net\r\nSubject: x\r\n\r\nbody\r\n.\r\n"


def codes(*chunks: bytes, house: House | None = None, **more: object) -> list[str]:
    connection = (house or House()).talk(*chunks, **more)  # type: ignore[arg-type]
    return [line[:3] for line in replies(connection)]


def test_port_25_offers_starttls_and_no_auth() -> None:
    said = bytes(House().talk(b"EHLO client.example\r\n").sent).decode()
    assert "250-STARTTLS" in said
    assert "AUTH" not in said
    for word in (
        "PIPELINING",
        "SIZE 52428800",
        "8BITMIME",
        "SMTPUTF8",
        "ENHANCEDSTATUSCODES",
        "CHUNKING",
        "DSN",
        "LIMITS",
    ):
        assert word in said


@pytest.mark.parametrize("listener", [MX, SUBMISSION, SUBMISSIONS])
def test_auth_is_offered_only_under_tls_where_it_is_on(listener: object) -> None:
    for tls in (False, True):
        said = bytes(House().talk(b"EHLO c\r\n", listener=listener, tls=tls).sent).decode()  # type: ignore[arg-type]
        encrypted = tls or listener is SUBMISSIONS
        assert ("AUTH PLAIN LOGIN" in said) == (encrypted and listener is not MX)
        assert ("STARTTLS" in said) == (not encrypted)


def test_auth_on_25_is_refused_even_under_tls() -> None:
    assert codes(b"EHLO c\r\n", LOGIN, tls=True) == ["220", "250", "502"]


@pytest.mark.parametrize(
    ("commands", "expected"),
    [
        (b"MAIL FROM:<a@b.c>\r\n", ["503"]),
        (b"HELO\r\n", ["501"]),
        (b"EHLO a b\r\n", ["501"]),
        (b"HELO c\r\nRCPT TO:<a@b.c>\r\n", ["250", "503"]),
        (b"HELO c\r\nDATA\r\n", ["250", "503"]),
        (b"EHLO c\r\nMAIL FROM:<a@b.c>\r\nDATA\r\n", ["250", "250", "554"]),
        (b"EHLO c\r\nMAIL FROM:<a@b.c>\r\nMAIL FROM:<a@b.c>\r\n", ["250", "250", "503"]),
        (b"EHLO c\r\nMAIL FROM:<a@b.c>\r\nRSET\r\nMAIL FROM:<>\r\n", ["250", "250", "250", "250"]),
        (b"NOOP\r\nNOOP x\r\nHELP\r\nVRFY a\r\nEXPN a\r\nTURN\r\n", ["250", "250", "214", "252", "502", "500"]),
        (b"EHLO c\r\nMAIL FROM:<a@b.c> SIZE=99999999999\r\n", ["250", "552"]),
        (b"EHLO c\r\nMAIL FROM:<a@b.c>\r\nRCPT TO:<nobody@xn--9t4b11yi5a.net>\r\n", ["250", "250", "550"]),
        (b"EHLO c\r\nMAIL FROM:<a@b.c>\r\nRCPT TO:<x@example.com>\r\n", ["250", "250", "550"]),
        (b"DATA now\r\nRSET now\r\nSTARTTLS now\r\n", ["501", "501", "501"]),
        (b"QUIT\r\nNOOP\r\n", ["221"]),
    ],
)
def test_commands_in_and_out_of_order(commands: bytes, expected: list[str]) -> None:
    assert codes(commands)[1:] == expected


def test_mail_from_outside_reaches_the_mailbox_with_its_trace() -> None:
    house = House()
    assert codes(b"EHLO client.example\r\n" + MAIL, MESSAGE + b"QUIT\r\n", house=house)[-3:] == ["354", "250", "221"]
    (stored,) = house.memory.bodies_of(house.id)
    assert stored.startswith(
        b"Return-Path: <a@example.org>\r\nReceived: from client.example ([192.0.2.1])\r\n\tby smtp."
    )
    assert stored.endswith(b"\r\n\r\nbody\r\n")
    assert b"with ESMTP\r\n" in stored
    assert f"for <id@{DOMAIN}>".encode() in stored


def test_a_message_makes_its_way_known_when_it_begins_and_when_it_has_come() -> None:
    house = House()
    house.talk(b"EHLO client.example\r\nNOOP\r\n")
    assert house.arrivals == 0
    house.talk(b"EHLO client.example\r\n" + MAIL)
    assert house.arrivals == 1
    house.talk(b"EHLO client.example\r\n" + MAIL, MESSAGE)
    assert house.arrivals == 3


@pytest.mark.parametrize(
    "recipient", ["id@테스트.co.kr", "ID@테스트.net", "id+tag@테스트.net", f"id@{DOMAIN}", '"id"@테스트.net']
)
def test_every_spelling_reaches_one_mailbox(recipient: str) -> None:
    house = House()
    envelope = f"EHLO c\r\nMAIL FROM:<a@example.org> SMTPUTF8\r\nRCPT TO:<{recipient}>\r\nDATA\r\n".encode()
    house.talk(envelope, MESSAGE)
    assert len(house.memory.bodies_of(house.id)) == 1


def test_the_same_recipient_twice_is_one_copy() -> None:
    house = House()
    house.talk(
        b"EHLO c\r\nMAIL FROM:<a@example.org>\r\n" + b"RCPT TO:<id@xn--9t4b11yi5a.net>\r\n" * 2 + b"DATA\r\n", MESSAGE
    )
    assert len(house.memory.bodies_of(house.id)) == 1


@pytest.mark.parametrize("recipient", ["postmaster", f"postmaster@{DOMAIN}", "abuse@xn--9t4b11yi5a.co.kr"])
def test_the_role_addresses_always_reach_a_mailbox(recipient: str) -> None:
    house = House()
    house.talk(f"EHLO c\r\nMAIL FROM:<>\r\nRCPT TO:<{recipient}>\r\nDATA\r\n".encode(), MESSAGE)
    assert len(house.memory.accepted) == 1
    assert house.memory.accepted[0][0].deliveries


def test_bytes_between_crlf_and_the_end_are_kept_as_they_are() -> None:
    house = House()
    body = b"From: a@example.org\r\n\r\n..two\r\n.\xff\xfe 8bit\r\n\r\n"
    house.talk(b"EHLO c\r\n" + MAIL, body.replace(b"\r\n.", b"\r\n..") + b".\r\n")
    assert house.memory.bodies_of(house.id)[0].endswith(body)
    assert house.memory.accepted[0][0].body == b""
    assert house.memory.budget.held == 0


def test_bdat_in_chunks_with_pipelining() -> None:
    house = House()
    first, second = b"From: a@example.org\r\n\r\n.not stuffed\r", b"\nrest"
    said = codes(
        b"EHLO c\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<id@xn--9t4b11yi5a.net>\r\n"
        + b"BDAT %d\r\n%bBDAT %d LAST\r\n%bNOOP\r\n" % (len(first), first, len(second), second),
        house=house,
    )
    assert said[-4:] == ["250", "250", "250", "250"]
    assert house.memory.accepted[0][1] == first + second + b"\r\n"


def test_bdat_without_a_transaction_is_read_and_refused() -> None:
    assert codes(b"EHLO c\r\nBDAT 6 LAST\r\nQUIT\r\nNOOP\r\n")[1:] == ["250", "503", "250"]


def test_data_and_rcpt_after_bdat_has_begun_are_refused() -> None:
    said = codes(
        b"EHLO c\r\nMAIL FROM:<a@example.org>\r\nRCPT TO:<id@xn--9t4b11yi5a.net>\r\nBDAT 4\r\nabcdDATA\r\n"
        b"RCPT TO:<id@xn--9t4b11yi5a.net>\r\nRSET\r\nNOOP\r\n"
    )
    assert said[-4:] == ["503", "503", "250", "250"]


def test_starttls_forgets_everything_said_before_and_what_was_sent_ahead() -> None:
    house = House()
    said = codes(
        b"EHLO c\r\nSTARTTLS\r\nMAIL FROM:<injected@example.org>\r\n",
        b"MAIL FROM:<a@example.org>\r\nEHLO c\r\nSTARTTLS\r\n",
        house=house,
        listener=MX,
    )
    assert said == ["220", "250", "220", "503", "250", "503"]


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


@pytest.mark.parametrize("bad", [b"a\nb\r\n", b"a\rb\r\n", b"\n.\n\r\n", b"\0\r\n"])
def test_a_message_with_bare_ends_or_nul_is_refused_and_the_session_goes_on(bad: bytes) -> None:
    house = House()
    said = codes(b"EHLO c\r\n" + MAIL, b"From: a@example.org\r\n\r\n" + bad + b".\r\nNOOP\r\n", house=house)
    assert said[-2:] == ["550", "250"]
    assert not house.memory.accepted


@pytest.mark.parametrize("line", [b"NOOP\n", b"NO\rOP\r\n", b"NOOP\r\r\n"])
def test_a_command_with_a_bare_end_ends_the_session(line: bytes) -> None:
    connection = House().talk(line, b"NOOP\r\n")
    assert replies(connection)[-1].startswith("521")
    assert not connection.alive


def test_a_line_without_end_ends_the_session() -> None:
    connection = House().talk(b"x" * 3000)
    assert replies(connection)[-1].startswith("500 5.5.6")
    assert not connection.alive


def test_a_message_over_the_limit_is_refused_and_small_ones_do_not_add_up() -> None:
    house = House(limits=Limits(message_bytes=65536))
    large = b"From: a@example.org\r\n\r\n" + b"x" * 70_000 + b"\r\n.\r\n"
    assert codes(b"EHLO c\r\n" + MAIL, large, house=house)[-1] == "552"
    small = b"From: a@example.org\r\n\r\n" + b"x" * 40_000 + b"\r\n.\r\n"
    assert codes(b"EHLO c\r\n" + MAIL, small, MAIL, small, house=house)[-1] == "250"


def test_bytes_beyond_the_budget_are_a_temporary_refusal_and_come_back() -> None:
    house = House(limits=Limits(unfinished_bytes=1024 * 1024))
    message = b"From: a@example.org\r\n\r\n" + b"x" * 2_000_000 + b"\r\n.\r\n"
    assert codes(b"EHLO c\r\n" + MAIL, message, MAIL, MESSAGE, house=house)[-4:] == ["250", "250", "354", "250"]


def test_a_large_message_is_staged() -> None:
    house = House()
    body = b"From: a@example.org\r\n\r\n" + b"x" * 3_000_000 + b"\r\n"
    assert codes(b"EHLO c\r\n" + MAIL, body + b".\r\n", house=house)[-1] == "250"
    assert house.memory.bodies_of(house.id)[0].endswith(body)
    assert house.memory.accepted[0][0].body == b""
    assert house.memory.budget.held == 0


def test_recipients_messages_and_errors_are_bounded() -> None:
    house = House(limits=Limits(recipients=100, messages_per_session=1, errors_per_session=3))
    rcpt = b"RCPT TO:<id@xn--9t4b11yi5a.net>\r\n"
    assert codes(b"EHLO c\r\nMAIL FROM:<a@b.c>\r\n" + rcpt * 101, house=house)[-2:] == ["250", "452"]
    assert codes(b"EHLO c\r\n" + MAIL, MESSAGE + b"MAIL FROM:<a@b.c>\r\n", house=house)[-1] == "452"
    assert codes(b"X\r\nX\r\nNOOP\r\nX\r\n", house=house)[-2:] == ["500", "421"]


def test_a_full_mailbox_is_refused_at_rcpt_and_others_get_their_copy() -> None:
    house = House()
    index = house.memory.account_rows.index(house.order)
    house.memory.account_rows[index] = dataclasses.replace(house.order, quota_bytes=1)
    envelope = "EHLO c\r\nMAIL FROM:<a@b.c> SMTPUTF8 SIZE=100\r\nRCPT TO:<주문@테스트.net>\r\n"
    envelope += f"RCPT TO:<id@{DOMAIN}>\r\nDATA\r\n"
    assert codes(envelope.encode(), MESSAGE, house=house)[-4:] == ["552", "250", "354", "250"]


def full_house() -> House:
    """Everybody's mailbox is full; 주문 is postmaster, whom abuse and 대표 lead to as well."""
    house = House()
    rows = house.memory.account_rows
    rows[:] = [dataclasses.replace(each, quota_bytes=1) for each in rows]
    house.memory.alias_rows += [
        Alias(domain=DOMAIN, local=local, targets=(f"주문@{DOMAIN}",)) for local in ("postmaster", "abuse", "대표")
    ]
    return house


def said_to(house: House, sender: str, *recipients: str) -> list[str]:
    envelope = f"EHLO c\r\nMAIL FROM:<{sender}> SMTPUTF8 SIZE=100\r\n"
    envelope += "".join(f"RCPT TO:<{each}>\r\n" for each in recipients)
    return codes(envelope.encode(), b"DATA\r\n", MESSAGE, house=house)[3:]


@pytest.mark.parametrize("recipient", ["postmaster", f"postmaster@{DOMAIN}", "ABUSE@테스트.co.kr"])
def test_a_full_mailbox_still_takes_mail_for_a_role(recipient: str) -> None:
    house = full_house()
    assert said_to(house, "a@b.c", recipient) == ["250", "354", "250"]
    assert len(house.memory.bodies_of(house.order)) == 1


def test_a_full_postmaster_with_a_mailbox_of_its_own_takes_mail() -> None:
    house = House()
    own = house.memory.add_account("postmaster", DOMAIN, quota_bytes=1)
    assert said_to(house, "a@b.c", f"Postmaster@{DOMAIN}") == ["250", "354", "250"]
    assert len(house.memory.bodies_of(own)) == 1


def test_a_full_mailbox_takes_a_bounce_and_nothing_else() -> None:
    house = full_house()
    assert said_to(house, "", f"id@{DOMAIN}") == ["250", "354", "250"]
    assert said_to(house, "", "대표@테스트.net") == ["250", "354", "250"]
    assert said_to(house, "a@b.c", f"id@{DOMAIN}")[0] == "552"
    assert said_to(house, "a@b.c", "대표@테스트.net") == ["250", "354", "552"]
    assert len(house.memory.accepted) == 2


def test_a_role_among_the_recipients_opens_no_full_mailbox_for_the_others() -> None:
    house = full_house()
    house.memory.alias_rows.append(Alias(domain=DOMAIN, local="info", targets=(f"id@{DOMAIN}",)))
    assert said_to(house, "a@b.c", f"abuse@{DOMAIN}", f"info@{DOMAIN}") == ["250", "250", "354", "552"]
    assert house.memory.accepted == []


@pytest.mark.parametrize("role", ["postmaster", "abuse"])
def test_a_role_of_a_domain_with_nobody_reaches_the_servers_postmaster(role: str) -> None:
    house = House()
    house.memory.add_domain("empty.kr")
    house.memory.add_account("gone", "empty.kr", active=False)
    house.memory.alias_rows.append(Alias(domain=DOMAIN, local="postmaster", targets=(f"주문@{DOMAIN}",)))
    assert said_to(house, "a@b.c", f"{role}@empty.kr") == ["250", "354", "250"]
    assert len(house.memory.bodies_of(house.order)) == 1
    assert said_to(house, "a@b.c", "gone@empty.kr")[0] == "550"


@pytest.mark.parametrize("target", ["gone@테스트.net", "abuse@테스트.net"])
def test_a_role_whose_alias_leads_to_nobody_reaches_who_looks_after_the_domain(target: str) -> None:
    house = House()
    house.memory.alias_rows += [
        Alias(domain=DOMAIN, local="abuse", targets=(target,)),
        Alias(domain=DOMAIN, local="info", targets=("gone@테스트.net",)),
    ]
    assert said_to(house, "a@b.c", f"abuse@{DOMAIN}") == ["250", "354", "250"]
    assert len(house.memory.bodies_of(house.id)) == 1
    assert said_to(house, "a@b.c", f"info@{DOMAIN}") == ["250", "354", "550"]


@pytest.mark.parametrize(("error", "code"), [(StoreUnavailable(), "451"), (StoreFull(), "452")])
def test_a_store_in_trouble_is_a_temporary_refusal(error: Exception, code: str) -> None:
    house = House()
    house.memory.error = error
    assert codes(b"EHLO c\r\nMAIL FROM:<a@b.c>\r\n", house=house)[-1] == "451"
    house.memory.error = None
    original = house.memory.accept

    async def failing(incoming: object) -> object:
        del incoming
        raise error

    house.memory.accept = failing  # type: ignore[method-assign,assignment]
    assert codes(b"EHLO c\r\n" + MAIL, MESSAGE, house=house)[-1] == code
    house.memory.accept = original  # type: ignore[method-assign]


def test_a_domain_s_own_limit_holds_with_and_without_size() -> None:
    house = House()
    name, domain = DOMAIN, house.memory.domain_rows[DOMAIN]
    house.memory.domain_rows[name] = dataclasses.replace(domain, message_bytes=1000)
    envelope = f"EHLO c\r\nMAIL FROM:<a@example.org> SIZE=2000\r\nRCPT TO:<id@{DOMAIN}>\r\n".encode()
    assert codes(envelope, house=house)[-1] == "552"
    large = b"From: a@example.org\r\n\r\n" + b"x" * 2000 + b"\r\n.\r\n"
    assert codes(b"EHLO c\r\n" + MAIL, large, house=house)[-1] == "552"
    assert codes(b"EHLO c\r\n" + MAIL, MESSAGE, house=house)[-1] == "250"


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
    assert codes(envelope, OWN_MESSAGE, house=house, peer="198.51.100.1")[-1] == "550"


@pytest.mark.parametrize(("authentic", "code"), [(True, "250"), (False, "550")])
def test_dmarc_decides_whether_a_stranger_is_one_of_us(code: str, *, authentic: bool) -> None:
    house = House(verifier=Finds(Verified(authentic=authentic, fields=b"Authentication-Results: x\r\n")))
    envelope = f"EHLO c\r\nMAIL FROM:<id@{DOMAIN}>\r\nRCPT TO:<id@{DOMAIN}>\r\nDATA\r\n".encode()
    assert codes(envelope, OWN_MESSAGE, house=house)[-1] == code
    assert codes(b"EHLO c\r\n" + MAIL, OWN_MESSAGE, house=house)[-1] == code
    outside = f"EHLO c\r\nMAIL FROM:<id@{DOMAIN}>\r\nRCPT TO:<x@example.com>\r\n".encode()
    assert codes(outside, house=house)[-1] == "530"


def test_what_the_checks_refuse_is_refused_and_a_kept_copy_goes_to_rejects_alone() -> None:
    for kept in (False, True):
        house = House(verifier=Finds(Verified(refusal="550 5.7.1 no", kept=kept)))
        assert codes(b"EHLO c\r\n" + MAIL, MESSAGE, house=house)[-1] == "550"
        assert len(house.memory.accepted) == kept


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


def test_a_loop_ends() -> None:
    house = House(limits=Limits(hops=30))
    message = b"Received: from a by b; date\r\n" * 31 + b"From: a@example.org\r\n\r\n.\r\n"
    assert codes(b"EHLO c\r\n" + MAIL, message, house=house)[-1] == "554"


def test_a_client_that_leaves_in_data_leaves_nothing() -> None:
    house = House()
    house.talk(b"EHLO c\r\n" + MAIL, b"From: a@example.org\r\n\r\nhalf")
    assert not house.memory.accepted


def test_commands_sent_together_are_answered_together() -> None:
    connection = House().talk(b"EHLO c\r\nMAIL FROM:<a@b.c>\r\nRCPT TO:<id@xn--9t4b11yi5a.net>\r\nNOOP\r\n")
    assert connection.writes == 2


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
