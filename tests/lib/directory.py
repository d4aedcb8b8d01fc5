"""A directory in memory: what ``Router`` and its users read, without a database."""

from __future__ import annotations

import fnmatch
from collections.abc import Sequence
from dataclasses import dataclass, field

from maild.mail.address import Address
from maild.store import Account, Alias, Domain, Mailbox, MailingList, Resolved, Route, canonical_local


@dataclass
class MemoryDirectory:
    """Holds rows given to it; only the look-ups that routing uses are there."""

    domains_: dict[str, Domain] = field(default_factory=dict)
    alias_domains_: dict[str, str] = field(default_factory=dict)
    accounts_: list[Account] = field(default_factory=list)
    aliases_: list[Alias] = field(default_factory=list)
    lists_: list[MailingList] = field(default_factory=list)
    routes_: list[Route] = field(default_factory=list)

    async def resolve(self, local: str, domain: str) -> Resolved:
        name = self.alias_domains_.get(domain, domain)
        row = self.domains_.get(name)
        route = next((each for each in self.routes_ if fnmatch.fnmatch(name, each.pattern)), None)
        wanted = canonical_local(local)
        candidates = [(wanted, None)]
        if row and row.plus_addressing and "+" in wanted:
            base, _, detail = wanted.partition("+")
            candidates.append((base, detail))
        for candidate, detail in candidates:
            found = Resolved(
                domain=row,
                alias_domain=domain if domain != name else None,
                account=_named(self.accounts_, candidate, name),
                alias=_named(self.aliases_, candidate, name),
                mailing_list=_named(self.lists_, candidate, name),
                detail=detail,
                route=route,
            )
            if found.found:
                return found
        return Resolved(domain=row, route=route)

    async def accounts(self, domain: str | None = None) -> list[Account]:
        return [each for each in self.accounts_ if domain in (None, each.domain)]

    async def account(self, account_id: int) -> Account | None:
        return next((each for each in self.accounts_ if each.id == account_id), None)

    async def addresses_of(self, account_id: int) -> list[str]:
        return [each.address for each in self.accounts_ if each.id == account_id]

    async def routes(self) -> Sequence[Route]:
        return self.routes_

    async def save_list(self, mailing_list: MailingList) -> MailingList:
        self.lists_ = [each for each in self.lists_ if each.local != mailing_list.local] + [mailing_list]
        return mailing_list


@dataclass
class MemoryMailboxes:
    """Junk is the account's id plus 1000, Rejects plus 2000."""

    async def with_use(self, account_id: int, special_use: str) -> Mailbox | None:
        return _mailbox(account_id + 1000, special_use)

    async def named(self, account_id: int, name: str) -> Mailbox | None:  # noqa: ARG002
        return None

    async def create(self, account_id: int, name: str, *, special_use: str = "") -> Mailbox:
        return _mailbox(account_id + 2000, name, special_use)


def _mailbox(mailbox_id: int, *_: str) -> Mailbox:
    mailbox = object.__new__(Mailbox)
    object.__setattr__(mailbox, "id", mailbox_id)
    return mailbox


def _named(rows: list, local: str, domain: str):  # type: ignore[type-arg,no-untyped-def]
    return next((row for row in rows if row.domain == domain and canonical_local(row.local) == local), None)


def town(*people: str, domain: str = "테스트.net") -> MemoryDirectory:
    """A directory with one domain and an account a name."""
    name = Address.parse(f"x@{domain}").domain
    accounts = [
        Account(id=number, domain=name, local=local, inbox_id=100 + number) for number, local in enumerate(people, 1)
    ]
    return MemoryDirectory(domains_={name: Domain(id=1, name=name)}, accounts_=accounts)
