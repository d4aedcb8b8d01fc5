"""SMTP sessions over a scripted connection: order, extensions, TLS, transactions, limits."""

from __future__ import annotations

import dataclasses

import pytest

from maild.settings import Limits
from maild.smtp.context import Verified
from maild.store import Alias, ListMode, MailingList, StoreFull, StoreUnavailable
from tests.lib.scripted import (
    DOMAIN,
    MAIL,
    MESSAGE,
    MX,
    SUBMISSIONS,
    Finds,
    House,
    codes,
    replies,
)


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
        (b"HELP x\r\nVRFY\r\nEXPN\r\n", ["214", "501", "502"]),
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


@pytest.mark.parametrize(
    ("chunks", "code"),
    [((b"x" * 3000,), "500 5.5.2"), ((b"EHLO c\r\n", b"AUTH PLAIN\r\n", b"x" * 13_000), "500 5.5.6")],
)
def test_a_line_without_end_ends_the_session(chunks: tuple[bytes, ...], code: str) -> None:
    connection = House().talk(*chunks, listener=SUBMISSIONS)
    assert replies(connection)[-1].startswith(code)
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


def test_recipients_beyond_the_limit_do_not_cost_the_message_its_session() -> None:
    """RFC 5321 section 4.5.3.1.10: the client sends to those that were taken, and to the others later."""
    house = House(limits=Limits(recipients=100, errors_per_session=3))
    envelope = b"EHLO c\r\nMAIL FROM:<a@example.org>\r\n" + b"RCPT TO:<id@xn--9t4b11yi5a.net>\r\n" * 110 + b"DATA\r\n"
    said = codes(envelope, MESSAGE, house=house)
    assert said.count("452") == 10
    assert said[-2:] == ["354", "250"]
    endless = b"EHLO c\r\nMAIL FROM:<a@example.org>\r\n" + b"RCPT TO:<id@xn--9t4b11yi5a.net>\r\n" * 300
    said = codes(endless, house=house)
    assert said[-2:] == ["452", "421"]
    assert said.count("452") == 103


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


def test_what_the_checks_refuse_is_refused_and_a_kept_copy_goes_to_rejects_alone() -> None:
    for kept in (False, True):
        house = House(verifier=Finds(Verified(refusal="550 5.7.1 no", kept=kept)))
        assert codes(b"EHLO c\r\n" + MAIL, MESSAGE, house=house)[-1] == "550"
        assert len(house.memory.accepted) == kept


@pytest.mark.parametrize("local", ["away", "news", "news-unsubscribe"])
def test_a_refused_message_is_sent_on_to_nobody_by_alias_or_list(local: str) -> None:
    house = House(verifier=Finds(Verified(refusal="550 5.7.1 no", kept=True)))
    house.memory.alias_rows.append(Alias(domain=DOMAIN, local="away", targets=("me@example.com",)))
    members = ("a@example.org", "b@example.org")
    house.memory.list_rows.append(MailingList(domain=DOMAIN, local="news", members=members, mode=ListMode.PUBLIC))
    envelope = MAIL.replace(b"<id@", f"<{local}@".encode())
    assert replies(house.talk(b"EHLO c\r\n" + envelope, MESSAGE))[-1] == "550 5.7.1 no"
    assert house.memory.accepted == []


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
