"""``maild dkim list|rotate|advance``: the signing keys, and their change without a message that fails.

``rotate`` makes a domain's next keys and prints the records to enter; ``advance``, run daily by a scheduled task, looks
whether all name servers have them, switches, and says when the old ones can go. With ``--update SERVER`` it enters and
removes the records itself (RFC 2136).
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
from maild.dns.resolver import open_resolver
from maild.dns.update import Key, UpdateError, Updater
from maild.dns.upstream import endpoint
from maild.locale import Translator, translator
from maild.settings import Settings
from maild.store import DKIMKey, Store
from maild.verify.dkim.rotation import Pace, Phase, Rotation
from maild.verify.dkim.signing_key import ADVISED_BITS, Algorithm, DKIMKeyError, unwrap
from maild.verify.keyring import StoredKeys
from maild.verify.rotating import RotationError, Rotator, expected_of
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
    advanced.add_argument("--port", type=int, default=53, help="port of authoritative servers (default: 53)")
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
    args.tsig = None
    if args.command == "advance" and args.tsig_file:
        name, secret = args.tsig_file.read_text(encoding="utf-8").split()
        args.tsig = Key(name, secret)
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
            if args.update:
                host, port = endpoint(args.update)
                rotator.publisher = Updater(rotation.domain, host, port, args.tsig)
            await _print_rotation(await rotator.advance(rotation), store, say)
    return Exit.OK


def _rotator(args: argparse.Namespace, settings: Settings, store: Store, ring: StoredKeys) -> Rotator:
    pace = Pace()
    if args.command == "advance":
        pace = Pace(
            settle=pace.settle if args.settle is None else args.settle,
            linger=pace.linger if args.linger is None else args.linger,
        )
    port = getattr(args, "port", 53)

    def checker() -> Checker:
        return Checker(open_resolver(settings.dns.servers, timeout=settings.dns.timeout_seconds), port=port)

    return Rotator(store.keys, store.state, ring, checker, pace=pace)


def _print_keys(rows: Sequence[DKIMKey], wrap_key: bytes, say: Translator) -> None:
    states = {"active": "in use", "published": "published, not used yet", "retired": "no longer used, still published"}
    for row in rows:
        key = unwrap(row.domain, row.selector, row.wrapped, wrap_key)
        print(f"{shown(row.domain)} {row.selector} {row.algorithm} {key.bits} {say(states.get(row.state, row.state))}")
        if row.algorithm == Algorithm.RSA and key.bits < ADVISED_BITS:
            text = "This key is short; receivers ask for 2048 bits: maild dkim rotate {domain}"
            print(f"  {say(text, domain=shown(row.domain))}")
        print("\n".join(f"  {line}" for line in wording.entry(expected_of(row), say)))


async def _print_rotation(rotation: Rotation, store: Store, say: Translator) -> None:
    texts = {
        Phase.PUBLISHING: "{domain}: enter these records; the switch follows once every name server has them.",
        Phase.SETTLING: "{domain}: every name server has the new records; the switch follows soon.",
        Phase.LINGERING: "{domain}: mail is signed with the new keys; leave the old records for now.",
        Phase.WITHDRAWING: "{domain}: the old records can be removed now:",
        Phase.DONE: "{domain}: the keys have been changed.",
    }
    print(say(texts[rotation.phase], domain=shown(rotation.domain)))
    wanted = {Phase.PUBLISHING: rotation.new, Phase.WITHDRAWING: rotation.old}.get(rotation.phase, ())
    for row in await store.keys.dkim(rotation.domain):
        if row.selector in wanted:
            print("\n".join(f"  {line}" for line in wording.entry(expected_of(row), say)))
