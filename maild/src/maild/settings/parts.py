"""The smaller tables: database, logs, auto-ban, ACME, DNS, queue, DKIM, DMARC and policy.

Secrets never stand in the file: a key names the file that holds one, readable by the daemon alone.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from maild.settings.base import Table, key


class Database(Table, frozen=True, kw_only=True):
    """The one durable place: a SQLite file, or a schema of MySQL or MariaDB."""

    engine: Annotated[
        Literal["sqlite", "mysql"], key("sqlite, or mysql (MySQL 8.4 or newer, MariaDB 10.11 or newer)")
    ] = "sqlite"
    file: Annotated[Path, key("sqlite: the file")] = Path("mail.db")
    host: Annotated[str, key("mysql: name or address of the server")] = "127.0.0.1"
    port: Annotated[int, key("mysql: port of the server", ge=1, le=65535)] = 3306
    user: Annotated[str, key("mysql: user")] = "maild"
    password_file: Annotated[Path | None, key("mysql: file with the user's password")] = None
    schema: Annotated[str, key("mysql: schema", pattern=r"^[A-Za-z0-9_]{1,64}$")] = "maild"


class Logs(Table, frozen=True, kw_only=True):
    """Where the logs are and what they hold."""

    folder: Annotated[Path, key("Folder of the logs, a file a day")] = Path("logs")
    keep_days: Annotated[int, key("Days a log file is kept", ge=1)] = 30
    json: Annotated[bool, key("Write events (connections, logins, messages, errors) to maild_DATE.jsonl too")] = True
    debug: Annotated[bool, key("Write DEBUG lines too")] = False


class AutoBan(Table, frozen=True, kw_only=True):
    """When an address that guesses passwords or floods is shut out, and who never is."""

    enabled: Annotated[bool, key("Shut out addresses that fail too often")] = True
    failures: Annotated[int, key("Failed logins that lead to a ban", ge=1)] = 3
    within_minutes: Annotated[int, key("Time in which these failures are counted", ge=1)] = 30
    ban_minutes: Annotated[int, key("Length of a ban", ge=1)] = 60
    connections_per_minute: Annotated[
        int, key("New connections a minute of one address that count as a flood; 0: no bound", ge=0)
    ] = 300
    never: Annotated[tuple[str, ...], key("Networks that are never banned, the control machine's among them")] = (
        "127.0.0.0/8",
        "::1/128",
    )


class Certificate(Table, frozen=True, kw_only=True):
    """One certificate to be ordered."""

    name: Annotated[str, key("NAME of NAME-chain.pem and NAME-key.pem", min_length=1)]
    names: Annotated[tuple[str, ...], key("Host names in the certificate; the first is its subject", min_length=1)]


class ACME(Table, frozen=True, kw_only=True):
    """How certificates are ordered and renewed."""

    enabled: Annotated[bool, key("Order and renew certificates")] = False
    directory: Annotated[str, key("URL of the ACME directory, or production, or staging (Let's Encrypt's)")] = (
        "production"
    )
    contact: Annotated[str, key("E-mail address of the ACME account")] = ""
    terms_agreed: Annotated[bool, key("Whether the terms of service are agreed to")] = False
    account_folder: Annotated[Path, key("Folder of the ACME account's key")] = Path("acme")
    ca_file: Annotated[Path | None, key("CA certificates for a private ACME server")] = None
    webroot: Annotated[
        Path | None, key("Folder another web server serves at /.well-known/acme-challenge; none: own listener")
    ] = None
    http_bind: Annotated[str, key("Address of the own challenge listener")] = "::"
    http_port: Annotated[int, key("Port of the own challenge listener", ge=1, le=65535)] = 80
    challenge_port: Annotated[
        int, key("Port at which challenges are fetched from outside; RFC 8555 8.3 says 80", ge=1, le=65535)
    ] = 80
    check_reachable: Annotated[bool, key("Fetch each name through its public address before it is ordered")] = True
    certificates: Annotated[tuple[Certificate, ...], key("The certificates to order")] = ()


class DNS(Table, frozen=True, kw_only=True):
    """The resolver."""

    servers: Annotated[
        tuple[str, ...], key("Addresses of resolvers, ADDRESS or ADDRESS#PORT; empty: the system's")
    ] = ()
    validating: Annotated[bool, key("The servers validate DNSSEC and the way to them is trusted; DANE needs it")] = (
        False
    )
    timeout_seconds: Annotated[float, key("Time one query may take", gt=0)] = 5.0
    port: Annotated[
        int, key("Port of the domains' own name servers, which are asked for our records", ge=1, le=65535)
    ] = 53


class Queue(Table, frozen=True, kw_only=True):
    """How mail to other servers is sent."""

    workers: Annotated[int, key("Deliveries at once", ge=1)] = 50
    per_destination: Annotated[int, key("Connections at once to one destination", ge=1)] = 5
    lifetime_hours: Annotated[int, key("Time after which an undelivered message is returned", ge=1)] = 120
    delay_notice_hours: Annotated[int, key("Time after which the sender is told of the delay; 0: never", ge=0)] = 4
    first_retry_minutes: Annotated[int, key("Time to the second attempt; each further one waits longer", ge=1)] = 5
    longest_retry_minutes: Annotated[int, key("Longest time between two attempts", ge=1)] = 240
    port: Annotated[int, key("Port of other servers", ge=1, le=65535)] = 25
    ca_file: Annotated[
        Path | None, key("Authorities that other servers are verified by; none: the well-known ones")
    ] = None
    smart_host: Annotated[str, key("Host that takes all outgoing mail, HOST or HOST:PORT; empty: by MX")] = ""
    smart_host_tls: Annotated[Literal["opportunistic", "starttls", "implicit"], key("TLS to the smart host")] = (
        "starttls"
    )
    smart_host_user: Annotated[str, key("User at the smart host; empty: no login")] = ""
    smart_host_password_file: Annotated[Path | None, key("File with the password of that user")] = None


class DKIM(Table, frozen=True, kw_only=True):
    """Signing of outgoing mail."""

    sign: Annotated[bool, key("Sign outgoing mail of local domains that have a key")] = True
    wrap_key_file: Annotated[Path, key("File with the key that wraps the private keys in the database")] = Path(
        "wrap.key"
    )
    settle_seconds: Annotated[
        float, key("A new key signs so long after all name servers have it; servers behind one address may lag", ge=0)
    ] = 300.0
    linger_hours: Annotated[
        float, key("An old key stays published so long after the last signature; what it signed counts 192", ge=0)
    ] = 216.0
    update_server: Annotated[
        str, key("Primary name server that takes dynamic updates, ADDRESS or ADDRESS#PORT; empty: people enter records")
    ] = ""
    update_key_file: Annotated[Path | None, key("File with NAME and SECRET of the TSIG key for these updates")] = None


class DMARC(Table, frozen=True, kw_only=True):
    """Reports to other domains about mail in their name."""

    send_reports: Annotated[bool, key("Send a daily report to each domain that writes here and asks for one")] = False
    reports_domain: Annotated[
        str, key("Domain the reports come from, with keys of its own; empty: reports.<default_domain>")
    ] = ""


class Retention(Table, frozen=True, kw_only=True):
    """How long mail stays in the mailboxes that people seldom empty; counted from when it came there."""

    trash_days: Annotated[int, key("Days mail stays in Trash; 0: until it is removed by hand", ge=0)] = 0
    junk_days: Annotated[int, key("Days mail stays in Junk; 0: until it is removed by hand", ge=0)] = 0
    rejects_days: Annotated[int, key("Days refused mail stays in Rejects; 0: until it is removed by hand", ge=0)] = 14


class Greylisting(Table, frozen=True, kw_only=True):
    """Strangers are asked to come back later."""

    enabled: Annotated[bool, key("Delay the first mail of an unknown sender")] = False
    delay_minutes: Annotated[int, key("Time until the second attempt is taken", ge=1)] = 30
    unused_hours: Annotated[int, key("Time after which an attempt is forgotten", ge=1)] = 24
    used_hours: Annotated[int, key("Time a sender that came back stays known", ge=1)] = 864


class BlockList(Table, frozen=True, kw_only=True):
    """One DNS block list."""

    zone: Annotated[str, key("Zone that is asked", min_length=3)]
    answers: Annotated[tuple[str, ...], key("Networks of answers that count")] = (
        "127.0.0.2/31",
        "127.0.0.4/30",
        "127.0.0.10/31",
    )


class Policy(Table, frozen=True, kw_only=True):
    """What is accepted from whom, beyond the IP ranges, which are rows of the database."""

    verify: Annotated[bool, key("Check SPF, DKIM, DMARC and ARC of incoming mail")] = True
    dmarc_reject: Annotated[bool, key("Refuse what DMARC says to reject")] = True
    trusted_sealers: Annotated[
        tuple[str, ...], key("Domains of forwarders whose ARC seal is believed when forwarding broke DMARC")
    ] = ()
    messages_per_hour: Annotated[int, key("Messages a user may send an hour; 0: no bound", ge=0)] = 500
    recipients_per_day: Annotated[int, key("Recipients a user may write to a day; 0: no bound", ge=0)] = 5000
    scram: Annotated[
        bool,
        key("Offer SCRAM-SHA-256; keeps a verifier of each password, made when it is set or next used with PLAIN"),
    ] = False
    helo_must_resolve: Annotated[bool, key("Refuse strangers whose HELO name has no address")] = False
    ptr_required: Annotated[bool, key("Refuse strangers whose address has no confirmed name")] = False
    sender_must_take_mail: Annotated[bool, key("Refuse strangers whose sender's domain takes no mail")] = False
    greylisting: Annotated[Greylisting, key("Strangers are asked to come back later")] = Greylisting()
    block_lists: Annotated[tuple[BlockList, ...], key("DNS block lists")] = ()
