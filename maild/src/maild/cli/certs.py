"""``maild certs status|issue|renew``: what the certificates are, orders those that are missing, renews those due.

Ends with 0 when all is in order, 2 when a name waits or a certificate is due, 1 when something failed. ``issue`` takes
a desired state's options (``--desired FILE --dry --json``) as ``maild reconcile`` does; what it wants are the settings.
"""

from __future__ import annotations

import argparse
import asyncio
import datetime as dt
import json
import sys
from pathlib import Path
from typing import Any

from maild import loaded
from maild.certs import need
from maild.certs.errors import CertsError
from maild.certs.pairs import Found
from maild.certs.renewal import Renewal, Result, State, in_folder, pending_orders, status
from maild.cli import Exit, Subparsers, add_settings, settings_of
from maild.dns.resolver import CachingResolver
from maild.dns.upstream import CaresUpstream
from maild.locale import Translator, translator
from maild.mail.domain import to_unicode
from maild.service import posix, windows
from maild.settings import Settings

FINDINGS = 2
"""Exit status: it works, and there is something to know."""


def register(subparsers: Subparsers) -> None:
    """Adds the group."""
    group = subparsers.add_parser("certs", help="show, order and renew certificates", description=__doc__)
    commands = group.add_subparsers(metavar="COMMAND", required=True)
    for name, text in (
        ("status", "say what the certificates are; asks nobody"),
        ("issue", "order certificates and names that are missing"),
        ("renew", "order what is missing and renew what is due; for a scheduled task"),
    ):
        command = commands.add_parser(name, help=text)
        add_settings(command)
        command.add_argument("--json", action="store_true", help="print JSON")
        command.add_argument("--language", choices=["en", "ko"], help="language of the answer (default: the settings')")
        if name == "issue":
            command.add_argument("--desired", type=Path, help="ignored: the settings say what is wanted")
            command.add_argument("--dry", action="store_true", help="say what would be ordered, order nothing")
        command.set_defaults(run=run, command=name)


def run(args: argparse.Namespace) -> int:
    """Runs the chosen command."""
    settings = settings_of(args)
    say = translator(args.language or settings.language)
    try:
        if args.command == "status":
            results = status(settings) if settings.acme.enabled else in_folder(settings)
            return _show(results, settings, say, as_json=args.json)
        if not settings.acme.enabled:
            return _off(args, say)
        if args.command == "issue" and args.dry:
            return _dry(settings, say, as_json=args.json)
        results = asyncio.run(_order(settings, due_too=args.command == "renew"))
    except CertsError as error:
        print(f"maild: {error}", file=sys.stderr)
        return Exit.NO
    if any(each.changed for each in results):
        _ask_to_reload(settings)
    return _show(results, settings, say, as_json=args.json)


async def _order(settings: Settings, *, due_too: bool) -> list[Result]:
    resolver = CachingResolver(CaresUpstream(settings.dns.servers, timeout=settings.dns.timeout_seconds))
    return await Renewal(settings, resolver, lambda: dt.datetime.now(dt.UTC)).run(due_too=due_too)


def _off(args: argparse.Namespace, say: Translator) -> int:
    if args.json:
        print(json.dumps({"changes": [], "not_managed": [], "certificates": []}))
    else:
        print(say("Ordering certificates is off (acme.enabled); those in the TLS folder are used as they are."))
    return Exit.OK


def _dry(settings: Settings, say: Translator, *, as_json: bool) -> int:
    orders = pending_orders(settings)
    changes = [
        {
            "object": "certificate",
            "name": wanted.name,
            "field": "names",
            "current": list(found.names) if found and not found.self_signed else None,
            "wanted": sorted(wanted.names),
        }
        for wanted, found in orders
    ]
    if as_json:
        print(json.dumps({"changes": changes, "not_managed": []}, ensure_ascii=False))
    for wanted, _ in orders if not as_json else ():
        names = ", ".join(map(to_unicode, wanted.names))
        print(say("{name}: would be ordered for {names}", name=wanted.name, names=names))
    return FINDINGS if changes else Exit.OK


def _ask_to_reload(settings: Settings) -> None:
    """A running daemon takes new certificates at once; it would see them by itself in a quarter of a minute."""
    if sys.platform == "win32":
        try:
            windows.ask_to_reload()
        except windows.ServiceError as error:
            print(f"maild: {error}", file=sys.stderr)
        return
    running = loaded.read(settings.data_folder)
    if running is not None:
        posix.ask_to_reload(running.pid)


def _show(results: list[Result], settings: Settings, say: Translator, *, as_json: bool) -> int:
    now = dt.datetime.now(dt.UTC)
    if as_json:
        shown = [_as_json(each, say, now) for each in results]
        print(json.dumps({"changes": [], "not_managed": [], "certificates": shown}, ensure_ascii=False))
    else:
        for each in results:
            print("\n".join(_lines(each, say, now)))
        if not results and settings.acme.enabled:
            print(say("No certificate is named in the settings (acme.certificates)."))
        elif not results:
            print(say("There is no certificate in {folder}.", folder=settings.tls.folder))
    for each in results:
        if each.state is State.FAILED:
            print(f"maild: certificate {each.name}: {each.error}", file=sys.stderr)
    if any(each.state is State.FAILED for each in results):
        return Exit.NO
    due = any(each.found is not None and _is_due(each.found, settings, now) for each in results)
    return FINDINGS if due or any(each.state is State.PENDING for each in results) else Exit.OK


def _is_due(found: Found, settings: Settings, now: dt.datetime) -> bool:
    """What others renew is due when it has ended: when they do it is theirs."""
    return need.is_due(found, now) if settings.acme.enabled else need.days_left(found, now) < 0


def _as_json(result: Result, say: Translator, now: dt.datetime) -> dict[str, Any]:
    found = result.found
    return {
        "name": result.name,
        "state": result.state.value,
        "names": list(found.names) if found else [],
        "pending": {name: say(reason.text, **reason.values) for name, reason in result.waiting.items()},
        "serial": f"{found.serial:x}" if found else "",
        "issuer": found.issuer if found else "",
        "self_signed": bool(found and found.self_signed),
        "not_after": found.not_after.isoformat() if found else "",
        "days_left": need.days_left(found, now) if found else None,
        "error": result.error,
    }


def _lines(result: Result, say: Translator, now: dt.datetime) -> list[str]:
    found = result.found
    lines = [_headline(result, say)]
    if found is not None:
        names = ", ".join(map(to_unicode, found.names))
        days = say.plural("{count} day left", "{count} days left", need.days_left(found, now))
        until = f"{found.not_after:%Y-%m-%d}"
        issuer = say("self-signed") if found.self_signed else found.issuer
        lines.append(
            "  "
            + say("for {names}; until {until}, {days}; {issuer}", names=names, until=until, days=days, issuer=issuer)
        )
    for name, reason in result.waiting.items():
        why = say(reason.text, **reason.values)
        lines.append("  " + say("{name} waits: {why}", name=to_unicode(name), why=why))
    if result.error:
        lines.append("  " + say("failed: {why}", why=result.error))
    return lines


def _headline(result: Result, say: Translator) -> str:
    words = {
        State.FINE: say("self-signed") if result.found and result.found.self_signed else say("in order"),
        State.ISSUED: say("issued"),
        State.PENDING: say("some names wait; the renewal task takes them in once they lead here"),
        State.FAILED: say("failed"),
    }
    return f"{result.name}: {words[result.state]}"
