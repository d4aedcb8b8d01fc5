"""The directory of the store: ``maild.store.records.directory.Directory`` over an engine."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from dataclasses import replace

from maild.mail.address import Address, AddressError
from maild.store.cache import Fresh
from maild.store.engine.base import Engine, T, Work
from maild.store.errors import NotAnAddress
from maild.store.records.directory import (
    Account,
    Alias,
    AliasDomain,
    Domain,
    MailingList,
    Resolved,
    Route,
    canonical_local,
)
from maild.store.removal import clear_mailboxes
from maild.store.sql import accounts, addresses, domains, resolve


class SQLDirectory:
    """Domains, accounts, aliases, lists and routes in the database; resolving answers from a cache of a second."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._resolved: Fresh[tuple[str, str], Resolved] = Fresh(self._resolve)
        self._routes: Fresh[None, list[Route]] = Fresh(lambda _: engine.read(addresses.routes))

    async def resolve(self, local: str, domain: str) -> Resolved:
        """What is known about a recipient."""
        key = (canonical_local(local), domain.lower())
        return self._resolved.at_hand(key) or await self._resolved.get(key)

    async def domains(self) -> list[Domain]:
        """All, by name."""
        return await self._engine.read(domains.domains)

    async def domain(self, name: str) -> Domain | None:
        """By its own name."""
        return await self._engine.read(lambda tx: domains.named(tx, name.lower()))

    async def save_domain(self, domain: Domain) -> Domain:
        """Inserts or changes by name."""
        _check_addresses([domain.catch_all] if domain.catch_all else [])
        return await self._change(lambda tx: domains.save(tx, replace(domain, name=domain.name.lower())))

    async def remove_domain(self, name: str) -> None:
        """Removes a domain nothing lives in."""
        await self._change(lambda tx: domains.remove(tx, name.lower()))

    async def alias_domains(self) -> list[AliasDomain]:
        """All, by name."""
        return await self._engine.read(domains.alias_domains)

    async def save_alias_domain(self, alias: AliasDomain) -> AliasDomain:
        """Inserts or changes by name."""
        lowered = replace(alias, name=alias.name.lower(), domain=alias.domain.lower())
        return await self._change(lambda tx: domains.save_alias(tx, lowered))

    async def remove_alias_domain(self, name: str) -> None:
        """Removes by name."""
        await self._change(lambda tx: domains.remove_alias(tx, name.lower()))

    async def accounts(self, domain: str | None = None) -> list[Account]:
        """All, or those of a domain, by address."""
        return await self._engine.read(lambda tx: accounts.accounts(tx, domain))

    async def account(self, account_id: int) -> Account | None:
        """By id."""
        return await self._engine.read(lambda tx: accounts.get(tx, account_id))

    async def account_named(self, local: str, domain: str) -> Account | None:
        """By address, alias domains followed."""
        wanted = canonical_local(local)
        return await self._engine.read(lambda tx: resolve.account_named(tx, wanted, domain.lower()))

    async def addresses_of(self, account_id: int) -> list[str]:
        """Every address that is this account's own."""
        return await self._engine.read(lambda tx: resolve.addresses_of(tx, account_id))

    async def save_account(self, account: Account) -> Account:
        """Inserts or changes by address."""
        _check_addresses([*account.allowed_senders, *(account.forward.targets if account.forward else ())])
        saved = replace(account, local=canonical_local(account.local), domain=account.domain.lower())
        return await self._change(lambda tx: accounts.save(tx, saved))

    async def remove_account(self, account_id: int, *, purge: bool = False) -> None:
        """Ends its use, removes its mail in slices, then its rows."""
        await self._change(lambda tx: accounts.begin_removal(tx, account_id, purge=purge))
        while True:
            await clear_mailboxes(self._engine, account_id)
            if await self._change(lambda tx: accounts.finish_removal(tx, account_id)):
                return

    async def usage(self, account_id: int) -> tuple[int, int]:
        """Bytes and messages held now."""
        return await self._engine.read(lambda tx: accounts.usage(tx, account_id))

    async def aliases(self, domain: str | None = None) -> list[Alias]:
        """All, or those of a domain, by address."""
        return await self._engine.read(lambda tx: addresses.aliases(tx, domain))

    async def save_alias(self, alias: Alias) -> Alias:
        """Inserts or changes by address."""
        _check_addresses(alias.targets)
        saved = replace(alias, local=canonical_local(alias.local), domain=alias.domain.lower())
        return await self._change(lambda tx: addresses.save_alias(tx, saved))

    async def remove_alias(self, local: str, domain: str) -> None:
        """Removes by address."""
        await self._change(lambda tx: addresses.remove_alias(tx, canonical_local(local), domain.lower()))

    async def lists(self, domain: str | None = None) -> list[MailingList]:
        """All, or those of a domain, by address."""
        return await self._engine.read(lambda tx: addresses.lists(tx, domain))

    async def save_list(self, mailing_list: MailingList) -> MailingList:
        """Inserts or changes by address."""
        _check_addresses([*mailing_list.members, *mailing_list.announcers])
        saved = replace(mailing_list, local=canonical_local(mailing_list.local), domain=mailing_list.domain.lower())
        return await self._change(lambda tx: addresses.save_list(tx, saved))

    async def remove_list(self, local: str, domain: str) -> None:
        """Removes by address."""
        await self._change(lambda tx: addresses.remove_list(tx, canonical_local(local), domain.lower()))

    async def routes(self) -> Sequence[Route]:
        """All, the most specific pattern first."""
        return await self._routes.get(None)

    async def save_route(self, route: Route) -> Route:
        """Inserts or changes by pattern."""
        _check_addresses(route.recipients)
        saved = replace(route, pattern=route.pattern.lower())
        return await self._change(lambda tx: addresses.save_route(tx, saved))

    async def remove_route(self, pattern: str) -> None:
        """Removes by pattern."""
        await self._change(lambda tx: addresses.remove_route(tx, pattern.lower()))

    async def _resolve(self, key: tuple[str, str]) -> Resolved:
        local, domain = key
        asked = self._engine.read(lambda tx: resolve.resolve(tx, local, domain))
        kept = self._routes.at_hand(None)
        if kept is not None:
            return replace(await asked, route=resolve.route_for(kept, domain))
        # One after the other, a slow database could take longer than a client is to wait for an answer.
        resolved, routes = await asyncio.gather(asked, self.routes())
        return replace(resolved, route=resolve.route_for(routes, domain))

    async def _change(self, work: Work[T]) -> T:
        try:
            return await self._engine.write(work)
        finally:
            self._resolved.clear()
            self._routes.clear()


def _check_addresses(texts: Iterable[str]) -> None:
    """Raises ``NotAnAddress`` for the first text that mail could not be sent to."""
    for text in texts:
        try:
            Address.parse(text)
        except AddressError as error:
            raise NotAnAddress(f"{text!r} is no mail address: {error}", f"{text!r} is no mail address.") from error
