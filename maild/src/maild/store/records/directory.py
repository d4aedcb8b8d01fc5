"""Who receives mail here: domains, accounts, aliases, lists and routes, and the protocol over them.

Domains are A-labels in lower case, local parts are NFC and case-folded when stored and looked up (``canonical_local``),
so both forms of an IDN and any spelling of a local part meet the same row. What a recipient means is the router's.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Literal, Protocol


def canonical_local(local: str) -> str:
    """The form of a local part that is compared and stored."""
    if local.isascii():
        return local.lower()
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", local).casefold())


class ListMode(StrEnum):
    """Who may write to a list (hMailServer's modes)."""

    PUBLIC = "public"
    MEMBERS = "members"
    ANNOUNCEMENTS = "announcements"
    DOMAIN = "domain"


class TLSMode(StrEnum):
    """How a route or smart host speaks TLS."""

    NONE = "none"
    OPPORTUNISTIC = "opportunistic"
    REQUIRED = "required"
    IMPLICIT = "implicit"


class RouteAuth(StrEnum):
    """How we log in at a route."""

    NONE = "none"
    PASSWORD = "password"  # noqa: S105
    XOAUTH2 = "xoauth2"


@dataclass(frozen=True, slots=True, kw_only=True)
class Domain:
    """A domain whose mail we hold; ``id`` is 0 before it is saved."""

    id: int = 0
    name: str
    active: bool = True
    catch_all: str | None = None
    plus_addressing: bool = True
    message_bytes: int = 0
    """Largest message to or from this domain; 0: the server's own limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AliasDomain:
    """Another name of a domain: every address in it is the same address there."""

    id: int = 0
    name: str
    domain: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Forward:
    """Copies of incoming mail to other addresses, with or without keeping it here."""

    targets: tuple[str, ...]
    keep: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class AutoReply:
    """An answer sent once a sender a period (RFC 3834); times are microseconds, None: unbounded."""

    subject: str
    text: str
    starts_at: int | None = None
    ends_at: int | None = None
    period_seconds: int = 7 * 24 * 3600


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A person's mail: the address, its limits and settings; the password is a credential row."""

    id: int = 0
    domain: str
    local: str
    active: bool = True
    quota_bytes: int = 0
    """0: unlimited."""
    language: str = ""
    """Language of notices to this account; empty: the server's."""
    display_name: str = ""
    admin: Literal["", "domain", "server"] = ""
    allowed_senders: tuple[str, ...] = ()
    """Further addresses this account may send as; its own, its aliases' and alias domains' come by themselves."""
    any_sender: bool = False
    """May send as any address of a local domain."""
    forward: Forward | None = None
    reply: AutoReply | None = None
    inbox_id: int = 0
    generation: int = 0
    """Rises with each change of a credential, so that caches of good logins end."""

    @property
    def address(self) -> str:
        """The address as ``local@domain`` (not quoted)."""
        return f"{self.local}@{self.domain}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Alias:
    """An address that stands for others."""

    id: int = 0
    domain: str
    local: str
    targets: tuple[str, ...]
    active: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class MailingList:
    """A distribution list."""

    id: int = 0
    domain: str
    local: str
    members: tuple[str, ...] = ()
    mode: ListMode = ListMode.MEMBERS
    announcers: tuple[str, ...] = ()
    require_auth: bool = False
    title: str = ""
    active: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """Mail to matching domains goes to one host instead of their MX; ``*`` may lead the pattern (``*.example``).

    A pattern that is the name of a domain of ours takes what nobody has there; one with ``*`` leaves ours alone.
    """

    id: int = 0
    pattern: str
    host: str
    port: int = 25
    tls: TLSMode = TLSMode.OPPORTUNISTIC
    auth: RouteAuth = RouteAuth.NONE
    user: str = ""
    secret: bytes = b""
    """Password or refresh token, wrapped by the host's key file; never in clear."""
    recipients: tuple[str, ...] = ()
    """Empty: every address; else only these are accepted."""
    local: bool = False
    """Recipients count as local in the relay decision."""
    active: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """All that is known here about one recipient; nothing of it decides.

    ``domain`` is the real one behind ``alias_domain``. At most one of account, alias, list is set: the exact local part
    first, then, with plus-addressing, the part before the first ``+`` (``detail`` is what followed).
    """

    domain: Domain | None = None
    alias_domain: str | None = None
    account: Account | None = None
    alias: Alias | None = None
    mailing_list: MailingList | None = None
    detail: str | None = None
    route: Route | None = None

    @property
    def found(self) -> bool:
        """Whether the local part names something, the catch-all aside."""
        return self.account is not None or self.alias is not None or self.mailing_list is not None


class Directory(Protocol):
    """Domains, accounts, aliases, lists, routes. ``save_*`` inserts or replaces by name and returns the saved row."""

    async def resolve(self, local: str, domain: str) -> Resolved:
        """What is known about a recipient; answers up to a second old."""
        ...

    async def domains(self) -> list[Domain]:
        """All, by name."""
        ...

    async def domain(self, name: str) -> Domain | None:
        """By its own name (alias domains not followed)."""
        ...

    async def save_domain(self, domain: Domain) -> Domain:
        """Inserts or changes by name."""
        ...

    async def remove_domain(self, name: str) -> None:
        """Raises ``InUse`` while accounts, aliases or lists are in it."""
        ...

    async def alias_domains(self) -> list[AliasDomain]:
        """All, by name."""
        ...

    async def save_alias_domain(self, alias: AliasDomain) -> AliasDomain:
        """Inserts or changes by name. Raises ``NotFound`` without its domain, ``AlreadyExists`` for a real domain."""
        ...

    async def remove_alias_domain(self, name: str) -> None:
        """Removes by name. Raises ``NotFound``."""
        ...

    async def accounts(self, domain: str | None = None) -> list[Account]:
        """All, or those of a domain, by address."""
        ...

    async def account(self, account_id: int) -> Account | None:
        """By id; never cached."""
        ...

    async def account_named(self, local: str, domain: str) -> Account | None:
        """By address, alias domains followed; never cached."""
        ...

    async def addresses_of(self, account_id: int) -> list[str]:
        """Every address that is this account's own: itself, aliases that lead to it alone, each in its alias domains,
        and its allowed senders."""
        ...

    async def save_account(self, account: Account) -> Account:
        """Inserts or changes; a new account gets INBOX, Sent, Drafts, Junk, Trash, Archive."""
        ...

    async def remove_account(self, account_id: int, *, purge: bool = False) -> None:
        """Raises ``NotEmpty`` when there is mail and ``purge`` is not given."""
        ...

    async def usage(self, account_id: int) -> tuple[int, int]:
        """Bytes and messages held now."""
        ...

    async def aliases(self, domain: str | None = None) -> list[Alias]:
        """All, or those of a domain, by address."""
        ...

    async def save_alias(self, alias: Alias) -> Alias:
        """Inserts or changes by address. Raises ``AlreadyExists`` when an account or a list has it."""
        ...

    async def remove_alias(self, local: str, domain: str) -> None:
        """Removes by address. Raises ``NotFound``."""
        ...

    async def lists(self, domain: str | None = None) -> list[MailingList]:
        """All, or those of a domain, by address."""
        ...

    async def save_list(self, mailing_list: MailingList) -> MailingList:
        """Inserts or changes by address. Raises ``AlreadyExists`` when an account or an alias has it."""
        ...

    async def remove_list(self, local: str, domain: str) -> None:
        """Removes by address. Raises ``NotFound``."""
        ...

    async def routes(self) -> Sequence[Route]:
        """All, the longest pattern first; up to a second old."""
        ...

    async def save_route(self, route: Route) -> Route:
        """Inserts or changes by pattern."""
        ...

    async def remove_route(self, pattern: str) -> None:
        """Removes by pattern. Raises ``NotFound``."""
        ...
