"""``maild report``: what a deploy tells at its end, as JSON: DNS records and their state, certificates, open ports.

Called as a desired state is (``--desired FILE --json --dry``), and changes nothing. The file says ``mail_hosts``
(domain to MX target) and ``first_passwords`` (a path); ``--offline`` leaves DNS unasked.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from maild.certs.need import days_left
from maild.certs.pairs import Found, Pair
from maild.certs.renewal import State, in_place, status
from maild.cli import Exit, Subparsers, add_settings, settings_of
from maild.cli._opened import opened
from maild.diagnosis.greeting import greeting
from maild.dns import check
from maild.dns.check import Checker, Finding
from maild.dns.records import Expected, MailDomain, Server, expected
from maild.dns.resolver import CachingResolver
from maild.dns.upstream import CaresUpstream, DirectUpstream
from maild.locale import translator
from maild.mail.domain import to_ascii
from maild.net.certificates import CHAIN
from maild.settings import Listener, Settings
from maild.store import StoreError
from maild.verify.published import mail_domains

PATIENCE = 5.0
"""Seconds a port has to greet, and the database to answer."""


def register(subparsers: Subparsers) -> None:
    """Adds the command."""
    command = subparsers.add_parser("report", help="tell the state of DNS, certificates and ports", description=__doc__)
    add_settings(command)
    command.add_argument("--desired", type=Path, help="file with mail_hosts and first_passwords")
    command.add_argument("--offline", action="store_true", help="do not ask DNS")
    command.add_argument("--json", action="store_true", help="the only form there is")
    command.add_argument("--dry", action="store_true", help="the only way there is")
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Prints the report."""
    desired = json.loads(args.desired.read_text(encoding="utf-8")) if args.desired else {}
    report = asyncio.run(_report(settings_of(args), desired, offline=args.offline))
    report["first_passwords"] = Path(desired.get("first_passwords", "")).is_file()
    print(json.dumps({"changes": [], "not_managed": [], "report": report}))
    return Exit.OK


async def _report(settings: Settings, desired: Mapping[str, Any], *, offline: bool) -> dict[str, Any]:
    records: list[dict[str, Any]] = []
    database = {"what": "database", "fine": True, "detail": settings.database.engine}
    try:
        rows = expected(await _domains(settings, desired.get("mail_hosts") or {}), _server(settings))
        records = await _records(rows, settings, offline=offline)
    except StoreError as error:
        database |= {"fine": False, "detail": str(error)}
    greetings = await asyncio.gather(*(_greeting(listener) for listener in settings.open_listeners))
    return {"records": records, "certificates": _certificates(settings), "checks": [database, *greetings]}


def _server(settings: Settings) -> Server:
    return Server(hostname=settings.hostname, ipv4=settings.public_ipv4, ipv6=settings.public_ipv6)


async def _domains(settings: Settings, hosts: Mapping[str, str]) -> list[MailDomain]:
    """Every domain and alias domain with its MX target and the keys it signs with, the declared ones first."""
    async with opened(settings, migrate=False) as store:
        found = await mail_domains(store, hosts)
    order = [to_ascii(name) for name in hosts]
    return sorted(found, key=lambda each: order.index(each.name) if each.name in order else len(order))


async def _records(rows: tuple[Expected, ...], settings: Settings, *, offline: bool) -> list[dict[str, Any]]:
    if offline:
        return [_record(row) for row in rows]
    servers, seconds = settings.dns.servers, settings.dns.timeout_seconds
    upstream = DirectUpstream(servers, timeout=seconds) if servers else CaresUpstream((), timeout=seconds)
    findings = await Checker(CachingResolver(upstream), port=settings.dns.port).check(rows)
    return [
        _record(finding.expected) | {"state": _state(finding), "found": ", ".join(finding.found)}
        for finding in findings
    ]


def _state(finding: Finding) -> str:
    """One word; a record that is there, among others that spoil it, needs attention."""
    return "attention" if finding.state is check.State.OK and not finding.fine else str(finding.state)


def _record(row: Expected) -> dict[str, Any]:
    return {
        "domain": row.domain, "type": row.rdtype, "owner": row.owner, "value": row.value, "preference": row.preference,
    }  # fmt: skip


def _certificates(settings: Settings) -> list[dict[str, Any]]:
    """One row a host name: those to be ordered with what they wait for, and others there are files for."""
    ordered = status(settings) if settings.acme.enabled else []
    say = translator(settings.language)
    rows = []
    for result in ordered:
        why = [say(reason.text, **reason.values) for reason in result.waiting.values()] or [result.error]
        waits = result.state is not State.FINE
        rows.append(_certificate(result.name, result.found) | ({"pending": "; ".join(why)} if waits else {}))
    known = {result.name for result in ordered}
    files = [chain.name.removesuffix(CHAIN) for chain in sorted(settings.tls.folder.glob(f"*{CHAIN}"))]
    rows += [_certificate(name, in_place(Pair(settings.tls.folder, name))) for name in files if name not in known]
    return rows


def _certificate(name: str, found: Found | None) -> dict[str, Any]:
    if found is None:
        return {"name": name}
    return {"name": name, "days": days_left(found, dt.datetime.now(dt.UTC)), "self_signed": found.self_signed}


async def _greeting(listener: Listener) -> dict[str, Any]:
    """Whether a port greets, as seen from the server itself."""
    what = f"{listener.protocol.upper()} {listener.port}"
    try:
        fine, said = await greeting(listener, PATIENCE)
    except (OSError, TimeoutError) as error:
        return {"what": what, "fine": False, "detail": str(error) or "no answer"}
    return {"what": what, "fine": fine, "detail": "" if fine else said}
