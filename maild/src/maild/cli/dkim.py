"""``maild dkim list|rotate|advance``: the signing keys, and their change without a message that fails.

``rotate`` makes a domain's next keys and prints the records to enter. The daemon then looks by itself whether all name
servers have them, switches, and says when the old ones can go; ``advance`` does the same at once, without a daemon.
With ``dkim.update_server``, or ``--update SERVER``, records are entered and removed by dynamic update (RFC 2136).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from maild.cli import Exit, Subparsers, add_settings, settings_of
from maild.cli._opened import finish, opened
from maild.dns import wording
from maild.dns.check import Checker
from maild.dns.names import shown, to_query
from maild.dns.resolver import CachingResolver, open_resolver
from maild.dns.update import UpdateError, updater_of
from maild.locale import Translator, translator
from maild.settings import Settings
from maild.store import DKIMKey, Store
from maild.verify.dkim.rotation import Pace, Rotation
from maild.verify.dkim.signing_key import DKIMKeyError, unwrap
from maild.verify.dkim.wording import sentence
from maild.verify.keyring import StoredKeys
from maild.verify.rotating import RotationError, Rotator, errand, expected_of
from maild.wrapping import read_wrap_key


def register(subparsers: Subparsers) -> None:
    """Adds the group."""
    group = subparsers.add_parser("dkim", help="show and rotate signing keys", description=__doc__)
    commands = group.add_subparsers(metavar="COMMAND", required=True)
    listed = commands.add_parser("list", help="the keys and their records")
    rotated = commands.add_parser("rotate", help="make the next keys of a domain and begin to change over")
    rotated.add_argument("domain", metavar="DOMAIN")
    advanced = commands.add_parser("advance", help="take every rotation under way one step further")
    advanced.add_argument("--update", metavar="SERVER", help="enter records at this primary name server")
    advanced.add_argument("--tsig-file", type=Path, help="file with NAME SECRET of the key for updates")
    advanced.add_argument("--port", type=int, help="port of authoritative servers (default: the settings')")
    advanced.add_argument("--settle", type=float, help="seconds between published and used")
    advanced.add_argument("--linger", type=float, help="seconds an old key stays published")
    for name, command in (("list", listed), ("rotate", rotated), ("advance", advanced)):
        add_settings(command)
        command.add_argument("--language", choices=["en", "ko"], help="language of the answer (default: the settings')")
        command.set_defaults(run=run, command=name)


def run(args: argparse.Namespace) -> int:
    """Runs the chosen command."""
    settings = settings_of(args)
    say = translator(args.language or settings.language)
    try:
        return finish(lambda: _run(args, settings, say))
    except (DKIMKeyError, RotationError, UpdateError) as error:
        print(f"maild: {error}", file=sys.stderr)
        return Exit.NO


async def _run(args: argparse.Namespace, settings: Settings, say: Translator) -> int:
    wrap_key = read_wrap_key(settings.dkim.wrap_key_file)
    async with opened(settings) as store:
        if args.command == "list":
            _print_keys(await store.keys.dkim(), wrap_key, say)
            return Exit.OK
        rotator = _rotator(args, settings, store, StoredKeys(store.keys, wrap_key))
        if args.command == "rotate":
            rotation = await rotator.begin(to_query(args.domain) or args.domain)
            await _print_rotation(rotation, store, say)
            return Exit.OK
        for rotation in await rotator.under_way():
            server, key_file = (
                args.update or settings.dkim.update_server,
                args.tsig_file or settings.dkim.update_key_file,
            )
            rotator.publisher = await updater_of(server, key_file, rotation.domain, _resolver(settings))
            await _print_rotation(await rotator.advance(rotation), store, say)
    return Exit.OK


def _rotator(args: argparse.Namespace, settings: Settings, store: Store, ring: StoredKeys) -> Rotator:
    pace = Pace(settle=settings.dkim.settle_seconds, linger=settings.dkim.linger_hours * 3600)
    port = settings.dns.port
    if args.command == "advance":
        pace = Pace(
            settle=pace.settle if args.settle is None else args.settle,
            linger=pace.linger if args.linger is None else args.linger,
        )
        port = args.port or port

    def checker() -> Checker:
        return Checker(_resolver(settings), port=port)

    return Rotator(store.keys, store.state, ring, checker, pace=pace)


def _resolver(settings: Settings) -> CachingResolver:
    """A resolver with nothing remembered."""
    return open_resolver(settings.dns.servers, timeout=settings.dns.timeout_seconds)


def _print_keys(rows: Sequence[DKIMKey], wrap_key: bytes, say: Translator) -> None:
    states = {"active": "in use", "published": "published, not used yet", "retired": "no longer used, still published"}
    for row in rows:
        key = unwrap(row.domain, row.selector, row.wrapped, wrap_key)
        print(f"{shown(row.domain)} {row.selector} {row.algorithm} {key.bits} {say(states.get(row.state, row.state))}")
        if key.is_weak:
            text = "This key is short; receivers ask for 2048 bits: maild dkim rotate {domain}"
            print(f"  {say(text, domain=shown(row.domain))}")
        print("\n".join(f"  {line}" for line in wording.entry(expected_of(row), say)))


async def _print_rotation(rotation: Rotation, store: Store, say: Translator) -> None:
    print(sentence(rotation, say))
    waiting = await errand(store.keys, rotation)
    for row in (*waiting.enter, *waiting.remove):
        print("\n".join(f"  {line}" for line in wording.entry(row, say)))
