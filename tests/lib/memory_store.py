"""A store in memory with what SMTP, policy and routing ask of one: for tests of sessions, which need no database.

The real engines have their own contract tests; what is here is only as true as the interface's words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any, cast

from maild.policy import hash_password
from maild.store import (
    Accepted,
    Account,
    Alias,
    AliasDomain,
    Ban,
    Budget,
    Charge,
    Credential,
    CredentialKind,
    Domain,
    Incoming,
    IPRange,
    LoginFailure,
    MailingList,
    OverQuota,
    Placed,
    Resolved,
    Route,
    Sent,
    Store,
    canonical_local,
    new_id,
)


@dataclass
class MemoryStore:
    """Rows in lists; ``accepted`` holds every message that was taken."""

    domain_rows: dict[str, Domain] = field(default_factory=dict)
    alias_domain_rows: dict[str, AliasDomain] = field(default_factory=dict)
    account_rows: list[Account] = field(default_factory=list)
    alias_rows: list[Alias] = field(default_factory=list)
    list_rows: list[MailingList] = field(default_factory=list)
    route_rows: list[Route] = field(default_factory=list)
    credentials_rows: list[Credential] = field(default_factory=list)
    range_rows: list[IPRange] = field(default_factory=list)
    ban_rows: list[Ban] = field(default_factory=list)
    failure_rows: list[LoginFailure] = field(default_factory=list)
    success_rows: list[tuple[str, object]] = field(default_factory=list)
    charged: list[Charge] = field(default_factory=list)
    accepted: list[tuple[Incoming, bytes]] = field(default_factory=list)
    values: dict[str, str] = field(default_factory=dict)
    done_once: set[tuple[str, str]] = field(default_factory=set)
    budget: Budget = field(default_factory=Budget)
    error: Exception | None = None
    """Raised by everything, when set: the database is away."""

    @property
    def store(self) -> Store:
        """Itself as the interface."""
        return cast("Store", self)

    # Building

    def add_domain(self, name: str, **more: Any) -> None:
        self.domain_rows[name] = Domain(id=len(self.domain_rows) + 1, name=name, **more)

    def add_alias_domain(self, name: str, domain: str) -> None:
        self.alias_domain_rows[name] = AliasDomain(id=1, name=name, domain=domain)

    def add_account(self, local: str, domain: str, password: str = "", **more: Any) -> Account:
        number = len(self.account_rows) + 1
        account = Account(id=number, domain=domain, local=canonical_local(local), inbox_id=number * 10, **more)
        self.account_rows.append(account)
        if password:
            self.credentials_rows.append(
                Credential(id=number, account_id=number, kind=CredentialKind.PASSWORD, hash=hash_password(password))
            )
        return account

    def bodies_of(self, account: Account) -> list[bytes]:
        """The messages delivered to an account's INBOX."""
        return [
            incoming.prefix + body
            for incoming, body in self.accepted
            if any(each.mailbox_id == account.inbox_id for each in incoming.deliveries)
        ]

    # The interface's parts

    @property
    def directory(self) -> Any:
        return self

    @property
    def credentials(self) -> Any:
        return SimpleNamespace(
            of=self._credentials_of, used=self._nothing, upgrade=self._nothing, set_verifier=self._set_verifier
        )

    @property
    def access(self) -> Any:
        return self

    @property
    def mailboxes(self) -> Any:
        return SimpleNamespace(with_use=self._nothing, named=self._rejects, create=self._nothing)

    async def _rejects(self, account_id: int, name: str) -> Any:
        """Each account's Rejects."""
        del name
        return SimpleNamespace(id=account_id * 10 + 1)

    def _check(self) -> None:
        if self.error is not None:
            raise self.error

    async def _nothing(self, *_: object, **__: object) -> None:
        self._check()

    @property
    def state(self) -> Any:
        return SimpleNamespace(once=self._once, get=self._get, put=self._put)

    async def _get(self, name: str) -> str | None:
        self._check()
        return self.values.get(name)

    async def _put(self, name: str, value: str) -> None:
        self._check()
        self.values[name] = value

    async def _set_verifier(self, password: Credential, verifier: str) -> bool:
        self._check()
        made = replace(password, id=len(self.credentials_rows) + 1, kind=CredentialKind.SCRAM_SHA_256, hash=verifier)
        self.credentials_rows.append(made)
        return True

    async def _once(self, kind: str, key: str, until: int, now: int) -> bool:
        del until, now
        first = (kind, key) not in self.done_once
        self.done_once.add((kind, key))
        return first

    async def _credentials_of(self, account_id: int) -> list[Credential]:
        self._check()
        return [each for each in self.credentials_rows if each.account_id == account_id]

    async def resolve(self, local: str, domain: str) -> Resolved:
        self._check()
        alias = self.alias_domain_rows.get(domain)
        real = self.domain_rows.get(alias.domain if alias else domain)
        route = next((each for each in self.route_rows if each.pattern == domain), None)
        if real is None:
            return Resolved(route=route)
        for name, detail in self._spellings(canonical_local(local)):
            found = Resolved(
                domain=real,
                alias_domain=domain if alias else None,
                account=self._named(self.account_rows, name, real.name),
                alias=self._named(self.alias_rows, name, real.name),
                mailing_list=self._named(self.list_rows, name, real.name),
                detail=detail,
                route=route,
            )
            if found.found:
                return found
        return Resolved(domain=real, alias_domain=domain if alias else None, route=route)

    async def domains(self) -> list[Domain]:
        self._check()
        return list(self.domain_rows.values())

    async def alias_domains(self) -> list[AliasDomain]:
        self._check()
        return list(self.alias_domain_rows.values())

    async def accounts(self, domain: str | None = None) -> list[Account]:
        self._check()
        return [each for each in self.account_rows if domain in {None, each.domain}]

    @staticmethod
    def _spellings(local: str) -> list[tuple[str, str | None]]:
        base, plus, detail = local.partition("+")
        return [(local, None), *([(base, detail)] if plus and base else [])]

    @staticmethod
    def _named(rows: list[Any], local: str, domain: str) -> Any:
        return next((each for each in rows if (each.local, each.domain) == (local, domain)), None)

    async def addresses_of(self, account_id: int) -> list[str]:
        self._check()
        account = next(each for each in self.account_rows if each.id == account_id)
        own = [
            account.address,
            *[f"{each.local}@{each.domain}" for each in self.alias_rows if each.targets == (account.address,)],
        ]
        names = [alias.name for alias in self.alias_domain_rows.values() if alias.domain == account.domain]
        return [*own, *[f"{each.partition('@')[0]}@{name}" for each in own for name in names], *account.allowed_senders]

    async def usage(self, account_id: int) -> tuple[int, int]:
        account = next(each for each in self.account_rows if each.id == account_id)
        bodies = self.bodies_of(account)
        return sum(map(len, bodies)), len(bodies)

    async def ranges(self) -> list[IPRange]:
        self._check()
        return self.range_rows

    async def bans(self) -> list[Ban]:
        self._check()
        return self.ban_rows

    async def add_ban(self, ban: Ban) -> Ban:
        self._check()
        self.ban_rows.append(ban)
        return ban

    async def record_failures(self, failures: Sequence[LoginFailure], *, since: int, most: int) -> list[int]:
        self._check()
        counts: list[int] = []
        for failure in failures:
            self.failure_rows.append(failure)
            found = sum(each.network == failure.network and each.at >= since for each in self.failure_rows)
            counts.append(min(found, most))
        return counts

    async def record_success(self, account: str, network: object, at: int) -> None:
        self._check()
        del at
        self.success_rows.append((account, network))
        self.failure_rows = [each for each in self.failure_rows if (each.account, each.network) != (account, network)]

    async def succeeded_since(self, since: int) -> set[tuple[str, object]]:
        del since
        return set(self.success_rows)

    async def sent(self, account_id: int) -> Sent:
        self._check()
        own = [each.recipients for each in self.charged if each.account_id == account_id]
        return Sent(messages=len(own), recipients=sum(own))

    async def charge(self, charges: Sequence[Charge]) -> list[Sent | None]:
        answers: list[Sent | None] = []
        for each in charges:
            sent = await self.sent(each.account_id)
            answers.append(sent if each.exceeds(sent) else None)
            self.charged += [] if each.exceeds(sent) else [each]
        return answers

    def stage(self, expected: int = 0, blob_id: bytes | None = None) -> Any:
        del expected
        return StagedBytes(blob_id or new_id(), self.budget)

    async def accept(self, incoming: Incoming) -> Accepted:
        self._check()
        body = incoming.body if isinstance(incoming.body, bytes) else bytes(cast("StagedBytes", incoming.body).data)
        for delivery in incoming.deliveries:
            account = next(each for each in self.account_rows if each.inbox_id == delivery.mailbox_id // 10 * 10)
            limited = delivery.check_quota and incoming.check_quota and account.quota_bytes
            if limited and (await self.usage(account.id))[0] + len(body) > account.quota_bytes:
                raise OverQuota
        self.accepted.append((replace(incoming, body=b""), body))
        placed = tuple(
            Placed(mailbox_id=each.mailbox_id, uidvalidity=1, uid=1, modseq=1) for each in incoming.deliveries
        )
        return Accepted(id=incoming.id, size=len(incoming.prefix) + len(body), placed=placed)


@dataclass
class StagedBytes:
    """A staged body, written at once."""

    id: bytes
    budget: Budget
    data: bytearray = field(default_factory=bytearray)

    @property
    def size(self) -> int:
        return len(self.data)

    async def write(self, data: bytes, counted: int = 0) -> None:
        self.budget.give(counted)
        self.data += data

    async def abandon(self) -> None:
        return None
