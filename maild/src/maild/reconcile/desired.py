"""The desired state as JSON: typed, unknown keys refused, names in either form of an IDN.

A field that is not given is not owned: what people set there stays. ``state`` is ``present`` unless said otherwise;
removing a mailbox that holds mail also needs ``purge``. Secrets are data of this file and never printed.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from maild.mail.address import Address, AddressError
from maild.mail.domain import DomainError, to_ascii
from maild.reconcile.change import ReconcileError
from maild.store import Direction, ListMode, RouteAuth, TLSMode, canonical_local
from maild.verify.dkim.signing_key import Algorithm

State = Literal["present", "absent"]
Count = Annotated[int, Meta(ge=0)]
Port = Annotated[int, Meta(ge=1, le=65535)]


class Declared(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every object has."""

    state: State = "present"

    @property
    def absent(self) -> bool:
        """Whether it is to go."""
        return self.state == "absent"


class DomainState(Declared, frozen=True, kw_only=True):
    """A domain; ``purge`` with ``absent`` takes all that lives in it along."""

    name: str
    active: bool | UnsetType = UNSET
    catch_all: str | UnsetType | None = UNSET
    plus_addressing: bool | UnsetType = UNSET
    message_bytes: Count | UnsetType = UNSET
    purge: bool = False


class AliasDomainState(Declared, frozen=True, kw_only=True):
    """Another name of a domain."""

    name: str
    domain: str


class AccountState(Declared, frozen=True, kw_only=True):
    """A mailbox. ``password`` is the first one only; without it one is made and written to ``first_passwords``."""

    address: str
    password: str | None = None
    name: str | UnsetType = UNSET
    active: bool | UnsetType = UNSET
    quota_bytes: Count | UnsetType = UNSET
    language: Literal["", "en", "ko"] | UnsetType = UNSET
    admin: Literal["", "domain", "server"] | UnsetType = UNSET
    allowed_senders: tuple[str, ...] | UnsetType = UNSET
    any_sender: bool | UnsetType = UNSET
    purge: bool = False


class AliasState(Declared, frozen=True, kw_only=True):
    """An address that stands for others."""

    address: str
    targets: tuple[str, ...] = ()
    active: bool | UnsetType = UNSET


class ListState(Declared, frozen=True, kw_only=True):
    """A distribution list."""

    address: str
    members: tuple[str, ...] | UnsetType = UNSET
    mode: ListMode | UnsetType = UNSET
    announcers: tuple[str, ...] | UnsetType = UNSET
    require_auth: bool | UnsetType = UNSET
    title: str | UnsetType = UNSET
    active: bool | UnsetType = UNSET


class RouteState(Declared, frozen=True, kw_only=True):
    """A host that takes the mail of matching domains; ``password`` is kept wrapped."""

    pattern: str
    host: str = ""
    port: Port | UnsetType = UNSET
    tls: TLSMode | UnsetType = UNSET
    auth: RouteAuth | UnsetType = UNSET
    user: str | UnsetType = UNSET
    password: str | None = None
    recipients: tuple[str, ...] | UnsetType = UNSET
    local: bool | UnsetType = UNSET
    active: bool | UnsetType = UNSET


class RangeState(Declared, frozen=True, kw_only=True):
    """A range of client addresses: ``network``, or ``low`` and ``high``."""

    name: str
    network: str = ""
    low: str = ""
    high: str = ""
    priority: int | UnsetType = UNSET
    protocols: frozenset[Literal["smtp", "imap", "pop3"]] | UnsetType = UNSET
    allow: frozenset[Direction] | UnsetType = UNSET
    require_auth: frozenset[Direction] | UnsetType = UNSET
    allow_local_sender: bool | UnsetType = UNSET
    never_ban: bool | UnsetType = UNSET


class DKIMState(Declared, frozen=True, kw_only=True):
    """A signing key of a domain; made on the host, or taken over from ``key_file`` when the domain has none."""

    domain: str
    selector: str
    algorithm: Algorithm
    key_file: str | None = None


class CertificateState(Declared, frozen=True, kw_only=True):
    """A certificate: ``name`` names its files and is in it, ``names`` are the further host names."""

    name: str
    names: tuple[str, ...] = ()


class Desired(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole of it."""

    domains: tuple[DomainState, ...] = ()
    alias_domains: tuple[AliasDomainState, ...] = ()
    accounts: tuple[AccountState, ...] = ()
    aliases: tuple[AliasState, ...] = ()
    lists: tuple[ListState, ...] = ()
    routes: tuple[RouteState, ...] = ()
    ip_ranges: tuple[RangeState, ...] = ()
    dkim: tuple[DKIMState, ...] = ()
    certificates: tuple[CertificateState, ...] | UnsetType = UNSET
    """Not given: whoever else puts certificates into the folder is not looked at."""
    first_passwords: str | None = None


def read(text: bytes) -> Desired:
    """The desired state of a JSON text; ``ReconcileError`` says what is wrong and where."""
    try:
        desired = msgspec.json.decode(text, type=Desired, dec_hook=_path)
    except msgspec.DecodeError as error:
        raise ReconcileError(f"the desired state: {error}") from error
    _no_doubles("domain", [domain_key(domain.name) for domain in desired.domains])
    _no_doubles("domain", [domain_key(alias.name) for alias in desired.alias_domains])
    addressed = [each.address for group in (desired.accounts, desired.aliases, desired.lists) for each in group]
    _no_doubles("address", ["@".join(address_key(address)) for address in addressed])
    if not isinstance(desired.certificates, UnsetType):
        _no_doubles("certificate", [domain_key(each.name) for each in desired.certificates])
    return desired


def absent(desired: Desired) -> Desired:
    """The same objects, each to go; a mailbox that holds mail still needs its ``purge``."""
    groups = {name: getattr(desired, name) for name in desired.__struct_fields__}
    gone = {
        name: tuple(msgspec.structs.replace(each, state="absent") for each in group)
        for name, group in groups.items()
        if isinstance(group, tuple)
    }
    return msgspec.structs.replace(desired, **gone)


def _path(wanted: type, value: object) -> object:
    if wanted is Path and isinstance(value, str):
        return Path(value)
    raise TypeError(f"{wanted.__name__} is not read from JSON")


def domain_key(name: str) -> str:
    """A domain name as it is stored."""
    try:
        return to_ascii(name)
    except DomainError as error:
        raise ReconcileError(f"domain {name!r}: {error}") from error


def address_key(address: str) -> tuple[str, str]:
    """An address as it is stored: local part and domain."""
    try:
        parsed = Address.parse(address)
    except AddressError as error:
        raise ReconcileError(f"address {address!r}: {error}") from error
    return canonical_local(parsed.local), parsed.domain


def stored_address(address: str) -> str:
    """An address as it is stored, in one piece."""
    return "@".join(address_key(address))


def _no_doubles(what: str, names: list[str]) -> None:
    for name in names:
        if names.count(name) > 1:
            raise ReconcileError(f"{what} {name} is declared twice")
