"""Mail of both domains leaves with two aligned signatures that dkimpy, opendkim and we verify, whatever its way."""

from __future__ import annotations

import asyncio
import base64
import re
import smtplib
import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import dkim as dkimpy

from maild.mail import header
from maild.settings import load
from maild.store import Forward, ListMode, MailingList, open_store
from maild.verify.keyring import StoredKeys, record_of
from maild.wrapping import read_wrap_key
from tests.lib import milters
from tests.lib.daemon import TEST_CO_KR, TEST_NET, Site
from tests.lib.dkim import verified
from tests.lib.exchange import OTHER, Exchange, exchange, wait_for
from tests.lib.nameserver import NameServer
from tests.lib.postfix import postfix
from tests.lib.zones import Zones

ABOUT = (
    "mail from 테스트.net and its alias domain carries two aligned signatures everyone verifies: direct, Postfix, list"
)
COUNTS = {"small": 1, "full": 25}
"""Messages a way and domain."""
DOMAINS = (TEST_NET, TEST_CO_KR)
_PASSED = re.compile(r"dkim=pass[^;]*?header\.d=([^\s;]+)")
_OURS = re.compile(rb"(?m)^DKIM-Signature:")


def run(size: str) -> dict[str, object]:
    count = COUNTS[size]
    with tempfile.TemporaryDirectory(prefix="aligned-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        ways = {**directly(folder / "direct", count), **through_postfix(folder / "postfix", count)}
    return {"cases": sum(ways.values()), "ways": ways, "verifiers": ["maild", "dkimpy", "opendkim"]}


BODIES: Sequence[tuple[str, bytes]] = (
    (
        "text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit",
        "안녕하세요.  주문 확인 \r\n\r\n.점\r\n\r\n".encode(),
    ),
    ("text/plain; charset=euc-kr\r\nContent-Transfer-Encoding: base64", base64.encodebytes("견적서".encode("euc-kr"))),
    ("text/plain; charset=iso-2022-kr\r\nContent-Transfer-Encoding: 7bit", "세금계산서".encode("iso2022_kr") + b"\r\n"),
    ("text/html; charset=utf-8\r\nContent-Transfer-Encoding: 8bit", ("<p>" + "가" * 300 + "</p>\r\n").encode()),
)


def mail(domain: str, number: int) -> bytes:
    kind, body = BODIES[number % len(BODIES)]
    return (
        f"From: =?EUC-KR?B?yKux5rW/?= <id@{domain}>\r\nTo: 친구 <friend@{OTHER}>\r\n"
        f"Subject: =?UTF-8?B?7KO866y4?= {number}\r\nDate: Tue, 24 Nov 2026 10:00:00 +0900\r\n"
        f"Message-ID: <{number}.{time.time_ns()}@{domain}>\r\nMIME-Version: 1.0\r\nContent-Type: {kind}\r\n\r\n"
    ).encode() + body.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")


def prepared(ours: Site, names: NameServer) -> dict[str, str]:
    """Makes the keys of both domains and publishes all their records; gives the key records."""
    keys = asyncio.run(_keys(ours))
    for domain in DOMAINS:
        lines = [f"@ 60 IN MX 10 smtp.{domain}.", "smtp 60 IN A 127.0.0.1", '@ 60 IN TXT "v=spf1 ip4:127.0.0.1 -all"']
        lines.append('_dmarc 60 IN TXT "v=DMARC1; p=reject; adkim=s"')
        for owner, value in keys.items():
            if owner.endswith(f".{domain}"):
                pieces = " ".join(f'"{value[i : i + 255]}"' for i in range(0, len(value), 255))
                lines.append(f"{owner}. 60 IN TXT {pieces}")
        names.zone(domain, "\n".join(lines) + "\n")
    return keys


async def _keys(ours: Site) -> dict[str, str]:
    settings = load(ours.settings)
    store = await open_store(settings.database)
    try:
        ring = StoredKeys(store.keys, read_wrap_key(settings.dkim.wrap_key_file, create=True))
        rows = [row for domain in DOMAINS for row in await ring.ensure(domain)]
    finally:
        await store.close()
    return {f"{row.selector}._domainkey.{row.domain}": record_of(row) for row in rows}


def directly(folder: Path, count: int) -> dict[str, int]:
    """To another maild, straight, over our list and over our forward."""
    keys: dict[str, str] = {}

    def change(ours: Site, theirs: Site, names: NameServer) -> None:
        keys.update(prepared(ours, names))
        theirs.more += "[policy]\nverify = true\n"

    with exchange(folder, change=change) as both:
        asyncio.run(_widen(both.ours.site))
        wait_for(lambda: _takes(both, f"all@{TEST_NET}"), bool)
        time.sleep(1.5)  # what the directory remembers of an account is up to a second old
        ways = {"direct": f"friend@{OTHER}", "list": f"all@{TEST_NET}", "forward": f"other@{TEST_NET}"}
        found: dict[str, int] = {}
        before = 1  # the probe of the list
        for way, recipient in ways.items():
            for domain in DOMAINS:
                for number in range(count):
                    both.submit(mail(domain, number), recipient, sender=f"id@{domain}")
                received = both.inbox(both.theirs, "friend", OTHER, before + count)[before:]
                assert len(received) == count
                before += count
                checked(received, domain, keys, folder)
                for message in received:
                    results = header.values(message, "Authentication-Results")
                    assert any(b"dmarc=pass" in one for one in results), results
            found[way] = 2 * count
    return found


def _takes(both: Exchange, recipient: str) -> bool:
    try:
        both.submit(mail(TEST_NET, 0), recipient)
    except smtplib.SMTPException:
        return False
    return True


async def _widen(site: Site) -> None:
    store = await open_store(site.database_settings(), migrate=False)
    try:
        account = await store.directory.account_named("other", TEST_NET)
        assert account is not None
        await store.directory.save_account(replace(account, forward=Forward(targets=(f"friend@{OTHER}",))))
        await store.directory.save_list(
            MailingList(domain=TEST_NET, local="all", members=(f"friend@{OTHER}",), mode=ListMode.PUBLIC)
        )
    finally:
        await store.close()


def through_postfix(folder: Path, count: int) -> dict[str, int]:
    """To a Postfix, which has put its own fields before the message."""
    keys: dict[str, str] = {}
    with ExitStack() as stack:
        theirs = stack.enter_context(postfix(folder / "theirs", OTHER))

        def change(ours: Site, other: Site, names: NameServer) -> None:
            keys.update(prepared(ours, names))
            ours.more = ours.more.replace(f"port = {other.ports['smtp']}", f"port = {theirs.port}")

        both = stack.enter_context(exchange(folder / "both", change=change))
        for domain in DOMAINS:
            for number in range(count):
                both.submit(mail(domain, number), f"friend@{OTHER}", sender=f"id@{domain}")
        received = wait_for(theirs.messages, lambda found: len(found) == 2 * count)
        wholes = [message.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") for message in received]
        for domain in DOMAINS:
            of_domain = [whole for whole in wholes if f"@{domain}>".encode() in (header.value(whole, "From") or b"")]
            assert len(of_domain) == count
            checked(of_domain, domain, keys, folder)
    return {"Postfix": 2 * count}


def checked(messages: Sequence[bytes], domain: str, keys: Mapping[str, str], folder: Path) -> None:
    """Two signatures of the author's domain on each, verified by all three."""
    resolver = Zones({name: {"TXT": [value.encode()]} for name, value in keys.items()})
    published = {f"{name}.".encode(): value.encode() for name, value in keys.items()}
    for message in messages:
        assert len(_OURS.findall(message)) == 2, message[:600]
        checks = verified(message, resolver, time.time())
        assert [(check.result, check.domain) for check in checks] == [("pass", domain)] * 2, checks
        assert {check.algorithm for check in checks} == {"rsa-sha256", "ed25519-sha256"}
        for number in range(2):
            assert dkimpy.DKIM(message).verify(idx=number, dnsfunc=lambda name, **_: published[name])
    (folder / "keys").write_text("".join(f"{name} {value}\n" for name, value in keys.items()))
    settings = {"Mode": "v", "AuthservID": milters.SERVER, "TestPublicKeys": folder / "keys"}
    mails = [milters.Mail(f"m{number}", message) for number, message in enumerate(messages)]
    with milters.running("opendkim", settings, folder) as socket:
        answers = milters.sent(socket, mails, folder, field="Authentication-Results")
    for name, answer in answers.items():
        assert _PASSED.findall(" ".join(answer)) == [domain, domain], (name, answer)
