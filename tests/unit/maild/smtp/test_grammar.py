"""The command lines of SMTP: RFC 5321 whole, quoted local parts, literals, IDN in both forms, EAI, parameters."""

from __future__ import annotations

import contextlib
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maild.smtp import grammar
from maild.smtp.grammar import Refused

A_LABEL = "xn--9t4b11yi5a.net"


@pytest.mark.parametrize(
    ("argument", "sender"),
    [
        ("FROM:<>", None),
        ("FROM:<a@example.org>", "a@example.org"),
        ("from:<a@EXAMPLE.org>", "a@example.org"),
        ("FROM: <a@example.org>", "a@example.org"),
        ('FROM:<"a b"@example.org>', '"a b"@example.org'),
        (r'FROM:<"a\"b"@example.org>', r'"a\"b"@example.org'),
        ('FROM:<"a@b"@example.org>', '"a@b"@example.org'),
        ('FROM:<"plain"@example.org>', "plain@example.org"),
        ("FROM:<a+b/c'd=e@example.org>", "a+b/c'd=e@example.org"),
        ("FROM:<a@[192.0.2.1]>", "a@[192.0.2.1]"),
        ("FROM:<a@[IPv6:2001:db8::1]>", "a@[IPv6:2001:db8::1]"),
        ("FROM:<@relay.example,@other.example:a@example.org>", "a@example.org"),
        (f"FROM:<a@{A_LABEL}>", f"a@{A_LABEL}"),
        ("FROM:<주문@테스트.net> SMTPUTF8", f"주문@{A_LABEL}"),
        ("FROM:<a@테스트.net> SMTPUTF8", f"a@{A_LABEL}"),
    ],
)
def test_senders_that_are_read(argument: str, sender: str | None) -> None:
    read = grammar.mail_from(argument).sender
    assert (None if read is None else str(read)) == sender


@pytest.mark.parametrize(
    ("argument", "code"),
    [
        ("", "501"),
        ("a@example.org", "501"),
        ("FROM:a@example.org", "501"),
        ("FROM:<a@example.org", "501"),
        ("FROM:<a>", "501"),
        ("FROM:<@example.org>", "501"),
        ("FROM:<a@@example.org>", "501"),
        ("FROM:<a@b@example.org>", "501"),
        ("FROM:<.a@example.org>", "501"),
        ("FROM:<a..b@example.org>", "501"),
        ("FROM:<a b@example.org>", "501"),
        ("FROM:<a@-example.org>", "501"),
        ("FROM:<a@example.org.>", "501"),
        ("FROM:<a@[300.0.2.1]>", "501"),
        ("FROM:<a@[IPv6:zz]>", "501"),
        ("FROM:<a@example.org>SIZE=1", "501"),
        ("FROM:<a@example.org> SIZE", "501"),
        ("FROM:<a@example.org> SIZE=x", "501"),
        ("FROM:<a@example.org> SIZE=1 SIZE=2", "501"),
        ("FROM:<a@example.org> BODY=BINARYMIME", "501"),
        ("FROM:<a@example.org> SMTPUTF8=1", "501"),
        ("FROM:<a@example.org> RET=ALL", "501"),
        ("FROM:<a@example.org> ENVID=a+b", "501"),
        ("FROM:<a@example.org> FOO=1", "555"),
        ("FROM:<a@example.org> <b@example.org>", "501"),
        ("FROM:<주문@테스트.net>", "553"),
        ("FROM:<a@테스트.net>", "553"),
        (f"FROM:<{'a' * 65}@example.org>", "501"),
        (f"FROM:<a@{'b' * 64}.org>", "501"),
        (f"FROM:<a@{'.'.join(['b' * 60] * 5)}>", "501"),
    ],
)
def test_senders_that_are_refused(argument: str, code: str) -> None:
    with pytest.raises(Refused) as refused:
        grammar.mail_from(argument)
    assert refused.value.reply.startswith(code)
    assert refused.value.reply.isascii()


def test_every_parameter_of_mail() -> None:
    read = grammar.mail_from("FROM:<a@b.example> SIZE=123 body=8bitmime SMTPUTF8 RET=hdrs ENVID=QQ+2B1 AUTH=<>")
    assert (read.size, read.body, read.smtputf8, read.returns, read.envelope_id) == (
        123,
        "8BITMIME",
        True,
        "HDRS",
        "QQ+2B1",
    )


def test_every_parameter_of_rcpt() -> None:
    read = grammar.rcpt_to("TO:<a@b.example> NOTIFY=SUCCESS,delay ORCPT=rfc822;a+2Bb@b.example", smtputf8=False)
    assert read.notify == {"SUCCESS", "DELAY"}
    assert read.original == "rfc822;a+2Bb@b.example"


@pytest.mark.parametrize("text", [r"utf-8;\x{C8FC}\x{BB38}@b.example", "utf-8;주문@b.example"])
def test_orcpt_of_an_internationalised_address(text: str) -> None:
    assert grammar.rcpt_to(f"TO:<a@b.example> ORCPT={text}", smtputf8=True).original == text


@pytest.mark.parametrize("argument", ["TO:<postmaster>", "to:<Postmaster>", "TO: <POSTMASTER>"])
def test_the_bare_postmaster(argument: str) -> None:
    assert grammar.rcpt_to(argument, smtputf8=False).address is None


@pytest.mark.parametrize(
    "argument",
    [
        "TO:<>",
        "TO:<a>",
        "TO:<postmaster> x y",
        "TO:<a@b.example> NOTIFY=NEVER,SUCCESS",
        "TO:<a@b.example> NOTIFY",
        "TO:<a@b.example> ORCPT=x",
        "TO:<a@b.example> ORCPT=rfc822;a=b",
        r"TO:<a@b.example> ORCPT=utf-8;\x{D800}",
        "TO:<a@b.example> SIZE=1",
        "TO:a@b.example",
    ],
)
def test_recipients_that_are_refused(argument: str) -> None:
    with pytest.raises(Refused):
        grammar.rcpt_to(argument, smtputf8=False)


@pytest.mark.parametrize(
    ("line", "verb", "argument"),
    [
        (b"NOOP", "NOOP", ""),
        (b"quit  ", "QUIT", ""),
        (b"mail FROM:<a@b>", "MAIL", "FROM:<a@b>"),
        ("MAIL FROM:<주문@b>".encode(), "MAIL", "FROM:<주문@b>"),
        (b"STARTTLS ", "STARTTLS", ""),
    ],
)
def test_commands_that_are_read(line: bytes, verb: str, argument: str) -> None:
    assert grammar.command(line) == grammar.Command(verb, argument)


@pytest.mark.parametrize(
    "line", [b"", b" ", b"EHLO\tx", b"\x16\x03\x01", b"MAIL \xff", b"NOOP a\0b", b"GET / HTTP/1.1", b"toolongverb x"]
)
def test_lines_that_are_no_command(line: bytes) -> None:
    with pytest.raises(Refused) as refused:
        grammar.command(line)
    assert refused.value.reply.startswith("500")


@pytest.mark.parametrize(("argument", "value"), [("0", (0, False)), ("12 LAST", (12, True)), ("12 last", (12, True))])
def test_bdat(argument: str, value: tuple[int, bool]) -> None:
    assert grammar.bdat(argument) == value


@pytest.mark.parametrize("argument", ["", "-1", "x", "12 LASTX", "1 2 LAST", "٣"])
def test_bdat_that_is_none(argument: str) -> None:
    with pytest.raises(Refused):
        grammar.bdat(argument)


WORDS = st.text(st.sampled_from('aA<>@[]:;,."\\+= 0\x00\r\n\t주\U0001f600-FROMTSIZERCPNVD'), max_size=60)


@given(WORDS)
def test_any_argument_is_read_or_refused_in_ascii(text: str) -> None:
    for read in (
        lambda: grammar.mail_from(f"FROM:<{text}>"),
        lambda: grammar.mail_from(f"FROM:<a@b.c> {text}"),
        lambda: grammar.rcpt_to(f"TO:<{text}>", smtputf8=True),
        lambda: grammar.rcpt_to(f"TO:<a@b.c> {text}", smtputf8=False),
        lambda: grammar.bdat(text),
        lambda: grammar.helo_name(text),
    ):
        reply = refusal_of(read)
        assert reply.isascii()
        assert "\r" not in reply
        assert "\n" not in reply


def refusal_of(read: Callable[[], object]) -> str:
    """The reply of a refusal, empty when there is none."""
    try:
        read()
    except Refused as refused:
        return refused.reply
    return ""


@given(st.binary(max_size=80))
def test_any_line_is_a_command_or_refused(line: bytes) -> None:
    with contextlib.suppress(Refused):
        grammar.command(line)
