"""What people see of the mail server: domains, mailboxes, aliases, lists, routes and who may send what."""

from __future__ import annotations

from typing import Annotated, Literal

from msgspec import Meta, Struct

from tasks.settings.secrets import SecretSource

State = Literal["present", "absent"]
Selector = Annotated[str, Meta(pattern=r"^[a-z0-9]([a-z0-9_-]{0,61}[a-z0-9])?$")]
Port = Annotated[int, Meta(ge=1, le=65535)]


class Account(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mailbox. ``address`` is the part before the @; the domain it stands under completes it."""

    address: str
    name: str = ""
    first_password: SecretSource | None = None
    quota_mb: Annotated[int, Meta(ge=0)] = 0
    state: State = "present"
    purge: bool = False


class Alias(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Another address of a mailbox, or a forward to an address elsewhere."""

    address: str
    to: str
    state: State = "present"


class MailingList(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One address for several people; ``who`` may write to it."""

    address: str
    members: tuple[str, ...]
    who: Literal["anyone", "members", "owner"] = "members"
    owner: str = ""
    state: State = "present"


class DKIM(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The names of a domain's first signing keys, and a key in use that is taken over, as a file on the host."""

    selector: Selector = "dkim"
    selector_ed25519: Selector = "dkim-ed"
    key_file: str | None = None


class DMARC(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Whether other domains get the reports they ask for."""

    send_reports: bool = False
    reports_domain: str | None = None


class DNSUpdates(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A primary name server that takes the records of new signing keys by dynamic update, and the TSIG key for it."""

    server: str
    key_name: str
    key_secret: SecretSource


class Domain(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A mail domain, the other names it goes by, and what lives under it."""

    name: str
    aliases: tuple[str, ...] = ()
    former_aliases: tuple[str, ...] = ()
    mail_host: str | None = None
    dkim: DKIM = DKIM()
    accounts: tuple[Account, ...] = ()
    forwards: tuple[Alias, ...] = ()
    lists: tuple[MailingList, ...] = ()
    catch_all: str | None = None
    state: State = "present"
    purge: bool = False


class SmartHost(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A server that takes all mail to the outside, where the provider blocks port 25."""

    host: str
    port: Port = 587
    security: Literal["tls", "starttls"] = "starttls"
    user: str = ""
    password: SecretSource | None = None


class Route(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A server that takes the mail for one domain instead of its MX; with xoauth2 the password is an access token."""

    domain: str
    host: str
    port: Port = 25
    security: Literal["none", "starttls-optional", "starttls", "tls"] = "starttls-optional"
    user: str = ""
    login: Literal["password", "xoauth2"] = "password"
    password: SecretSource | None = None
    state: State = "present"


class IPRange(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A range of addresses that are treated apart; the larger priority number wins, auto-bans have 20."""

    name: str
    network: str
    priority: Annotated[int, Meta(ge=1, le=1000)] = 30
    never_ban: bool = True
    send_without_login: bool = False
    state: State = "present"


class AutoBan(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """When an address that guesses passwords is shut out, and for how long."""

    enabled: bool = True
    failures: Annotated[int, Meta(ge=1)] = 3
    within_minutes: Annotated[int, Meta(ge=1)] = 30
    ban_minutes: Annotated[int, Meta(ge=1)] = 60


class Policy(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How people may log in beyond passwords under TLS, how much they may send, and what strangers must show."""

    scram: bool = False
    messages_per_hour: Annotated[int, Meta(ge=0)] = 500
    recipients_per_day: Annotated[int, Meta(ge=0)] = 5000
    greylisting: bool = False
    block_lists: tuple[Annotated[str, Meta(min_length=3)], ...] = ()
    helo_must_resolve: bool = False
    ptr_required: bool = False
    sender_must_take_mail: bool = False
