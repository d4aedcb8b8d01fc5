"""Forged senders in ten thousand domains cause no report of a daemon that sends reports; honest ones get one each."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack, closing
from pathlib import Path

from maild.settings import load
from maild.store import Account, AliasDomain, open_store
from maild.verify.keyring import StoredKeys
from maild.wrapping import read_wrap_key
from tests.lib.clock import restart_at
from tests.lib.daemon import TEST_NET, Running, Site
from tests.lib.exchange import wait_for
from tests.lib.nameserver import NameServer
from tests.lib.sink import Sink, sink

ABOUT = "reports on: mail forged in 10,000 domains that ask for reports makes none; correspondents get one each, capped"
COUNTS = {"small": 400, "full": 10_000}
HONEST, CAPPED = 20, 4
"""Correspondents with targets of their own, and ones that all name one target, which gets two reports a day."""
SESSIONS, A_SESSION = 8, 500
REPORTS = f"reports.{TEST_NET}"
YESTERDAY = -26 * 3600
"""Behind by so much, a day is over when the clock is right again, whatever the hour."""


def run(size: str) -> dict[str, object]:
    count = COUNTS[size]
    forged = [f"d{number}.flood.example" for number in range(count)]
    honest = [f"h{number}.honest.example" for number in range(HONEST)]
    alike = [f"c{number}.honest.example" for number in range(CAPPED)]
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="no-report-flood-")))
        names = stack.enter_context(closing(NameServer()))
        target = stack.enter_context(sink())
        publish(names, honest, alike)
        site = made(folder, names, target)
        daemon = Running(site)
        stack.callback(daemon.stop)
        restart_at(daemon, YESTERDAY)
        asyncio.run(send(site, forged))
        asyncio.run(send(site, [*honest, *alike] * 3))
        asyncio.run(send(site, forged[: count // 10]))
        restart_at(daemon, 0)
        expected = dict.fromkeys(honest, 1) | {"target.example": 2}
        taken = wait_for(target.taken, lambda found: sum(found.values()) >= sum(expected.values()))
        wait_for(lambda: asyncio.run(queued(site)), lambda left: left == 0)
        assert taken == target.taken() == expected, taken
        received = asyncio.run(inbox(site))
    assert received == count + count // 10 + 3 * (HONEST + CAPPED), received
    return {
        "cases": count + HONEST + CAPPED,
        "forged_domains": count,
        "forged_delivered": count + count // 10,
        "reports": sum(expected.values()),
        "to_victim": 0,
    }


def publish(names: NameServer, honest: Sequence[str], alike: Sequence[str]) -> None:
    """The victim is one address that every forged domain names, and that has agreed: the classic amplifier."""
    names.zone("example", "x 60 IN A 127.0.0.1\n")
    names.zone("flood.example", '* 60 IN TXT "v=DMARC1; p=none; rua=mailto:victim@victim.example"\n')
    agreed = '*._report._dmarc 60 IN TXT "v=DMARC1"\n@ 60 IN MX 10 mx\nmx 60 IN A 127.0.0.1\n'
    names.zone("victim.example", agreed)
    names.zone("target.example", agreed)
    lines = ["mx 60 IN A 127.0.0.1"]
    for name in (*honest, *alike):
        target = f"r@{name}" if name in honest else "r@target.example"
        lines += [
            f'{name}. 60 IN TXT "v=spf1 ip4:127.0.0.1 -all"',
            f"{name}. 60 IN MX 10 mx.honest.example.",
            f'_dmarc.{name}. 60 IN TXT "v=DMARC1; p=reject; rua=mailto:{target}"',
        ]
    names.zone("honest.example", "\n".join(lines) + "\n")


def made(folder: Path, names: NameServer, target: Sink) -> Site:
    """A site that sends reports, its domain for them made."""
    site = Site(folder)
    site.write()
    site.more = (
        f'[dns]\nservers = ["{names.address}#{names.port}"]\n[queue]\nport = {target.port}\n'
        "[policy]\nverify = true\n[dmarc]\nsend_reports = true\n"
    )
    site.write_settings()
    site.seed()
    asyncio.run(_reporting(site))
    return site


async def _reporting(site: Site) -> None:
    settings = load(site.settings)
    store = await open_store(settings.database)
    try:
        await store.directory.save_alias_domain(AliasDomain(name=REPORTS, domain=TEST_NET))
        await store.directory.save_account(Account(domain=TEST_NET, local="dmarc-reports"))
        await StoredKeys(store.keys, read_wrap_key(settings.dkim.wrap_key_file, create=True)).ensure(REPORTS)
    finally:
        await store.close()


async def send(site: Site, domains: Sequence[str]) -> None:
    """A message in each domain's name, all accepted."""
    shares = [domains[number::SESSIONS] for number in range(SESSIONS)]
    await asyncio.gather(*(_session(site.ports["smtp"], share) for share in shares))


async def _session(port: int, domains: Sequence[str]) -> None:
    for start in range(0, len(domains), A_SESSION):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        await _answer(reader, b"220")
        await _say(reader, writer, b"EHLO client.example\r\n")
        for domain in domains[start : start + A_SESSION]:
            address = f"a@{domain}".encode()
            await _say(reader, writer, b"MAIL FROM:<%b>\r\n" % address)
            await _say(reader, writer, f"RCPT TO:<id@{TEST_NET}>\r\n".encode())
            await _say(reader, writer, b"DATA\r\n", b"354")
            await _say(reader, writer, b"From: <%b>\r\nSubject: x\r\n\r\n\xec\xa3\xbc\r\n.\r\n" % address)
        await _say(reader, writer, b"QUIT\r\n", b"221")
        writer.close()


async def _say(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, line: bytes, wanted: bytes = b"250") -> None:
    writer.write(line)
    await _answer(reader, wanted)


async def _answer(reader: asyncio.StreamReader, wanted: bytes) -> None:
    while True:
        line = await asyncio.wait_for(reader.readline(), 120)
        if line[3:4] != b"-":
            break
    assert line.startswith(wanted), line


async def queued(site: Site) -> int:
    """Rows in the queue."""
    store = await open_store(site.database_settings(), migrate=False)
    try:
        return await store.queue.count()
    finally:
        await store.close()


async def inbox(site: Site) -> int:
    """Messages that reached the inbox."""
    store = await open_store(site.database_settings(), migrate=False)
    try:
        account = await store.directory.account_named("id", TEST_NET)
        assert account is not None
        rows = await store.messages.range(account.inbox_id, 1, 0xFFFFFFFF, 1_000_000)
        return len(rows)
    finally:
        await store.close()
