"""Every parser of the daemon that reads what a stranger wrote, as fuzz targets."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from pathlib import Path

from maild.delivery import destination, srs, sts
from maild.dns import names as dns_names
from maild.imap import attributes, criteria, framing
from maild.imap import names as imap_names
from maild.imap.errors import ImapError
from maild.imap.parser import Parser
from maild.imap.sequences import SequenceSet
from maild.log.record import Record, as_json, as_line
from maild.mail import (
    address,
    charset,
    dates,
    domain,
    dsn,
    header,
    mailboxes,
    media,
    message_id,
    structure,
    subject,
    summary,
    words,
    xtext,
)
from maild.policy import sasl, scram
from maild.settings import SettingsError
from maild.settings import parse as parse_settings
from maild.smtp import client_data, client_reply, grammar
from maild.smtp.body import Body, DotReader
from maild.verify import message as verified
from maild.verify import results, tags
from maild.verify.dkim import public_key, signature
from maild.verify.dmarc import aggregate, packed, tls
from maild.verify.dmarc import record as dmarc_record
from maild.verify.spf import macro
from maild.verify.spf import record as spf_record
from tests.fuzz.target import Target

DATA = Path(__file__).resolve().parent.parent / "data"
MESSAGES = tuple(path.read_bytes()[:3000] for path in sorted((DATA / "mail").glob("*.eml"))[:12]) or (
    b"From: a@b.c\r\n\r\nx\r\n",
)
ADDRESSES = (b"id@xn--9t4b11yi5a.net", "주문@테스트.net".encode(), b'"a b"@[IPv6:::1]', b"<@a,@b:c@d.e> SIZE=1")
KEY = bytes(32)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _dot_reader(data: bytes) -> None:
    """Any chunking reads the same."""
    whole, pieces = DotReader(Body(1 << 20)), DotReader(Body(1 << 20))
    rest = whole.feed(data)
    other = None
    step = 1 + len(data) % 7
    for start in range(0, len(data), step):
        other = pieces.feed(data[start : start + step])
        if other is not None:
            other += data[start + step :]
            break
    if data:
        assert (rest is None) == (other is None), "chunking changes the end"
        assert rest == other, "chunking changes what follows"


def _sent(data: bytes) -> None:
    """What is sent ends once and holds no bare line end."""
    wire = b"".join(client_data.pieces(data))
    assert (b"\r\n" + wire).find(b"\r\n.\r\n") == len(b"\r\n" + wire) - 5, "it ends early"
    rest = wire.replace(b"\r\n", b"")
    assert b"\r" not in rest, "bare CR"
    assert b"\n" not in rest, "bare LF"


def _logged(data: bytes) -> None:
    """One record is one line."""
    record = Record("SMTPD", 0.0, 1, 1, "192.0.2.1", _text(data))
    assert len(as_line(record).split("\t")) == 6, "a field was forged"
    assert not {"\r", "\n"} & set(as_line(record)), "a line was forged"
    assert b"\n" not in as_json(record), "a JSON line was forged"


_OPENED = scram.opening(b"n,,n=user,r=client")
_KEPT = scram.stand_in(b"key", "user")


def _sasl(data: bytes) -> None:
    sasl.plain(sasl.decoded(data))


def _scram(data: bytes) -> None:
    """Nothing that a client makes up is a proof."""
    with contextlib.suppress(scram.SCRAMError):
        scram.opening(data)
    assert scram.conclusion(_OPENED, scram.challenge(_OPENED, _KEPT, "server"), data, _KEPT) is None, "it was let in"


def _imap(data: bytes) -> None:
    for read in (attributes.parse, lambda parser: criteria.parse(parser, "UTF-8")):
        with contextlib.suppress(ImapError):
            read(Parser([data]))


def _addresses(data: bytes) -> None:
    for mailbox in mailboxes.flat(mailboxes.parse(data)):
        found = mailbox.address
        assert found is None or address.Address.parse(str(found)) == found, "not what it was"
        assert words.decode(mailbox.name) is not None


def _message(data: bytes) -> None:
    structure.scan(data)
    summary.summarise(data)
    list(header.fields(data))
    header.without(data, ["Bcc", "Received"])


def _author(data: bytes) -> None:
    splitter = verified.Splitter()
    splitter.feed(data)
    verified.author(splitter.finish())


def _signature(data: bytes) -> None:
    for field in verified.Headers.of(data).fields:
        signature.parse(field, 0.0)


def _commands(data: bytes) -> None:
    text = data.decode("utf-8", "replace")
    for read in (
        lambda: grammar.command(data),
        lambda: grammar.mail_from(f"FROM:{text}"),
        lambda: grammar.rcpt_to(f"TO:{text}", smtputf8=True),
        lambda: grammar.bdat(text),
        lambda: grammar.helo_name(text),
    ):
        reply = _refusal(read)
        assert reply.isascii(), "a reply outside ASCII"
        assert not {"\r", "\n"} & set(reply), "a reply of two lines"


def _refusal(read: Callable[[], object]) -> str:
    try:
        read()
    except grammar.Refused as refused:
        return refused.reply
    return ""


def _rewritten(data: bytes) -> None:
    text = "".join(data.decode("utf-8", "replace").split())[:60]
    srs.restore(address.Address.of(text or "x", "a.b"), [KEY], 0)


def _small(data: bytes) -> None:
    """The small readers that never raise."""
    text = data.decode("utf-8", "replace")
    media.parse(data, b"text/plain")
    media.disposition(data)
    message_id.read(data)
    dates.parse(text)
    dates.parse_internal(text)
    subject.base(text)
    charset.decode(data, text[:20])
    words.decode(data)
    assert words.encode(text).isascii(), "encoded words outside ASCII"
    dns_names.shown(text)
    dns_names.parents(text)
    client_reply.capabilities_of(text.split("\n"))
    framing.announced(data)
    domain.to_unicode(text)
    xtext.address_of(text)
    xtext.generic(text)
    assert xtext.sendable(text).isascii(), "an original recipient outside ASCII"


def _names(data: bytes) -> None:
    imap_names.decode(data, utf8=False)
    imap_names.decode(data, utf8=True)


TARGETS = (
    Target("addresses", _addresses, (*ADDRESSES, b'"x" <a@b.c>, g: d@e.f;', b"=?utf-8?b?7ZWc?= <a@b.c>")),
    Target("address", lambda data: address.Address.parse(_text(data)), ADDRESSES, (address.AddressError,)),
    Target("path", lambda data: address.parse_path(_text(data)), ADDRESSES, (address.AddressError,)),
    Target(
        "domain", lambda data: domain.to_ascii(_text(data)), ("테스트.net".encode(), b"a-b.c"), (domain.DomainError,)
    ),
    Target("message", _message, MESSAGES, words=(b"--=_", b"multipart/mixed", b"message/rfc822", b"boundary=")),
    Target(
        "small", _small, (b"text/plain; charset=euc-kr", b"Wed, 25 Nov 2026 12:00:00 +0900", b"=?euc-kr?B?x9Gx2w==?=")
    ),
    Target("delivery-status", dsn.read, MESSAGES, words=(b"Final-Recipient: rfc822;", b"Status: 5.1.1")),
    Target(
        "smtp-commands",
        _commands,
        (*ADDRESSES, b"<a@b.c> NOTIFY=NEVER ORCPT=rfc822;a+2Bb@c", b"12 LAST"),
        words=(b"SIZE=", b"BODY=8BITMIME", b"SMTPUTF8", b"RET=FULL", b"ENVID=", b"ORCPT=utf-8;", b"\\x{C8FC}"),
    ),
    Target(
        "smtp-body",
        _dot_reader,
        (b"a\r\n..b\r\n.\r\nQUIT", b".\r\n", b"\n.\n"),
        words=(b"\r\n.", b"\r\n..", b"\r\n.\r\n"),
    ),
    Target("smtp-sent", _sent, (b"a\r\n.b\r\n", b".\n.\n", b"\r"), words=(b"\r\n.", b"\n.\n", b"\r.\r")),
    Target("sasl", _sasl, (b"AGEAYg==", b"="), (sasl.SASLError,)),
    Target(
        "scram",
        _scram,
        (b"n,a=a,n=a=2Cb,r=x", b"c=biws,r=clientserver,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ="),
        (scram.SCRAMError,),
        words=(b"n,,", b"p=", b"=2C", b"c=biws", b",r="),
    ),
    Target(
        "imap-arguments",
        _imap,
        (b"(FLAGS BODY.PEEK[1.2.HEADER.FIELDS (A)]<0.9>)", b"OR (NOT SEEN) UID 1:*,5 SINCE 1-Jan-2026"),
        words=(b"BODY[", b"HEADER.FIELDS", b"OR ", b"NOT ", b"1:*", b"BINARY.PEEK[", b"CHARSET UTF-8 ", b"MODSEQ "),
    ),
    Target("imap-sequence", SequenceSet.parse, (b"1:*,5,7:9", b"*"), (ImapError,)),
    Target("imap-names", _names, (b"&1VyuAA-/x", "받은편지함".encode(), b"&"), (ImapError,)),
    Target(
        "spf-record",
        spf_record.parse,
        (b"v=spf1 ip4:192.0.2.0/24 include:%{d}.x -all", b"v=spf1 redirect=a.b exp=c.d"),
        (spf_record.RecordError, macro.MacroError),
        (b"a:", b"mx/24//64", b"exists:", b"%{ir}", b"%{l1r+-}"),
    ),
    Target(
        "dmarc-record",
        dmarc_record.parse,
        (b"v=DMARC1; p=reject; rua=mailto:a@b.c!10m; psd=y", b"v=DMARC1;"),
        (tags.TagError,),
    ),
    Target(
        "dkim-key",
        lambda data: public_key.read(data, "rsa-sha256"),
        (b"v=DKIM1; k=rsa; p=MFww", b"p="),
        (signature.SignatureError,),
    ),
    Target("tags", lambda data: tags.parse(_text(data)), (b"v=1; a=b; c = d e", b";"), (tags.TagError,)),
    Target(
        "results",
        results.parse,
        (b"mx.x; spf=pass smtp.mailfrom=a@b; dkim=fail (c) header.d=x",),
        (results.ResultsError,),
    ),
    Target("author", _author, MESSAGES),
    Target(
        "dkim-signature",
        _signature,
        (b"DKIM-Signature: v=1; a=rsa-sha256; d=a.b; s=c; h=from; bh=AA==; b=AA==\r\n\r\n",),
        (signature.SignatureError,),
    ),
    Target("dmarc-report", aggregate.parse, (b"<feedback><report_metadata/></feedback>",), (packed.ReportError,)),
    Target("tls-report", tls.parse, (b'{"organization-name":"x","policies":[]}',), (packed.ReportError,)),
    Target("packed-report", packed.unpacked, (b"\x1f\x8b\x08\0", b"PK\x03\x04"), (packed.ReportError,)),
    Target("sts-policy", sts.parse, (b"version: STSv1\nmode: enforce\nmx: *.a.b\nmax_age: 86400\n",), (sts.STSError,)),
    Target(
        "srs",
        _rewritten,
        (b"SRS0=AAAA=BB=c.d=e",),
        (srs.SRSError, address.AddressError),
    ),
    Target("destination", lambda data: destination.parse(_text(data)), (b"mx:a.b", b"list:a@b"), (ValueError,)),
    Target(
        "settings",
        lambda data: parse_settings(_text(data), Path("/x")),
        (b"hostname='a.b'\n[limits]\nrecipients=100\n",),
        (SettingsError,),
    ),
    Target("log-line", _logged, (b"RECEIVED: EHLO x", b"a\r\nb\tc\0")),
)
"""All targets; each has a corpus folder of its name when something was once found."""
