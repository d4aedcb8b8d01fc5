"""All that is known about a recipient, read in one transaction."""

from __future__ import annotations

from collections.abc import Sequence

from maild.store.engine.base import Transaction
from maild.store.records.directory import Account, Resolved, Route
from maild.store.sql import accounts, addresses, domains

PLUS = "+"


def resolve(tx: Transaction, local: str, domain: str) -> Resolved:
    """The domain and what its local part names; the route is the caller's to add."""
    found, alias_domain = domains.find(tx, domain)
    if found is None:
        return Resolved()
    base, plus, detail = local.partition(PLUS)
    candidates = [local, base] if plus and base and found.plus_addressing else [local]
    accounts_ = accounts.with_locals(tx, found.id, candidates)
    aliases = addresses.aliases_with_locals(tx, found.id, candidates)
    lists = addresses.lists_with_locals(tx, found.id, candidates)
    for candidate in candidates:
        resolved = Resolved(
            domain=found,
            alias_domain=alias_domain,
            account=accounts_.get(candidate),
            alias=aliases.get(candidate),
            mailing_list=lists.get(candidate),
            detail=detail if candidate != local else None,
        )
        if resolved.found:
            return resolved
    return Resolved(domain=found, alias_domain=alias_domain)


def account_named(tx: Transaction, local: str, domain: str) -> Account | None:
    """By address, alias domains followed."""
    found, _ = domains.find(tx, domain)
    return accounts.with_locals(tx, found.id, [local]).get(local) if found else None


def addresses_of(tx: Transaction, account_id: int) -> list[str]:
    """Every address that is an account's own."""
    account = accounts.get(tx, account_id)
    if account is None:
        return []
    others: dict[str, list[str]] = {}
    for alias_domain in domains.alias_domains(tx):
        others.setdefault(alias_domain.domain, []).append(alias_domain.name)
    own = [(account.local, account.domain)]
    for address in own:
        # Aliases may lead to aliases: each found one is looked behind in its turn.
        own += [found for found in addresses.aliases_of(tx, f"{address[0]}@{address[1]}") if found not in own]
    spelled = [f"{local}@{name}" for local, domain in own for name in (domain, *others.get(domain, ()))]
    return list(dict.fromkeys([*spelled, *account.allowed_senders]))


def route_for(routes: Sequence[Route], domain: str) -> Route | None:
    """The most specific active route whose pattern matches."""
    for route in routes:
        if route.active and matches(route.pattern, domain):
            return route
    return None


def matches(pattern: str, domain: str) -> bool:
    """Whether a route's pattern names this domain: itself, ``*.parent`` for what lies below, or ``*``."""
    if pattern == "*":
        return True
    return domain.endswith(pattern[1:]) if pattern.startswith("*.") else domain == pattern
