"""``maild store check|migrate|sweep``: looks the database over, brings its schema up to date, removes what is unused.

``check`` ends with 0 when all is in order, 2 with findings, 1 on an error.
"""

from __future__ import annotations

import argparse
import asyncio
import json

from maild.cli import Exit, Subparsers, add_settings, settings_of
from maild.cli._opened import finish, opened
from maild.locale import translator
from maild.settings import Settings
from maild.store import SchemaState, migrate_schema, schema_head, schema_of

FINDINGS = 2


def register(subparsers: Subparsers) -> None:
    """Adds the group."""
    group = subparsers.add_parser("store", help="look after the database", description=__doc__)
    commands = group.add_subparsers(metavar="COMMAND", required=True)
    checked = commands.add_parser("check", help="look for contradictions; changes nothing")
    checked.add_argument("--bodies", action="store_true", help="read every message and check its sums too")
    migrated = commands.add_parser("migrate", help="bring the schema up to this release's")
    migrated.add_argument("--dry", action="store_true", help="only say what is missing")
    swept = commands.add_parser("sweep", help="remove what nothing refers to any more")
    for name, parser in (("check", checked), ("migrate", migrated), ("sweep", swept)):
        parser.add_argument("--json", action="store_true", help="print a JSON value")
        add_settings(parser)
        parser.set_defaults(run=run, command=name)


def run(args: argparse.Namespace) -> int:
    """Runs the chosen command."""
    settings = settings_of(args)
    command = {"check": _check, "migrate": _migrate, "sweep": _sweep}[args.command]
    return finish(lambda: command(args, settings))


async def _check(args: argparse.Namespace, settings: Settings) -> int:
    _ = translator(settings.language)
    async with opened(settings, migrate=False) as store:
        findings = await store.maintenance.check(bodies=args.bodies)
    if args.json:
        rows = [{"what": one.what, "where": one.where, "detail": one.detail} for one in findings]
        print(json.dumps({"findings": rows}, ensure_ascii=False))
    else:
        for finding in findings:
            print(f"{_(finding.place, **finding.values)}: {_(finding.text, **finding.values)}")
        print(_.plural("{count} finding", "{count} findings", len(findings)))
    return FINDINGS if findings else Exit.OK


async def _migrate(args: argparse.Namespace, settings: Settings) -> int:
    found, before = await schema_of(settings.database)
    behind = found in {SchemaState.MISSING, SchemaState.OLDER}
    after = before
    if behind and not args.dry:
        after = await asyncio.to_thread(migrate_schema, settings.database)
    if args.json:
        print(json.dumps({"before": before, "after": after, "release": schema_head()}))
    else:
        print(f"{before or '-'} -> {after or schema_head()}")
    return FINDINGS if behind and args.dry else Exit.OK


async def _sweep(args: argparse.Namespace, settings: Settings) -> int:
    _ = translator(settings.language)
    async with opened(settings, migrate=False) as store:
        removed = await store.maintenance.sweep()
    print(json.dumps({"removed": removed}) if args.json else _("removed: {count}", count=removed))
    return Exit.OK
