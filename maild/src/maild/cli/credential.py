"""``maild credential list|add|remove``: application passwords, so that a device knows none that opens everything.

Each is made here and printed once, good for the protocols and the time it is given; the mailbox's own password is
changed by ``maild account password``.
"""

from __future__ import annotations

import argparse
import json
import secrets
import time

from maild.cli import Exit, Subparsers, add_settings, settings_of
from maild.cli._opened import finish, mailbox_named, opened
from maild.cli._times import MICRO, local
from maild.locale import Translator, translator
from maild.policy.passwords import hash_password
from maild.store import Account, Credential, CredentialKind, NotFound, Store

PROTOCOLS = ("imap", "pop3", "smtp")

MADE_BYTES = 15
"""Random bytes of a password: 120 bits."""

DAY_US = 24 * 3600 * MICRO


def register(subparsers: Subparsers) -> None:
    """Adds the group."""
    group = subparsers.add_parser("credential", help="show, make and remove app passwords", description=__doc__)
    commands = group.add_subparsers(metavar="COMMAND", required=True)
    listed = commands.add_parser("list", help="what logs in to a mailbox, and when it last did")
    listed.add_argument("--json", action="store_true", help="print JSON lines")
    added = commands.add_parser("add", help="make an application password and print it")
    added.add_argument("--label", default="", help="what it is for")
    added.add_argument("--only", action="append", choices=PROTOCOLS, default=[], help="good for this protocol alone")
    added.add_argument("--days", type=int, help="how long it is good (default: for good)")
    removed = commands.add_parser("remove", help="remove an application password")
    removed.add_argument("id", type=int, help="its number in the list")
    for name, parser in (("list", listed), ("add", added), ("remove", removed)):
        parser.add_argument("--mailbox", required=True, metavar="ADDRESS", help="whose")
        add_settings(parser)
        parser.set_defaults(run=run, command=name)


def run(args: argparse.Namespace) -> int:
    """Runs the chosen command."""
    settings = settings_of(args)
    command = {"list": _list, "add": _add, "remove": _remove}[args.command]

    async def opened_command() -> int:
        async with opened(settings) as store:
            account = await mailbox_named(store, args.mailbox)
            return await command(args, store, account, translator(settings.language))

    return finish(opened_command)


async def _list(args: argparse.Namespace, store: Store, account: Account, _: Translator) -> int:
    for row in await store.credentials.of(account.id):
        if args.json:
            shown = {"id": row.id, "kind": row.kind, "label": row.label, "scope": row.scope}
            print(
                json.dumps(
                    {**shown, "last_used_at": row.last_used_at, "expires_at": row.expires_at}, ensure_ascii=False
                )
            )
            continue
        used = _("last used {time}", time=local(row.last_used_at)) if row.last_used_at else _("never used")
        ends = _("until {time}", time=local(row.expires_at)) if row.expires_at else _("for good")
        print(f"{row.id}\t{row.kind}\t{row.scope or '-'}\t{used}\t{ends}\t{row.label}".rstrip())
    return Exit.OK


async def _add(args: argparse.Namespace, store: Store, account: Account, _: Translator) -> int:
    password = secrets.token_urlsafe(MADE_BYTES)
    now = time.time_ns() // 1000
    made = await store.credentials.add(
        Credential(
            account_id=account.id,
            kind=CredentialKind.APP,
            hash=hash_password(password),
            scope=",".join(sorted(set(args.only))),
            label=args.label,
            created_at=now,
            expires_at=None if args.days is None else now + args.days * DAY_US,
        )
    )
    print(f"{made.id}\t{password}")
    return Exit.OK


async def _remove(args: argparse.Namespace, store: Store, account: Account, _: Translator) -> int:
    apps = [row.id for row in await store.credentials.of(account.id) if row.kind is CredentialKind.APP]
    if args.id not in apps:
        raise NotFound(public=_("There is no application password {id}.", id=args.id))
    await store.credentials.remove(args.id)
    return Exit.OK
