"""A signed message and the ways to spoil it, for the table of RFC 6376: one thing is changed, one result comes out."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from pathlib import Path

import dkim as dkimpy

from maild.verify import Peer, check_message
from maild.verify.dkim import Check, SigningKey
from maild.verify.dkim.canon import BodyHash, header
from maild.verify.message import Headers, RawField
from tests.lib.dkim import NOW, key, signed, verified, zone
from tests.lib.zones import Table, Zones

DATA = Path(__file__).parents[3] / "data" / "dkim"
PASS = ("pass", "")
DOMAIN = "a.example"
OWN = key(DOMAIN, "s")
NAME = f"s._domainkey.{DOMAIN}"
MESSAGE = (
    f"From: =?UTF-8?B?7ZmN6ri464+Z?= <id@{DOMAIN}>\r\nTo: a@example.org\r\nSubject: =?EUC-KR?B?wMe4rg==?=\r\n"
    "Date: Tue, 24 Nov 2026 10:00:00 +0900\r\nMessage-ID: <1@a.example>\r\nMIME-Version: 1.0\r\n"
    "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    "안녕하세요.  \r\n\r\n주문\t 확인 부탁드립니다. \r\n\r\n\r\n"
).encode()


def by_dkimpy(message: bytes = MESSAGE, **options: object) -> bytes:
    """The message as dkimpy signs it."""
    return dkimpy.sign(message, b"s", DOMAIN.encode(), OWN.pem(), **options) + message


def stands(message: bytes, **options: object) -> tuple[str, str]:
    """Result and reason of the only signature."""
    (check,) = verified(message, Zones(zone(OWN)), **options)  # type: ignore[arg-type]
    return str(check.result), str(check.reason)


def first(message: bytes, record: bytes) -> Check:
    """The check of a message whose key is published so."""
    return verified(message, Zones({NAME: {"TXT": [record]}}))[0]


def changed(old: bytes, new: bytes) -> tuple[str, str]:
    """Result and reason of our signature with its first ``old`` replaced."""
    fields, message = signed(MESSAGE, OWN).split(MESSAGE[:5], 1)
    spoilt = fields.replace(b" " + old, b" " + new, 1).replace(b"\t" + old, b"\t" + new, 1)
    assert spoilt != fields, old
    (check,) = verified(spoilt + MESSAGE[:5] + message, Zones(zone(OWN)))
    return str(check.result), str(check.reason)


def with_key(old: str, new: str, message: bytes = b"") -> tuple[str, str]:
    """Result and reason of a good signature whose key record has ``old`` replaced."""
    record = OWN.record.replace(old, new, 1)
    assert record != OWN.record, old
    (check,) = verified(message or signed(MESSAGE, OWN), Zones({NAME: {"TXT": [record.encode()]}}))
    return str(check.result), str(check.reason)


def relaxed(
    *,
    extra: str = "",
    names: str = "From:Subject:To",
    fold: bool = False,
    message: bytes = MESSAGE,
    domain: str = DOMAIN,
    own: SigningKey = OWN,
) -> bytes:
    """The message with a relaxed/relaxed signature made here by hand, so that it can hold any further tag."""
    head, _, body = message.partition(b"\r\n\r\n")
    running = BodyHash("relaxed")
    running.update(body)
    body_hash = base64.b64encode(running.digest()).decode()
    if fold:
        body_hash = f"{body_hash[:10]}\r\n\t  {body_hash[10:20]} {body_hash[20:]}"
    text = (
        f"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d={domain}; s=s; {extra}\r\n\th={names};"
        f" bh={body_hash}; b="
    ).encode()
    stacks = Headers.of(head + b"\r\n\r\n").stacks()
    field = RawField(b"dkim-signature", text.partition(b":")[2], text)
    parts = [header(stacks[name][-1], "relaxed") for name in names.lower().encode().split(b":")]
    digest = hashlib.sha256(b"".join([*parts, header(field, "relaxed").removesuffix(b"\r\n")])).digest()
    value = base64.b64encode(own.sign(digest))
    if fold:
        value = value[:7] + b"\r\n\t" + value[7:50] + b" \r\n " + value[50:]
    return text + value + b"\r\n" + message


def tags_of(message: bytes = b"") -> dict[str, str]:
    """The tags of the topmost signature, white space dropped."""
    field = Headers.of(message or signed(MESSAGE, OWN)).all(b"dkim-signature")[0]
    flat = "".join(field.value.decode().split())
    return {name: value for name, _, value in (part.partition("=") for part in flat.split(";"))}


def reasons(message: bytes, table: Table, *, reply: bool = False, fields: bool = False) -> str:
    """What the decision names about a message, or its SMTP reply, or the fields we put before it."""
    peer = Peer(ip="192.0.2.25", helo="smtp.a.example", sender=f"id@{DOMAIN}")
    found = asyncio.run(check_message(message, peer, resolver=Zones(table), server="us.example", clock=lambda: NOW))
    if reply:
        return found.decision.reply
    if fields:
        return found.headers.decode()
    return " ".join(sorted(reason.name for reason in found.decision.reasons))
