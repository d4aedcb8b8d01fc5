"""``maild dmarc report|import``: who sends in our domains' names, what failed and why, from the reports of receivers.

``report`` first takes in what has come to the report mailboxes; ``import`` takes report files. Ends with 0 when all
reported mail passed, 2 when some failed.
"""

from __future__ import annotations

import argparse
import ipaddress
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from maild.cli import Exit, RefusedError, Subparsers, add_settings, settings_of
from maild.cli._opened import finish, opened
from maild.dns.names import shown, to_query
from maild.locale import Translator, translator
from maild.settings import Settings
from maild.store import Store
from maild.verify.dmarc.aggregate import Aggregate
from maild.verify.dmarc.intake import DMARC_IN, TLS_IN, Source, Summary, rows_of, summed, summed_tls
from maild.verify.dmarc.mailbox import Collected, collect
from maild.verify.dmarc.packed import ReportError
from maild.verify.dmarc.sending import report_secret
from maild.verify.dmarc.tls import TLSReport
from maild.verify.dmarc.wording import cause_text, tls_text
from maild.wrapping import read_wrap_key

FINDINGS = 2
"""Exit status: reported mail failed."""
SHOWN_SOURCES = 20
"""Addresses told a domain; those with failures come first."""
SHOWN_CAUSES = 4
_MICRO = 1_000_000


def register(subparsers: Subparsers) -> None:
    """Adds the group."""
    group = subparsers.add_parser("dmarc", help="show what receivers report about our mail", description=__doc__)
    commands = group.add_subparsers(metavar="COMMAND", required=True)
    reported = commands.add_parser("report", help="sum up the reports")
    reported.add_argument("--domain", help="only this domain")
    reported.add_argument("--days", type=int, default=30, help="reports of so many days (default: 30)")
    reported.add_argument("--json", action="store_true", help="print JSON")
    imported = commands.add_parser("import", help="take in report files (.xml, .gz, .zip, .json)")
    imported.add_argument("files", nargs="+", type=Path, metavar="FILE")
    for name, command in (("report", reported), ("import", imported)):
        add_settings(command)
        command.add_argument("--language", choices=["en", "ko"], help="language of the answer (default: the settings')")
        command.set_defaults(run=run, command=name)


def run(args: argparse.Namespace) -> int:
    """Runs the chosen command."""
    settings = settings_of(args)
    say = translator(args.language or settings.language)
    if args.command == "import":
        contents = [(file.name, _read(file)) for file in args.files]
        return finish(lambda: _import(contents, settings, say))
    return finish(lambda: _report(args, settings, say))


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise RefusedError("{file} cannot be read:", error.strerror or str(error), file=file) from error


async def _import(contents: Sequence[tuple[str, bytes]], settings: Settings, say: Translator) -> int:
    failed = False
    async with opened(settings) as store:
        for name, data in contents:
            try:
                rows = rows_of(data)
            except ReportError as error:
                failed = True
                print(f"maild: {name}: {error}", file=sys.stderr)
                continue
            for row in rows:
                await store.state.add_report(row)
            print(say("{name}: {count} reports taken in", name=name, count=len(rows)))
    return Exit.NO if failed else Exit.OK


async def _report(args: argparse.Namespace, settings: Settings, say: Translator) -> int:
    since = (int(time.time()) - args.days * 86_400) * _MICRO
    async with opened(settings) as store:
        collected = await collect(store, _secret(settings))
        found = await _domains(args, store)
        summaries = [await _summary(store, domain, since) for domain in found]
        tls = {domain: await _tls(store, domain, since) for domain in found}
    if args.json:
        print(json.dumps([_plain(summary, tls[summary.domain], say) for summary in summaries], ensure_ascii=False))
    else:
        _print(summaries, tls, collected, _own(settings), say)
    return FINDINGS if any(summary.passed < summary.messages for summary in summaries) else Exit.OK


def _secret(settings: Settings) -> bytes | None:
    """What marks our own reports, so that those that came back are noticed here as by the daemon."""
    file = settings.dkim.wrap_key_file
    return report_secret(read_wrap_key(file)) if file.exists() else None


async def _domains(args: argparse.Namespace, store: Store) -> list[str]:
    if args.domain:
        return [to_query(args.domain) or args.domain]
    names = [domain.name for domain in await store.directory.domains()]
    return names + [alias.name for alias in await store.directory.alias_domains()]


async def _summary(store: Store, domain: str, since: int) -> Summary:
    rows = await store.state.reports(DMARC_IN, domain=domain, since=since)
    return summed(domain, [Aggregate.loaded(row.data) for row in rows])


async def _tls(store: Store, domain: str, since: int) -> list[TLSReport]:
    return [TLSReport.loaded(row.data) for row in await store.state.reports(TLS_IN, domain=domain, since=since)]


def _own(settings: Settings) -> frozenset[str]:
    """The addresses of this server, as reports write them."""
    return frozenset(
        str(ipaddress.ip_address(address)) for address in (settings.public_ipv4, settings.public_ipv6) if address
    )


def _print(
    summaries: Sequence[Summary],
    tls: dict[str, list[TLSReport]],
    collected: Collected,
    own: frozenset[str],
    say: Translator,
) -> None:
    print(say("{count} new reports taken in", count=collected.reports))
    for fault in collected.broken:
        print(say("not readable: {fault}", fault=fault))
    for summary in summaries:
        print(f"\n{shown(summary.domain)}")
        if not summary.messages:
            print(f"  {say('no reports in this time')}")
        else:
            reporters = ", ".join(summary.reporters[:10])
            text = "{passed} of {messages} messages passed, reported by {reporters}"
            print(f"  {say(text, passed=summary.passed, messages=summary.messages, reporters=reporters)}")
        for source in summary.sources[:SHOWN_SOURCES]:
            _print_source(source, say, is_own=source.address in own)
        if len(summary.sources) > SHOWN_SOURCES:
            print(f"  {say('and {count} addresses more', count=len(summary.sources) - SHOWN_SOURCES)}")
        _print_tls(tls[summary.domain], say)


def _print_source(source: Source, say: Translator, *, is_own: bool) -> None:
    name = f"{source.address} ({say('this server')})" if is_own else source.address
    if source.passed == source.messages:
        print(f"  {name}: {say('{count} messages, all passed', count=source.messages)}")
        return
    text = "{count} messages, {failed} failed, {refused} of them were refused or filed as spam"
    failed = source.messages - source.passed
    print(f"  {name}: {say(text, count=source.messages, failed=failed, refused=source.refused)}")
    for cause, count in source.causes.most_common(SHOWN_CAUSES):
        print(f"    {count} x {cause_text(cause, say)}")
    if is_own:
        print(f"    {say('This is your own server: maild dns check says which record to enter.')}")
    elif not source.passed:
        print(
            f"    {say('If this is no server that sends for you, the mail is forged, and your policy did its work.')}"
        )


def _print_tls(reports: Sequence[TLSReport], say: Translator) -> None:
    if not reports:
        return
    succeeded, failed, kinds = summed_tls(reports)
    text = "TLS: {succeeded} sessions succeeded, {failed} failed"
    print(f"  {say(text, succeeded=succeeded, failed=failed)}")
    for (kind, host), count in kinds.most_common(SHOWN_CAUSES):
        at = f"{shown(host)}: " if host else ""
        print(f"    {count} x {at}{tls_text(kind, say)}")


def _plain(summary: Summary, tls: Sequence[TLSReport], say: Translator) -> dict[str, Any]:
    succeeded, failed, kinds = summed_tls(tls)
    return {
        "domain": summary.domain,
        "reporters": list(summary.reporters),
        "messages": summary.messages,
        "passed": summary.passed,
        "sources": [_plain_source(source, say) for source in summary.sources],
        "tls": {
            "succeeded": succeeded,
            "failed": failed,
            "kinds": [
                {"kind": kind, "host": host, "count": count, "text": tls_text(kind, say)}
                for (kind, host), count in kinds.most_common()
            ],
        },
    }


def _plain_source(source: Source, say: Translator) -> dict[str, Any]:
    return {
        "address": source.address,
        "messages": source.messages,
        "passed": source.passed,
        "refused": source.refused,
        "causes": [
            {
                "method": cause.method,
                "result": cause.result,
                "domain": cause.domain,
                "count": count,
                "text": cause_text(cause, say),
            }
            for cause, count in source.causes.most_common()
        ],
    }
