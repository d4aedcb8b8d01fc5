"""``maild account list|show|add|set|password|forward|reply|remove``: people's mailboxes.

A running daemon follows within a second.
"""

from __future__ import annotations

import argparse
import getpass
import secrets
import sys
from dataclasses import replace

from maild.cli import Exit, Subparsers, _incoming, add_settings, settings_of
from maild.cli._opened import finish, mailbox_named, named_address, opened
from maild.locale import Translator, translator
from maild.policy.passwords import MAX_PASSWORD, kept, usable
from maild.reconcile.desired import address_key
from maild.reconcile.shown import address as shown_address
from maild.store import Account, AlreadyExists, Store

MADE_BYTES = 15
"""Random bytes of a password that is made: 120 bits."""

MIB = 1 << 20


class NoPasswordError(ValueError):
    """What was given cannot be a password; the message says why and what to do."""


def register(subparsers: Subparsers) -> None:
    """Adds the group."""
    group = subparsers.add_parser("account", help="show and change mailboxes", description=__doc__)
    commands = group.add_subparsers(metavar="COMMAND", required=True)
    listed = commands.add_parser("list", help="all mailboxes, with what they hold")
    listed.add_argument("--domain", help="only those of this domain")
    shown = commands.add_parser("show", help="one mailbox and its own addresses")
    added = commands.add_parser("add", help="make a mailbox; the password is asked for, or made and printed")
    changed = commands.add_parser("set", help="change a mailbox")
    password = commands.add_parser("password", help="set a new password; application passwords stay")
    forwarded, answered = _incoming.register(commands)
    removed = commands.add_parser("remove", help="remove a mailbox")
    removed.add_argument("--purge", action="store_true", help="with all mail in it")
    for parser in (added, password):
        parser.add_argument("--stdin", action="store_true", help="read the password from standard input")
        parser.add_argument("--generate", action="store_true", help="make a password and print it")
    for parser in (added, changed):
        parser.add_argument("--quota-mb", type=int, help="most it may hold, 0: no bound")
        parser.add_argument("--name", help="the person's name")
        parser.add_argument("--language", choices=["en", "ko"], help="language of notices")
    changed.add_argument("--active", choices=["yes", "no"], help="whether it takes mail and logins")
    for name, parser in (
        ("show", shown),
        ("add", added),
        ("set", changed),
        ("password", password),
        ("forward", forwarded),
        ("reply", answered),
        ("remove", removed),
    ):
        parser.add_argument("address")
        parser.set_defaults(command=name)
    listed.set_defaults(command="list")
    for parser in (listed, shown, added, changed, password, forwarded, answered, removed):
        add_settings(parser)
        parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Runs the chosen command."""
    settings = settings_of(args)
    _ = translator(settings.language)

    async def command() -> int:
        async with opened(settings) as store:
            if args.command == "list":
                return await _list(args, store, _)
            return await _COMMANDS[args.command](args, store, _)

    try:
        return finish(command)
    except NoPasswordError as error:
        print(f"maild: {error}", file=sys.stderr)
        return Exit.NO


async def _list(args: argparse.Namespace, store: Store, _: Translator) -> int:
    domain = address_key(f"x@{args.domain}")[1] if args.domain else None
    for account in await store.directory.accounts(domain):
        size, messages = await store.directory.usage(account.id)
        state = "" if account.active else "\t" + _("disabled")
        print(f"{_shown(account)}\t{messages}\t{size / MIB:.1f} MiB{state}")
    return Exit.OK


async def _show(args: argparse.Namespace, store: Store, _: Translator) -> int:
    account = await mailbox_named(store, args.address)
    size, messages = await store.directory.usage(account.id)
    print(f"{_shown(account)}\t{account.display_name}")
    print(_("messages: {count}, {size} MiB", count=messages, size=f"{size / MIB:.1f}"))
    if account.quota_bytes:
        print(_("most it may hold: {size} MiB", size=f"{account.quota_bytes / MIB:.1f}"))
    for own in await store.directory.addresses_of(account.id):
        print(_("may send as {address}", address=shown_address(*own.rsplit("@", 1))))
    for line in _incoming.lines(account, _):
        print(line)
    return Exit.OK


async def _add(args: argparse.Namespace, store: Store, _: Translator) -> int:
    local, domain = named_address(args.address)
    if await store.directory.account_named(local, domain) is not None:
        raise AlreadyExists(args.address)
    password = _password(args, _)
    account = await store.directory.save_account(_changed(args, Account(domain=domain, local=local)))
    await _keep(account, password, args, store)
    if args.generate:
        print(f"{_shown(account)}\t{password}")
    return Exit.OK


async def _set(args: argparse.Namespace, store: Store, _: Translator) -> int:
    account = _changed(args, await mailbox_named(store, args.address))
    if args.active is not None:
        account = replace(account, active=args.active == "yes")
    await store.directory.save_account(account)
    return Exit.OK


async def _new_password(args: argparse.Namespace, store: Store, _: Translator) -> int:
    account = await mailbox_named(store, args.address)
    password = _password(args, _)
    await _keep(account, password, args, store)
    if args.generate:
        print(f"{_shown(account)}\t{password}")
    return Exit.OK


async def _keep(account: Account, password: str, args: argparse.Namespace, store: Store) -> None:
    new = kept(password, scram=settings_of(args).policy.scram)
    await store.credentials.set_password(account.id, new.hash, new.verifier)


async def _remove(args: argparse.Namespace, store: Store, _: Translator) -> int:
    await store.directory.remove_account((await mailbox_named(store, args.address)).id, purge=args.purge)
    return Exit.OK


_COMMANDS = {
    "show": _show,
    "add": _add,
    "set": _set,
    "password": _new_password,
    "forward": _incoming.forward,
    "reply": _incoming.reply,
    "remove": _remove,
}


def _changed(args: argparse.Namespace, account: Account) -> Account:
    if args.quota_mb is not None:
        account = replace(account, quota_bytes=args.quota_mb * MIB)
    if args.name is not None:
        account = replace(account, display_name=args.name)
    return account if args.language is None else replace(account, language=args.language)


def _password(args: argparse.Namespace, _: Translator) -> str:
    """A password that can be used; raises ``NoPasswordError`` where nobody can be asked again."""
    if args.generate:
        return secrets.token_urlsafe(MADE_BYTES)
    if args.stdin or not sys.stdin.isatty():
        given = sys.stdin.readline().rstrip("\r\n")
        if not usable(given):
            why = "The password is empty or longer than {bytes} bytes. Give it on standard input, or use --generate."
            raise NoPasswordError(_(why, bytes=MAX_PASSWORD))
        return given
    while True:
        first, second = getpass.getpass(_("Password: ")), getpass.getpass(_("Again: "))
        if usable(first) and first == second:
            return first
        print(_("The two differ, or are empty."), file=sys.stderr)


def _shown(account: Account) -> str:
    return shown_address(account.local, account.domain)
