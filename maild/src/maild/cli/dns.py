"""``maild dns records|check``: the DNS records the domains need, and what stands there instead.

``check`` ends with 0 when all is in order, 2 when a record is missing or differs, 1 when no name server answers.
Offline, the records are printed and said to be unchecked.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from maild.cli import Exit, Subparsers, add_settings, settings_of
from maild.cli._opened import finish, opened
from maild.dns import wording, zone
from maild.dns.check import Checker, Finding, State
from maild.dns.names import shown
from maild.dns.records import Expected, MailDomain, Purpose, Server, expected
from maild.dns.resolver import CachingResolver, open_resolver
from maild.locale import Translator, translator
from maild.settings import Settings
from maild.verify.dkim.wording import sentence
from maild.verify.published import hosts_of, mail_domains
from maild.verify.rotating import Errand, errand, rotations
from maild.verify.spf.lint import Note, lint
from maild.verify.spf.wording import note_text

FINDINGS = 2
"""Exit status: asked and answered, and something is to be done."""


def register(subparsers: Subparsers) -> None:
    """Adds the group."""
    group = subparsers.add_parser("dns", help="show and check DNS records", description=__doc__)
    commands = group.add_subparsers(metavar="COMMAND", required=True)
    for name, text in (
        ("records", "print the records to enter"),
        ("check", "ask the domains' own name servers what stands there"),
    ):
        command = commands.add_parser(name, help=text)
        add_settings(command)
        command.add_argument("--json", action="store_true", help="print JSON")
        command.add_argument("--language", choices=["en", "ko"], help="language of the answer (default: the settings')")
        command.add_argument("--desired", type=Path, help="file whose mail_hosts name the MX target of each domain")
        if name == "check":
            command.add_argument("--offline", action="store_true", help="ask nobody, only print the records")
            command.add_argument("--port", type=int, help="port of authoritative servers (default: the settings')")
        else:
            command.add_argument("--zone", action="store_true", help="print zone-file text")
        command.set_defaults(run=run, command=name)


def run(args: argparse.Namespace) -> int:
    """Runs the chosen command."""
    settings = settings_of(args)
    say = translator(args.language or settings.language)
    return finish(lambda: _run(args, settings, say))


async def _run(args: argparse.Namespace, settings: Settings, say: Translator) -> int:
    domains, errands = await _wanted(args, settings)
    server = Server(hostname=settings.hostname, ipv4=settings.public_ipv4, ipv6=settings.public_ipv6)
    rows = expected(domains, server)
    if args.command == "records":
        _print_records(args, rows, say)
        return Exit.OK
    if args.offline:
        _print_check(args, rows, None, ((), errands), say)
        return Exit.OK
    resolver = open_resolver(
        settings.dns.servers, validating=settings.dns.validating, timeout=settings.dns.timeout_seconds
    )
    findings = await Checker(resolver, port=args.port or settings.dns.port).check(rows)
    notes = await _linted(resolver, rows, [address for _, address in server.addresses])
    _print_check(args, rows, findings, (notes, errands), say)
    if findings and all(finding.state is State.UNKNOWN for finding in findings):
        return Exit.NO
    is_fine = all(finding.fine for finding in findings) and not notes
    return Exit.OK if is_fine and not any(each.remove for each in errands) else FINDINGS


async def _wanted(args: argparse.Namespace, settings: Settings) -> tuple[list[MailDomain], list[Errand]]:
    """What the domains publish, and what the rotations of their keys wait for."""
    async with opened(settings) as store:
        errands = [await errand(store.keys, rotation) for rotation in await rotations(store.state)]
        domains = await mail_domains(store)
        hosts = hosts_of(settings, [domain.name for domain in domains])
        if args.desired:
            hosts |= json.loads(args.desired.read_text(encoding="utf-8")).get("mail_hosts") or {}
        return await mail_domains(store, hosts), errands


async def _linted(
    resolver: CachingResolver, rows: Sequence[Expected], addresses: Sequence[str]
) -> list[tuple[str, Note]]:
    """What the linter says of SPF records that are there; one that is missing has been told already."""
    notes: list[tuple[str, Note]] = []
    for row in rows:
        if row.purpose is Purpose.SPF:
            found = await lint(resolver, row.domain, addresses)
            notes += [(row.domain, note) for note in found if note.fault not in {"no-record", "dns"}]
    return notes


def _print_records(args: argparse.Namespace, rows: Sequence[Expected], say: Translator) -> None:
    if args.json:
        print(json.dumps({"records": [_plain(row) for row in rows], "zone": zone.text(rows)}, ensure_ascii=False))
    elif args.zone:
        print(zone.text(rows), end="")
    else:
        print(zone.table(wording.headings(say)[:4], [zone.cells(row, "")[:4] for row in rows]))
        _print_long(rows, say)


def _print_long(rows: Sequence[Expected], say: Translator) -> None:
    long = [row for row in rows if row.rdtype == "TXT" and len(zone.strings(row.value)) > 1]
    if long:
        print(f"\n{say('Long values, in strings of at most 255 characters:')}")
        for row in long:
            print(f"{shown(row.owner)}\n  {zone.quoted(row.value)}")


def _print_check(
    args: argparse.Namespace,
    rows: Sequence[Expected],
    findings: Sequence[Finding] | None,
    told: tuple[Sequence[tuple[str, Note]], Sequence[Errand]],
    say: Translator,
) -> None:
    notes, errands = told
    if args.json:
        records = [_plain(row) for row in rows] if findings is None else [_found(one, say) for one in findings]
        shown_notes = [{"domain": domain, "fault": note.fault, "text": note_text(note, say)} for domain, note in notes]
        whole = {"offline": findings is None, "records": records, "spf": shown_notes}
        print(json.dumps(whole | {"rotations": [_rotation(each, say) for each in errands]}, ensure_ascii=False))
        return
    known = {finding.expected: finding for finding in findings or ()}
    states = [wording.state(known.get(row), say) for row in rows]
    lines = [zone.cells(row, state) for row, state in zip(rows, states, strict=True)]
    print(zone.table(wording.headings(say), lines))
    if findings is None:
        print(f"\n{say('Offline: nothing was asked; these are the records to enter.')}")
        _print_long(rows, say)
    for one in findings or ():
        if not one.fine:
            print(f"\n{wording.problem(one, say)}")
            print("\n".join(f"  {line}" for line in wording.entry(one.expected, say)))
    for domain, note in notes:
        print(f"\n{shown(domain)}: {note_text(note, say)}")
    for each in errands:
        print(f"\n{sentence(each.rotation, say)}")
        for row in each.remove:
            print("\n".join(f"  {line}" for line in wording.entry(row, say)))


def _plain(row: Expected) -> dict[str, Any]:
    return {
        "domain": row.domain,
        "purpose": row.purpose,
        "type": row.rdtype,
        "host": row.owner,
        "shown": shown(row.owner),
        "value": row.value,
        "strings": zone.strings(row.value) if row.rdtype == "TXT" else None,
        "priority": row.preference,
    }


def _rotation(waiting: Errand, say: Translator) -> dict[str, Any]:
    return {
        "domain": waiting.rotation.domain,
        "phase": waiting.rotation.phase,
        "text": sentence(waiting.rotation, say),
        "enter": [_plain(row) for row in waiting.enter],
        "remove": [_plain(row) for row in waiting.remove],
    }


def _found(finding: Finding, say: Translator) -> dict[str, Any]:
    return _plain(finding.expected) | {
        "state": finding.state,
        "problem": finding.problem,
        "fine": finding.fine,
        "found": list(finding.found),
        "servers": list(finding.servers),
        "text": "" if finding.fine else wording.problem(finding, say),
    }
