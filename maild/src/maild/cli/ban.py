"""``maild ban list|add|remove``: shows and changes who is shut out. A running daemon follows within a second."""

from __future__ import annotations

import argparse
import asyncio
import ipaddress
import sys
import time

from maild.cli import Exit, Subparsers, add_settings, settings_of
from maild.cli._opened import opened
from maild.cli._times import MICRO, local
from maild.locale import Translator, translator
from maild.net.peer import Network, address_of, network_of
from maild.policy.ranges import networks
from maild.settings import Settings
from maild.store import Ban


def register(subparsers: Subparsers) -> None:
    """Adds the group."""
    group = subparsers.add_parser("ban", help="show and change banned networks", description=__doc__)
    commands = group.add_subparsers(metavar="COMMAND", required=True)
    listed = commands.add_parser("list", help="the bans in force")
    added = commands.add_parser("add", help="ban a network")
    added.add_argument("network", type=network, metavar="NETWORK", help="ADDRESS (of IPv6 its /64) or ADDRESS/BITS")
    added.add_argument("--minutes", type=minutes, default=60, help="length of the ban, 0: for good (default: 60)")
    added.add_argument("--reason", default="", help="why, as the list shows it")
    removed = commands.add_parser("remove", help="end a ban")
    removed.add_argument("network", type=network, metavar="NETWORK")
    for name, parser in (("list", listed), ("add", added), ("remove", removed)):
        add_settings(parser)
        parser.set_defaults(run=run, command=name)


def network(text: str) -> Network:
    """What is meant by an address alone is what a ban of ours would hold: of IPv6 its /64, which is one client."""
    return ipaddress.ip_network(text) if "/" in text else network_of(address_of(text))


def minutes(text: str) -> int:
    """A length of time, 0 for good; ValueError for less."""
    if (length := int(text)) < 0:
        raise ValueError(text)
    return length


def run(args: argparse.Namespace) -> int:
    """Runs the chosen command."""
    return asyncio.run(_run(args, settings_of(args)))


async def _run(args: argparse.Namespace, settings: Settings) -> int:
    say = translator(settings.language)
    async with opened(settings) as store:
        access = store.access
        if args.command == "add":
            if any(_within(args.network, kept) for kept in networks(settings.auto_ban.never)):
                print(
                    "maild:", say("{network} is never banned (auto_ban.never)", network=args.network), file=sys.stderr
                )
                return Exit.NO
            now = time.time_ns() // 1000
            ends = now + args.minutes * 60 * MICRO if args.minutes else None
            await access.add_ban(
                Ban(
                    network=args.network,
                    reason=args.reason or say("by the administrator"),
                    created_at=now,
                    expires_at=ends,
                    automatic=False,
                )
            )
            return Exit.OK
        if args.command == "remove":
            if await access.remove_ban(args.network):
                return Exit.OK
            print("maild:", say("{network} is not banned", network=args.network), file=sys.stderr)
            return Exit.NO
        bans = await access.bans()
        for ban in bans:
            print(f"{ban.network}\t{_until(ban.expires_at, say)}\t{ban.reason}")
        if not bans:
            print(say("Nobody is banned."), file=sys.stderr)
        return Exit.OK


def _within(inner: Network, outer: Network) -> bool:
    return inner.version == outer.version and inner.network_address in outer and inner.prefixlen >= outer.prefixlen


def _until(at: int | None, say: Translator) -> str:
    return say("for good") if at is None else local(at)
