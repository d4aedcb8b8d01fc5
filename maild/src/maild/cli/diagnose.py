"""``maild diagnose``: looks at everything a mail server needs, and says in plain words what is wrong and what to do.

Ends with 0 when all is fine, 2 with findings, 1 when something could not be looked at.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import json
from collections.abc import Sequence
from functools import partial

from maild.cli import Exit, Subparsers, add_settings, settings_of
from maild.cli._opened import opened
from maild.diagnosis import inside, outside
from maild.diagnosis.result import Check, Line, State, broken
from maild.dns.resolver import open_resolver
from maild.locale import Translator, translator
from maild.settings import Settings
from maild.store import StoreError

FINDINGS = 2
"""Exit status: everything was looked at, and something is to be done."""
OUTSIDE_DOMAIN = "gmail.com"
"""Whose mail server is called to see whether port 25 is open on the way out."""
MARKS = {State.FINE: "OK", State.FINDING: "!!", State.BROKEN: "??"}


def register(subparsers: Subparsers) -> None:
    """Adds the command."""
    command = subparsers.add_parser("diagnose", help="look for what is wrong", description=__doc__)
    add_settings(command)
    command.add_argument("--json", action="store_true", help="print JSON")
    command.add_argument("--language", choices=["en", "ko"], help="language of the answer (default: the settings')")
    command.add_argument("--offline", action="store_true", help="leave out what needs DNS or the internet")
    command.add_argument(
        "--outside", metavar="DOMAIN", default=OUTSIDE_DOMAIN, help=f"whose mail server is called ({OUTSIDE_DOMAIN})"
    )
    command.add_argument("--outside-port", type=int, default=25, help="its port (25)")
    command.add_argument("--dns-port", type=int, help="port of authoritative name servers (the settings')")
    command.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Looks, and prints what was seen."""
    settings = settings_of(args)
    say = translator(args.language or settings.language)
    lines = asyncio.run(_look(args, settings, say))
    if args.json:
        print(json.dumps({"checks": [_plain(line, say) for line in lines]}, ensure_ascii=False))
    else:
        print("\n".join(text for line in lines for text in _shown(line, say)))
    states = {line.state for line in lines}
    if State.BROKEN in states:
        return Exit.NO
    return FINDINGS if State.FINDING in states else Exit.OK


async def _look(args: argparse.Namespace, settings: Settings, say: Translator) -> list[Line]:
    """The lines in the order of the checks; they run beside each other, except where one would see another's probe."""
    checks: list[Check] = [
        partial(inside.ports, settings),
        partial(inside.relay, settings),
        partial(outside.certificates, settings, dt.datetime.now(dt.UTC)),
        partial(inside.disk, settings),
        partial(inside.errors, settings, dt.datetime.now().astimezone().date()),
    ]
    resolver = None
    if not args.offline:
        resolver = open_resolver(
            settings.dns.servers, validating=settings.dns.validating, timeout=settings.dns.timeout_seconds
        )
        checks.append(partial(outside.way_out, resolver, args.outside, args.outside_port))
    try:
        async with opened(settings, migrate=False) as store:
            checks += [partial(inside.database, store), partial(inside.bans, store), partial(outside.keys, store, say)]
            if resolver is not None:
                port = args.dns_port or settings.dns.port
                checks.append(partial(outside.records, settings, store, resolver, port, say))
            return await _all(checks)
    except StoreError as error:
        return [*await _all(checks), inside.away(error)]


async def _all(checks: Sequence[Check]) -> list[Line]:
    found = await asyncio.gather(*(check() for check in checks), return_exceptions=True)
    lines: list[Line] = []
    for each in found:
        if isinstance(each, Exception):
            lines.append(broken("A check has failed itself: {cause}", cause=f"{type(each).__name__}: {each}"))
        elif isinstance(each, BaseException):
            raise each
        else:
            lines += each
    return lines


def _plain(line: Line, say: Translator) -> dict[str, str]:
    return {
        "state": line.state.value,
        "text": say(line.text, **line.values),
        "remedy": say(line.remedy, **line.values) if line.remedy else "",
    }


def _shown(line: Line, say: Translator) -> list[str]:
    shown = [f"{MARKS[line.state]}  {say(line.text, **line.values)}"]
    if line.remedy:
        shown.append(f"    -> {say(line.remedy, **line.values)}")
    return shown
