"""Domains, accounts, aliases and lists: compared with what is declared, and changed to it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from msgspec import UNSET, UnsetType

from maild.reconcile import shown
from maild.reconcile.change import Change, NotManaged, Plain, Step, differences, removal
from maild.reconcile.desired import (
    AccountState,
    AliasDomainState,
    AliasState,
    Desired,
    DomainState,
    ListState,
    address_key,
    domain_key,
    stored_address,
)
from maild.reconcile.passwords import FirstPasswords
from maild.store import Account, Alias, AliasDomain, Domain, MailingList, Store

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class People:
    """What is there now."""

    domains: Sequence[Domain] = ()
    alias_domains: Sequence[AliasDomain] = ()
    accounts: Sequence[Account] = ()
    aliases: Sequence[Alias] = ()
    lists: Sequence[MailingList] = ()
    with_mail: frozenset[int] = frozenset()
    """Ids of the accounts that hold mail."""
    without_password: frozenset[int] = frozenset()


async def look(store: Store) -> People:
    """Reads what is there."""
    directory = store.directory
    accounts = await directory.accounts()
    with_mail = {account.id for account in accounts if (await directory.usage(account.id))[1]}
    return People(
        domains=await directory.domains(),
        alias_domains=await directory.alias_domains(),
        accounts=accounts,
        aliases=await directory.aliases(),
        lists=await directory.lists(),
        with_mail=frozenset(with_mail),
        without_password=frozenset({each.id for each in accounts if not await store.credentials.of(each.id)}),
    )


def or_else(value: T | UnsetType, current: T) -> T:
    """What is declared, or else what is there."""
    return current if isinstance(value, UnsetType) else value


def steps(desired: Desired, now: People, passwords: FirstPasswords) -> list[Step]:
    """What makes it as declared: first what comes, domains before what lives in them, then what goes."""
    coming = [
        *_each(desired.domains, lambda wanted: _domain(wanted, now)),
        *_each(desired.alias_domains, lambda wanted: _alias_domain(wanted, now)),
        *_each(desired.accounts, lambda wanted: _account(wanted, now, passwords)),
        *_each(desired.aliases, lambda wanted: _alias(wanted, now)),
        *_each(desired.lists, lambda wanted: _list(wanted, now)),
    ]
    going = [
        *[_gone_list(wanted, now) for wanted in desired.lists if wanted.absent],
        *[_gone_alias(wanted, now) for wanted in desired.aliases if wanted.absent],
        *[_gone_account(wanted, now) for wanted in desired.accounts if wanted.absent],
        *[_gone_alias_domain(wanted, now) for wanted in desired.alias_domains if wanted.absent],
        *[_gone_domain(wanted, now, desired) for wanted in desired.domains if wanted.absent],
    ]
    return [step for step in (*coming, *going) if step is not None and step.changes]


def not_managed(desired: Desired, now: People) -> list[NotManaged]:
    """What is there and was not declared."""
    domains = {domain_key(each.name) for each in desired.domains}
    alias_domains = {domain_key(each.name) for each in desired.alias_domains}
    declared = {
        address_key(each.address) for group in (desired.accounts, desired.aliases, desired.lists) for each in group
    }
    found = [NotManaged("domain", shown.domain(each.name)) for each in now.domains if each.name not in domains]
    found += [
        NotManaged("alias_domain", shown.domain(each.name))
        for each in now.alias_domains
        if each.name not in alias_domains
    ]
    groups: Iterable[tuple[str, Sequence[Account] | Sequence[Alias] | Sequence[MailingList]]] = (
        ("account", now.accounts),
        ("alias", now.aliases),
        ("list", now.lists),
    )
    return found + [
        NotManaged(kind, shown.address(each.local, each.domain))
        for kind, group in groups
        for each in group
        if (each.local, each.domain) not in declared
    ]


def _each(declared: Sequence[T], step: Callable[[T], Step | None]) -> list[Step | None]:
    return [step(wanted) for wanted in declared if not getattr(wanted, "absent", False)]


def _domain(wanted: DomainState, now: People) -> Step:
    name = domain_key(wanted.name)
    found = next((each for each in now.domains if each.name == name), None)
    catch_all = wanted.catch_all
    if isinstance(catch_all, str):
        catch_all = stored_address(catch_all)
    current = found or Domain(name=name)
    target = replace(
        current,
        active=or_else(wanted.active, current.active),
        catch_all=or_else(catch_all, current.catch_all),
        plus_addressing=or_else(wanted.plus_addressing, current.plus_addressing),
        message_bytes=or_else(wanted.message_bytes, current.message_bytes),
    )
    fields = shown.given(
        active=wanted.active,
        catch_all=shown.addresses([catch_all]) if isinstance(catch_all, str) else catch_all,
        plus_addressing=wanted.plus_addressing,
        message_bytes=wanted.message_bytes,
    )
    present = _domain_fields(found) if found else None
    return Step(
        differences("domain", shown.domain(name), present, fields), lambda store: store.directory.save_domain(target)
    )


def _domain_fields(domain: Domain) -> dict[str, Plain]:
    return {
        "active": domain.active,
        "catch_all": shown.addresses([domain.catch_all]) if domain.catch_all else None,
        "plus_addressing": domain.plus_addressing,
        "message_bytes": domain.message_bytes,
    }


def _alias_domain(wanted: AliasDomainState, now: People) -> Step:
    target = AliasDomain(name=domain_key(wanted.name), domain=domain_key(wanted.domain))
    found = next((each for each in now.alias_domains if each.name == target.name), None)
    changes = differences(
        "alias_domain",
        shown.domain(target.name),
        {"domain": shown.domain(found.domain)} if found else None,
        {"domain": shown.domain(target.domain)},
    )
    return Step(changes, lambda store: store.directory.save_alias_domain(target))


def _account(wanted: AccountState, now: People, passwords: FirstPasswords) -> Step:
    local, domain = address_key(wanted.address)
    found = _at(now.accounts, local, domain)
    senders = wanted.allowed_senders
    if not isinstance(senders, UnsetType):
        senders = tuple(sorted(stored_address(sender) for sender in senders))
    current = found or Account(domain=domain, local=local)
    target = replace(
        current,
        display_name=or_else(wanted.name, current.display_name),
        active=or_else(wanted.active, current.active),
        quota_bytes=or_else(wanted.quota_bytes, current.quota_bytes),
        language=or_else(wanted.language, current.language),
        admin=or_else(wanted.admin, current.admin),
        allowed_senders=or_else(senders, current.allowed_senders),
        any_sender=or_else(wanted.any_sender, current.any_sender),
    )
    name = shown.address(local, domain)
    fields = shown.given(
        name=wanted.name,
        active=wanted.active,
        quota_bytes=wanted.quota_bytes,
        language=wanted.language,
        admin=wanted.admin,
        allowed_senders=senders if isinstance(senders, UnsetType) else shown.addresses(senders),
        any_sender=wanted.any_sender,
    )
    changes = differences("account", name, _account_fields(found) if found else None, fields)
    # Also the rest of a run that was killed between the account and its password.
    first = found is None or found.id in now.without_password
    if first:
        changes += (Change("account", name, "password", None, "(first)"),)

    async def apply(store: Store) -> None:
        kept = await passwords.first(name, wanted.password) if first else None
        saved = await store.directory.save_account(target)
        if kept is not None:
            await store.credentials.set_password(saved.id, kept.hash, kept.verifier)

    return Step(changes, apply)


def _account_fields(account: Account) -> dict[str, Plain]:
    return {
        "name": account.display_name,
        "active": account.active,
        "quota_bytes": account.quota_bytes,
        "language": account.language,
        "admin": account.admin,
        "allowed_senders": shown.addresses(account.allowed_senders),
        "any_sender": account.any_sender,
    }


def _alias(wanted: AliasState, now: People) -> Step:
    local, domain = address_key(wanted.address)
    found = _at(now.aliases, local, domain)
    targets = tuple(sorted(stored_address(target) for target in wanted.targets))
    target = Alias(
        domain=domain, local=local, targets=targets, active=or_else(wanted.active, found.active if found else True)
    )
    fields = shown.given(targets=shown.addresses(targets), active=wanted.active)
    present: dict[str, Plain] | None = (
        {"targets": shown.addresses(found.targets), "active": found.active} if found else None
    )
    name = shown.address(local, domain)
    problem = "" if targets else f"alias {name} has no targets"
    return Step(differences("alias", name, present, fields), lambda store: store.directory.save_alias(target), problem)


def _list(wanted: ListState, now: People) -> Step:
    local, domain = address_key(wanted.address)
    found = _at(now.lists, local, domain)
    current = found or MailingList(domain=domain, local=local)
    members, announcers = _sorted(wanted.members), _sorted(wanted.announcers)
    target = replace(
        current,
        members=or_else(members, current.members),
        mode=or_else(wanted.mode, current.mode),
        announcers=or_else(announcers, current.announcers),
        require_auth=or_else(wanted.require_auth, current.require_auth),
        title=or_else(wanted.title, current.title),
        active=or_else(wanted.active, current.active),
    )
    fields = shown.given(
        members=members if isinstance(members, UnsetType) else shown.addresses(members),
        mode=wanted.mode,
        announcers=announcers if isinstance(announcers, UnsetType) else shown.addresses(announcers),
        require_auth=wanted.require_auth,
        title=wanted.title,
        active=wanted.active,
    )
    present: dict[str, Plain] | None = None
    if found:
        present = {
            "members": shown.addresses(found.members),
            "mode": str(found.mode),
            "announcers": shown.addresses(found.announcers),
            "require_auth": found.require_auth,
            "title": found.title,
            "active": found.active,
        }
    changes = differences("list", shown.address(local, domain), present, fields)
    return Step(changes, lambda store: store.directory.save_list(target))


def _gone_list(wanted: ListState, now: People) -> Step | None:
    local, domain = address_key(wanted.address)
    if _at(now.lists, local, domain) is None:
        return None
    return Step(removal("list", shown.address(local, domain)), lambda store: store.directory.remove_list(local, domain))


def _gone_alias(wanted: AliasState, now: People) -> Step | None:
    local, domain = address_key(wanted.address)
    if _at(now.aliases, local, domain) is None:
        return None
    return Step(
        removal("alias", shown.address(local, domain)), lambda store: store.directory.remove_alias(local, domain)
    )


def _gone_account(wanted: AccountState, now: People) -> Step | None:
    local, domain = address_key(wanted.address)
    found = _at(now.accounts, local, domain)
    if found is None:
        return None
    name = shown.address(local, domain)
    full = found.id in now.with_mail and not wanted.purge
    problem = f"{name} still has mail; removing it with its mail needs purge" if full else ""
    account_id = found.id
    return Step(
        removal("account", name),
        lambda store: store.directory.remove_account(account_id, purge=wanted.purge),
        problem,
    )


def _gone_alias_domain(wanted: AliasDomainState, now: People) -> Step | None:
    name = domain_key(wanted.name)
    if not any(each.name == name for each in now.alias_domains):
        return None
    return Step(removal("alias_domain", shown.domain(name)), lambda store: store.directory.remove_alias_domain(name))


def _gone_domain(wanted: DomainState, now: People, desired: Desired) -> Step | None:
    name = domain_key(wanted.name)
    if not any(each.name == name for each in now.domains):
        return None
    leaving = {
        address_key(each.address)
        for group in (desired.accounts, desired.aliases, desired.lists)
        for each in group
        if each.absent
    }
    staying = [
        shown.address(each.local, each.domain)
        for group in (now.accounts, now.aliases, now.lists)
        for each in group
        if each.domain == name and (each.local, each.domain) not in leaving
    ]
    problem = ""
    if staying and not wanted.purge:
        problem = f"domain {shown.domain(name)} still has {', '.join(staying)}; removing all of it needs purge"
    return Step(removal("domain", shown.domain(name)), _remove_domain(name), problem)


def _remove_domain(name: str) -> Callable[[Store], Awaitable[None]]:
    async def remove(store: Store) -> None:
        directory = store.directory
        for mailing_list in await directory.lists(name):
            await directory.remove_list(mailing_list.local, name)
        for alias in await directory.aliases(name):
            await directory.remove_alias(alias.local, name)
        for account in await directory.accounts(name):
            await directory.remove_account(account.id, purge=True)
        await directory.remove_domain(name)

    return remove


def _at(group: Sequence[T], local: str, domain: str) -> T | None:
    return next((each for each in group if (each.local, each.domain) == (local, domain)), None)  # type: ignore[attr-defined]


def _sorted(addresses: tuple[str, ...] | UnsetType) -> tuple[str, ...] | UnsetType:
    return UNSET if isinstance(addresses, UnsetType) else tuple(sorted(stored_address(each) for each in addresses))
