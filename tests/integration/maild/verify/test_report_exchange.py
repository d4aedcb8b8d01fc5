"""Reports between two daemons: a day's mail is told to its author's domain, whose own server reads what it is told."""

from __future__ import annotations

import asyncio
import json
import smtplib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from maild.cli.__main__ import main
from maild.mail import header
from maild.settings import load
from maild.store import Account, Domain, open_store
from maild.verify.keyring import StoredKeys, record_of
from maild.wrapping import read_wrap_key
from tests.lib.clock import restart_at
from tests.lib.daemon import TEST_NET, Site
from tests.lib.exchange import OTHER, Exchange, exchange, wait_for
from tests.lib.nameserver import NameServer

REPORTS = f"reports.{OTHER}"
YESTERDAY = -26 * 3600
"""Behind by so much, a day is over when the clock is right again, whatever the hour."""
MAIL = f"From: 홍길동 <id@{TEST_NET}>\r\nSubject: =?utf-8?b?7KO866y4?=\r\n\r\n주문합니다.\r\n".encode()


def prepare(ours: Site, theirs: Site, names: NameServer) -> None:
    """Our domain publishes keys and asks for reports, at one address that is there and one that is not."""
    keys = asyncio.run(_keys(ours))
    wanted = f"rua=mailto:dmarc-reports@{TEST_NET},mailto:gone@{TEST_NET}"
    lines = [
        f"@ 60 IN MX 10 smtp.{TEST_NET}.", "smtp 60 IN A 127.0.0.1", '@ 60 IN TXT "v=spf1 ip4:127.0.0.1 -all"',
        f'_dmarc 60 IN TXT "v=DMARC1; p=reject; adkim=s; {wanted}"',
    ]  # fmt: skip
    for owner, value in keys.items():
        lines.append(f"{owner}. 60 IN TXT " + " ".join(f'"{value[i : i + 255]}"' for i in range(0, len(value), 255)))
    names.zone(TEST_NET, "\n".join(lines) + "\n")
    names.zone("forged.example", f'_dmarc 60 IN TXT "v=DMARC1; p=none; rua=mailto:r@{TEST_NET}"\n')
    names.zone("elsewhere.example", "@ 60 IN A 127.0.0.1\n")
    ours.more += "[policy]\nverify = true\n"
    theirs.more += f'[policy]\nverify = true\n[dmarc]\nsend_reports = true\nreports_domain = "{REPORTS}"\n'


async def _keys(ours: Site) -> dict[str, str]:
    settings = load(ours.settings)
    store = await open_store(settings.database)
    try:
        await store.directory.save_domain(Domain(name=TEST_NET))
        await store.directory.save_account(Account(domain=TEST_NET, local="dmarc-reports"))
        rows = await StoredKeys(store.keys, read_wrap_key(settings.dkim.wrap_key_file, create=True)).ensure(TEST_NET)
    finally:
        await store.close()
    return {f"{row.selector}._domainkey.{row.domain}": record_of(row) for row in rows}


@contextmanager
def day_before(folder: Path, capsys: pytest.CaptureFixture[str]) -> Iterator[Exchange]:
    """Both daemons yesterday; the other one's domain for reports is made and published as its own commands say."""
    with exchange(folder, change=prepare) as both:
        desired = folder / "desired.json"
        keys = [
            {"domain": REPORTS, "selector": selector, "algorithm": algorithm}
            for selector, algorithm in (("dkim", "rsa-sha256"), ("dkim-ed", "ed25519-sha256"))
        ]
        desired.write_text(
            json.dumps(
                {
                    "domains": [{"name": OTHER}],
                    "alias_domains": [{"name": REPORTS, "domain": OTHER}],
                    "accounts": [{"address": f"dmarc-reports@{OTHER}", "password": "nobody-logs-in-here"}],
                    "dkim": keys,
                }
            )
        )
        place = ["--settings", str(both.theirs.site.settings)]
        assert main(["reconcile", "--desired", str(desired), *place]) == 0
        capsys.readouterr()
        assert main(["dns", "records", "--zone", *place]) == 0
        zone = capsys.readouterr().out
        own = [line for line in zone.splitlines() if line.partition(" ")[0].endswith(f"{REPORTS}.")]
        assert len(own) == 4, "MX, two keys and DMARC: the host is that of the server itself"
        both.names.zone(REPORTS, "\n".join(own) + "\n")
        for running in (both.ours, both.theirs):
            restart_at(running, YESTERDAY)
        yield both


def write_as(both: Exchange, envelope: str, author: str) -> int:
    """The reply to a message that a stranger hands in at the other server."""
    message = f"From: <{author}>\r\nSubject: x\r\n\r\nx\r\n".encode()
    with smtplib.SMTP("127.0.0.1", both.theirs.site.ports["smtp"], timeout=60) as client:
        try:
            client.sendmail(envelope, f"friend@{OTHER}", message)
        except smtplib.SMTPDataError as error:
            return error.smtp_code
    return 250


def test_a_days_mail_is_reported_once_and_read_by_our_own_intake(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with day_before(tmp_path, capsys) as both:
        both.submit(MAIL, f"friend@{OTHER}")
        (received,) = both.inbox(both.theirs, "friend", OTHER)
        assert b"dmarc=pass" in (header.value(received, "Authentication-Results") or b"")
        assert write_as(both, "x@elsewhere.example", f"id@{TEST_NET}") == 550
        assert write_as(both, "a@forged.example", "a@forged.example") == 250
        for running in (both.ours, both.theirs):
            restart_at(running, 0)
        (report,) = both.inbox(both.ours, "dmarc-reports", TEST_NET)
        results = header.value(report, "Authentication-Results") or b""
        assert b"dmarc=pass" in results
        assert f"header.from={REPORTS}".encode() in results
        assert b"application/gzip" in report
        told_of(both, capsys)
        bounced_and_never_again(both)


def told_of(both: Exchange, capsys: pytest.CaptureFixture[str]) -> None:
    """What our own command makes of it."""
    capsys.readouterr()
    assert main(["dmarc", "report", "--json", "--settings", str(both.ours.site.settings)]) == 2
    (ours, *_) = json.loads(capsys.readouterr().out)
    assert (ours["domain"], ours["reporters"], ours["messages"], ours["passed"]) == (TEST_NET, [REPORTS], 2, 1)
    (source,) = ours["sources"]
    assert (source["address"], source["refused"]) == ("127.0.0.1", 1)
    assert ("spf", "none", "elsewhere.example") in {
        (each["method"], each["result"], each["domain"]) for each in source["causes"]
    }


def bounced_and_never_again(both: Exchange) -> None:
    """The address that is not there is left alone, and no daemon reports the day a second time."""
    wait_for(lambda: both.queued(both.theirs), lambda count: count == 0)
    (notice,) = both.inbox(both.theirs, "dmarc-reports", OTHER)
    assert b"5.1.1" in notice
    restart_at(both.theirs, 0)
    left_alone = wait_for(lambda: asyncio.run(_suppressed(both.theirs.site)), bool)
    assert left_alone == [f"gone@{TEST_NET}"]
    assert len(both.inbox(both.ours, "dmarc-reports", TEST_NET)) == 1


async def _suppressed(site: Site) -> list[str]:
    store = await open_store(site.database_settings(), migrate=False)
    try:
        return [address for address, _, _ in await store.queue.suppressions()]
    finally:
        await store.close()
