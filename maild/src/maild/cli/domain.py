"""``maild domain list|add|remove|alias``: the domains whose mail is held here, and the other names they go by."""

from __future__ import annotations

import argparse

from maild.cli import Exit, RefusedError, Subparsers, add_settings, settings_of
from maild.cli._opened import finish, opened
from maild.mail.domain import to_unicode
from maild.reconcile import ReconcileError
from maild.reconcile.desired import domain_key, stored_address
from maild.store import AliasDomain, AlreadyExists, Domain, Store


def register(subparsers: Subparsers) -> None:
    """Adds the group."""
    group = subparsers.add_parser("domain", help="show and change domains", description=__doc__)
    commands = group.add_subparsers(metavar="COMMAND", required=True)
    listed = commands.add_parser("list", help="all domains, each with its other names")
    added = commands.add_parser("add", help="hold the mail of a domain")
    added.add_argument("name")
    added.add_argument("--catch-all", metavar="ADDRESS", help="takes what is for nobody else there")
    removed = commands.add_parser("remove", help="remove a domain that nobody lives in, or another name")
    removed.add_argument("name")
    alias = commands.add_parser("alias", help="give a domain another name")
    alias.add_argument("name", help="the other name")
    alias.add_argument("domain", help="the domain that gets it")
    for name, parser in (("list", listed), ("add", added), ("remove", removed), ("alias", alias)):
        add_settings(parser)
        parser.set_defaults(run=run, command=name)


def run(args: argparse.Namespace) -> int:
    """Runs the chosen command."""
    settings = settings_of(args)

    async def command() -> int:
        async with opened(settings) as store:
            return await _run(args, store)

    return finish(command)


async def _run(args: argparse.Namespace, store: Store) -> int:
    directory = store.directory
    if args.command == "list":
        aliases = await directory.alias_domains()
        for domain in await directory.domains():
            names = [to_unicode(alias.name) for alias in aliases if alias.domain == domain.name]
            print("\t".join([to_unicode(domain.name), *names]))
        return Exit.OK
    name = _named(args.name)
    others = {alias.name for alias in await directory.alias_domains()}
    if args.command == "remove" and name not in others and await directory.domain(name) is None:
        raise RefusedError("There is no domain {name}.", name=args.name)
    if args.command == "add":
        if await directory.domain(name) is not None:
            raise AlreadyExists(args.name)
        catch_all = stored_address(args.catch_all) if args.catch_all else None
        await directory.save_domain(Domain(name=name, catch_all=catch_all))
    elif args.command == "alias":
        target = _named(args.domain)
        if await directory.domain(target) is None:
            raise RefusedError("There is no domain {name}.", name=args.domain)
        await directory.save_alias_domain(AliasDomain(name=name, domain=target))
    elif name in others:
        await directory.remove_alias_domain(name)
    else:
        await directory.remove_domain(name)
    return Exit.OK


def _named(name: str) -> str:
    try:
        return domain_key(name)
    except ReconcileError as error:
        raise RefusedError("{name} is no domain name.", name=name) from error
