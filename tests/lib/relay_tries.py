"""The tries of the relay promise, by class: each is a client that wants mail to leave, or to come as someone else.

A try names the port, the login and the commands; the promise asserts that none of them ends in an accepted message.
"""

from __future__ import annotations

import base64
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from maild.delivery import srs
from maild.mail.address import Address
from tests.lib.daemon import PASSWORDS, TEST_CO_KR, TEST_NET

NET, CO_KR = "테스트.net", "테스트.co.kr"
OUT = "victim@example.com"
STRANGER = "MAIL FROM:<stranger@example.org> SMTPUTF8"
MESSAGE = b"From: stranger@example.org\r\nSubject: try\r\n\r\ntry"
PARTNER, PARTNER_TARGET = "partner", "member@example.org"
"""An alias of ours that leads outside, and where to; another one, ``former``, is switched off."""
SRS_KEY = bytes(range(32))
"""The daemon's, so that a hash can be right."""


@dataclass(frozen=True)
class Try:
    """One try. Its client goes on whatever it is told; without a message its last command must be refused."""

    name: str
    commands: tuple[bytes | str, ...]
    message: bytes | None = MESSAGE
    port: str = "smtp"
    user: str = ""
    tls: bool = True


def to_outside(name: str, recipient: str, sender: str = STRANGER, **more: str) -> Try:
    """A try to reach a recipient."""
    return Try(f"{name}: {recipient}", (sender, f"RCPT TO:<{recipient}>"), **more)  # type: ignore[arg-type]


def source_routes() -> Iterator[Try]:
    """Routes that RFC 5321 wants ignored."""
    for route in (NET, TEST_NET, f"{NET},@relay.example", "127.0.0.1", f"localhost,@{CO_KR}", "[127.0.0.1]"):
        yield to_outside("source route", f"@{route}:{OUT}")
    yield to_outside("source route", f"@{NET}:victim%example.com@example.com")


def percent_paths() -> Iterator[Try]:
    """The percent hack of old relays."""
    for local in ("victim%example.com", "victim%example.com%relay.example", "%example.com", "a%b%c%example.com"):
        yield to_outside("percent", f"{local}@{NET}")
    yield to_outside("percent", f"victim%example.com@{CO_KR}")
    yield to_outside("percent", "victim%example.com@[127.0.0.1]")


def bang_paths() -> Iterator[Try]:
    """UUCP paths."""
    for local in (
        "example.com!victim",
        "relay.example!example.com!victim",
        f"{TEST_NET}!example.com!victim",
        "!victim",
    ):
        yield to_outside("bang", f"{local}@{NET}")
    yield to_outside("bang", f"example.com!victim%example.com@{CO_KR}")


def quoted_locals() -> Iterator[Try]:
    """A foreign address inside a quoted local part of ours."""
    for local in (
        OUT,
        "victim%example.com",
        "example.com!victim",
        f"@example.com:{OUT}",
        f"<{OUT}>",
        f"id@{NET}>,<{OUT}",
    ):
        yield to_outside("quoted", f'"{local}"@{NET}')
    yield to_outside("quoted", '"id"@example.com')


def null_senders() -> Iterator[Try]:
    """The null sender is no ticket."""
    for recipient in (OUT, f"@{NET}:{OUT}", f"victim%example.com@{NET}", "victim@[192.0.2.1]", "주문@example.com"):
        yield to_outside("null sender", recipient, "MAIL FROM:<> SMTPUTF8")


def local_senders() -> Iterator[Try]:
    """A local sender without login opens nothing, inwards or outwards."""
    for local, domain in (
        ("id", NET),
        ("주문", NET),
        ("id", CO_KR),
        ("postmaster", NET),
        ("nobody", NET),
        ("id+x", TEST_NET),
    ):
        yield to_outside("local sender out", OUT, f"MAIL FROM:<{local}@{domain}> SMTPUTF8")
        yield to_outside("local sender in", f"주문@{NET}", f"MAIL FROM:<{local}@{domain}> SMTPUTF8")


def look_alikes() -> Iterator[Try]:
    """Names that look like ours and are not."""
    for domain in (
        "tеst.net",
        "테스트.nеt",
        "테스트.net.example.com",
        "테스트-.net",
        "xn--9t4b11yi5b.net",
        "테스\u200b트.net.evil.example",
    ):
        yield to_outside("look-alike recipient", f"id@{domain}")
    for domain in ("테스트。net", "테스트．net", "XN--9T4B11YI5A.NET"):
        yield to_outside("spelling of ours as sender", f"주문@{NET}", f"MAIL FROM:<id@{domain}> SMTPUTF8")


def literals() -> Iterator[Try]:
    """Address literals are not ours to deliver to."""
    for literal in (
        "[127.0.0.1]",
        "[192.0.2.1]",
        "[IPv6:::1]",
        "[IPv6:::ffff:127.0.0.1]",
        "[IPv6:2001:db8::1]",
        "[localhost]",
        f"[{TEST_NET}]",
    ):
        yield to_outside("literal", f"id@{literal}")


def envelope_of_another() -> Iterator[Try]:
    """AUTH as A, MAIL FROM as B."""
    for sender in (
        f"주문@{NET}",
        f"other@{NET}",
        f"sales@{NET}",
        f"postmaster@{CO_KR}",
        "id@example.org",
        f"주문+id@{NET}",
        f'"id@{TEST_NET}"@example.org',
    ):
        yield Try(
            f"envelope of {sender}",
            (f"MAIL FROM:<{sender}> SMTPUTF8", f"RCPT TO:<{OUT}>"),
            port="submissions",
            user="id",
            message=f"From: id@{NET}\r\n\r\nx".encode(),
        )


def header_of_another() -> Iterator[Try]:
    """AUTH as A, header From as B, in every way a header can be written."""
    own = f"id@{TEST_NET}"
    for header in (
        f"From: 주문@{NET}",
        f"From: {own}\r\nFrom: 주문@{NET}",
        f"From: {own}, 주문@{NET}",
        f"From: {own}\r\nSender: 주문@{NET}",
        f"From: {own}\r\nResent-From: 주문@{NET}",
        f'From: "{own}" <boss@{NET}>',
        f"From: boss@\r\n {TEST_NET}",
        f"From: (comment <{own}>) boss@{NET}",
        f"From: group: {own}, boss@{NET};",
        f"From : boss@{NET}",
        f"from:\tboss@{NET}",
        "From: =?utf-8?q?id=40?= <boss@example.org>",
        "Subject: nobody",
    ):
        yield Try(
            f"header {header!r}",
            (f"MAIL FROM:<{own}>", f"RCPT TO:<id@{TEST_NET}>"),
            port="submissions",
            user="id",
            message=f"{header}\r\n\r\nx".encode(),
        )


def strangers_as_us() -> Iterator[Try]:
    """A stranger whose header From is one of us."""
    for header in (
        f"From: id@{NET}",
        f"From: id@{TEST_CO_KR}",
        f"From: nobody@{NET}",
        f"From: x@example.org, id@{NET}",
        f"From: x@example.org\r\nFrom: id@{NET}",
        f"From: group: id@{NET};",
        f"From: (x@example.org) id@{NET}",
        f"From:\r\n =?utf-8?b?7Jq07JiB7J6Q?=\r\n <id@{TEST_NET}>",
        f"From: <@example.org:id@{NET}>",
        "From: id@XN--9T4B11YI5A.NET",
    ):
        yield Try(f"stranger as {header!r}", (STRANGER, f"RCPT TO:<주문@{NET}>"), f"{header}\r\n\r\nx".encode())


def without_login() -> Iterator[Try]:
    """The submission ports take nothing from strangers."""
    for port in ("submission", "submissions"):
        for sender in ("stranger@example.org", f"id@{TEST_NET}", ""):
            yield Try(f"{port} without login", (f"MAIL FROM:<{sender}>", f"RCPT TO:<id@{TEST_NET}>"), port=port)
    yield Try("587 in clear", (f"MAIL FROM:<id@{TEST_NET}>",), port="submission", tls=False)


def login_tricks() -> Iterator[Try]:
    """Logins where none is offered, of another, or half done."""
    good = base64.b64encode(f"\0id@{TEST_NET}\0{PASSWORDS['id']}".encode())
    other = base64.b64encode(f"주문@{TEST_NET}\0id@{TEST_NET}\0{PASSWORDS['id']}".encode())
    wrong = base64.b64encode(f"\0id@{TEST_NET}\0wrong".encode())
    yield Try("AUTH on 25", (b"AUTH PLAIN " + good,), None)
    yield Try("AUTH in clear on 587", (b"AUTH PLAIN " + good,), None, "submission", tls=False)
    yield Try("acting for another", (b"AUTH PLAIN " + other,), None, "submissions")
    yield Try("a wrong password", (b"AUTH PLAIN " + wrong,), None, "submissions")
    yield Try(
        "an empty password", (b"AUTH PLAIN " + base64.b64encode(f"\0id@{TEST_NET}\0".encode()),), None, "submissions"
    )
    yield Try("AUTH= on MAIL is no login", (f"MAIL FROM:<id@{TEST_NET}> AUTH=id@{TEST_NET}",), port="submissions")
    yield Try("a cancelled login", (b"AUTH PLAIN", b"*"), None, "submissions")


def rewritten(days_ago: int, domain: str = TEST_NET) -> str:
    """The sender that a mail of example.com's victim was forwarded with, its hash right and so many days old."""
    at = time.time_ns() // 1000 - days_ago * srs.MICROSECONDS_PER_DAY
    return str(srs.rewrite(Address.of("victim", "example.com"), domain, SRS_KEY, at))


def rewritten_senders() -> Iterator[Try]:
    """SRS addresses with a bad, expired or missing hash, or used for anything but bounces."""
    for age in (srs.VALID_DAYS + 1, 30, 365):
        yield to_outside("expired SRS", rewritten(age), "MAIL FROM:<>")
    fresh = rewritten(0)
    yield to_outside("SRS for more than a bounce", fresh)
    yield to_outside(
        "SRS with its day moved", rewritten(30).replace(*(_day_of(each) for each in (rewritten(30), fresh)))
    )
    yield to_outside("SRS of another address", fresh.replace("victim", "target"), "MAIL FROM:<>")
    for local in (
        "SRS0=AAAAAAAAAAAA=AA=example.com=victim",
        "SRS0=AAAA=AA=example.com=victim",
        "srs0=abcdefghijkl=ZZ=example.com=victim",
        "SRS0==AA=example.com=victim",
        "SRS0=example.com=victim",
        "SRS1=AAAA=relay.example==AAAA=AA=example.com=victim",
        "SRS0+AAAAAAAAAAAA=AA=example.com=victim",
    ):
        yield to_outside("SRS", f"{local}@{NET}", "MAIL FROM:<>")
        yield to_outside("SRS", f"{local}@{CO_KR}")


def _day_of(address: str) -> str:
    return f"={address.split('=')[2]}="


def aliases() -> Iterator[Try]:
    """An alias that leads outside opens no other way there, and its name is nobody's to write under."""
    for recipient in (
        PARTNER_TARGET,
        f"{PARTNER}%example.com@{NET}",
        f"example.com!{PARTNER}@{NET}",
        f"@{NET}:{PARTNER_TARGET}",
        f'"{PARTNER_TARGET}"@{NET}',
        f"{PARTNER}@example.org@{NET}",
        f"former@{NET}",
        f"former@{CO_KR}",
    ):
        yield to_outside("alias", recipient)
    for local in (PARTNER, "sales", "postmaster"):
        yield to_outside("envelope of an alias", f"주문@{NET}", f"MAIL FROM:<{local}@{NET}> SMTPUTF8")
        message = f"From: {local}@{NET}\r\n\r\nx".encode()
        yield Try(f"header of {local}", (STRANGER, f"RCPT TO:<주문@{NET}>"), message)


def lists() -> Iterator[Try]:
    """Lists take mail from those who may write to them."""
    for local in ("members", "news", "all"):
        yield to_outside("list as a stranger", f"{local}@{NET}")
        yield to_outside("list with the null sender", f"{local}@{NET}", "MAIL FROM:<>")
        yield to_outside("list as a member of ours without login", f"{local}@{NET}", f"MAIL FROM:<id@{TEST_NET}>")


def malformed() -> Iterator[Try]:
    """Two addresses in one, and what may be read as such."""
    for recipient in (
        f"id@{TEST_NET}@example.com",
        f"id@{TEST_NET} {OUT}",
        f"id@{TEST_NET}>,<{OUT}",
        f"id@{TEST_NET}\0@example.com",
        f"id@{TEST_NET}\t{OUT}",
        f"id@{TEST_NET}.",
        f"id@example.com@{TEST_NET}",
        f"id@{TEST_NET}\r{OUT}",
        f"<{OUT}>",
    ):
        yield to_outside("malformed", recipient)


def commands() -> Iterator[Try]:
    """Data where no recipient was taken, and what is sent ahead of TLS."""
    yield Try("DATA after a refused recipient", (STRANGER, f"RCPT TO:<{OUT}>", "DATA"), None)
    yield Try("BDAT after a refused recipient", (STRANGER, f"RCPT TO:<{OUT}>", "BDAT 3 LAST\r\nabc"), None)
    yield Try("BDAT without RCPT", (STRANGER, "BDAT 3 LAST\r\nabc"), None)
    yield Try("BDAT without MAIL", ("BDAT 3 LAST\r\nabc",), None)
    yield Try("RCPT before MAIL", (f"RCPT TO:<{OUT}>",), None)
    yield Try("MAIL with RCPT in one", (f"MAIL FROM:<x@example.org>\rRCPT TO:<{OUT}>",), None)
    yield Try("XCLIENT", ("XCLIENT ADDR=127.0.0.1",), None)
    yield Try("PROXY", ("PROXY TCP4 10.0.0.1 10.0.0.2 1 25",), None)


CLASSES: Mapping[str, Callable[[], Iterator[Try]]] = {
    "source-routes": source_routes,
    "percent-paths": percent_paths,
    "bang-paths": bang_paths,
    "quoted-locals": quoted_locals,
    "null-sender": null_senders,
    "local-sender": local_senders,
    "look-alikes": look_alikes,
    "literals": literals,
    "envelope-of-another": envelope_of_another,
    "header-of-another": header_of_another,
    "stranger-as-us": strangers_as_us,
    "without-login": without_login,
    "login-tricks": login_tricks,
    "rewritten-senders": rewritten_senders,
    "aliases": aliases,
    "lists": lists,
    "malformed": malformed,
    "commands": commands,
}
