"""What a person reads at the end of a deploy: what is open, what is left to enter at the registrar's, how to log in.

A pure function from settings and a report of the host to text, in Korean or English; collecting the report is left to
``report``, printing to the operation.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tasks.paths import Paths
from tasks.preflight import secure_delivery
from tasks.settings import Listener, Settings
from tasks.settings.model import alias_host, mail_host
from tasks.settings.names import ascii_name, both_forms, unicode_name
from tasks.table import TXT_STRING, quoted_strings, table
from tasks.translation import Translate, translator

STATES = {
    "ok": "there",
    "missing": "to enter",
    "different": "another value stands there",
    "partial": "not on every name server yet",
    "attention": "needs attention",
    "unknown": "could not be checked",
    "unchecked": "not checked (offline)",
}
PURPOSES = {
    "smtp": "mail from other servers; takes no password",
    "submissions": "sending, SSL/TLS",
    "submission": "sending, STARTTLS required",
    "imaps": "reading (IMAP), SSL/TLS",
    "pop3s": "reading (POP3), SSL/TLS",
    "pop3": "reading (POP3), STARTTLS required",
    "imap": "reading (IMAP), STARTTLS required",
    "https": "leaving mailing lists with one click",
}


@dataclass(frozen=True, slots=True)
class Record:
    """One DNS record: owner and value in the form that DNS carries, and what its zone holds now."""

    domain: str
    type: str
    owner: str
    value: str
    preference: int | None = None
    state: str = "unchecked"
    found: str = ""


@dataclass(frozen=True, slots=True)
class Certificate:
    """The certificate that is shown for one name; ``pending`` says why a real one is not there yet."""

    name: str
    days: int | None = None
    self_signed: bool = False
    pending: str = ""


@dataclass(frozen=True, slots=True)
class Check:
    """One line of the verification, and where it was looked from."""

    origin: str
    what: str
    fine: bool
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """What the host said at the end of a run."""

    records: tuple[Record, ...] = ()
    certificates: tuple[Certificate, ...] = ()
    checks: tuple[Check, ...] = ()
    first_passwords: bool = False
    not_managed: tuple[str, ...] = ()
    upgrade_backup: str = ""


def text(settings: Settings, report: Report, host: str) -> str:
    """The summary of one host."""
    _ = translator(settings.language)
    parts = [
        _heading(settings, host, _),
        _ports(settings, _),
        _records(settings, report, _),
        _reverse(report, _),
        _certificates(settings, report, _),
        _clients(settings, _),
        _places(settings, report, _),
        _checks(report, _),
    ]
    return "\n\n".join("\n".join(lines) for lines in map(list, parts) if lines) + "\n"


def _heading(settings: Settings, host: str, _: Translate) -> Iterator[str]:
    yield _("Mail server {name} is set up on {host}.").format(name=both_forms(settings.server_name), host=host)
    if settings.lab_port_base is not None:
        yield _("This is the lab: nothing here can be reached from outside, and no real Windows was touched.")
        yield _("Port N of a real server is port {base} + N here, on 127.0.0.1 alone.").format(
            base=settings.lab_port_base
        )
        if settings.lab_drive is not None:
            yield _("Its drive C: is the folder {folder} here.").format(folder=settings.lab_drive)
        if settings.database.engine == "sqlite":
            yield _("No MariaDB was found on this machine, so the lab keeps its mail in an SQLite file.")
        else:
            yield _("A private MariaDB of this machine stands in for MySQL.")


def _ports(settings: Settings, _: Translate) -> Iterator[str]:
    yield _("Open ports (firewall rules are set; a gateway must forward the same numbers)")
    for name, listener in settings.listeners.enabled():
        yield f"  {_port(settings, listener):<11} {_(PURPOSES[name])}"
    if settings.tls.source == "acme":
        yield f"  {settings.tls.acme.challenge_port:<11} {_('proof of host names to the certificate authority')}"
    if settings.web.enabled:
        yield f"  {settings.web.port:<11} {_('administration and webmail')}"


def _port(settings: Settings, listener: Listener) -> str:
    bound = settings.bound_port(listener)
    return str(listener.port) if bound == listener.port else f"{listener.port} ({bound})"


def _records(settings: Settings, report: Report, _: Translate) -> Iterator[str]:
    rows = [record for record in report.records if record.type != "PTR"]
    if not rows:
        return
    yield _("DNS records, to be entered at the page where your registrar keeps the domain's settings")
    yield _("(@ is the domain itself. Forms differ: some want a dot at the end of a name, some quotes around a TXT.)")
    head = [_("Type"), _("Host"), _("Value"), _("Priority"), _("State")]
    for domain in dict.fromkeys(record.domain for record in rows):
        yield ""
        yield f"  {both_forms(domain)}"
        own = [record for record in rows if record.domain == domain]
        yield from table(head, [_row(record, _) for record in own])
        for record in own:
            yield from _notes(record, _)
    if settings.public_ipv4 is None:
        yield ""
        yield _("public_ipv4 is not set: without it the A and SPF records cannot be written.")


def _row(record: Record, _: Translate) -> list[str]:
    preference = "" if record.preference is None else str(record.preference)
    value = record.value if len(record.value) <= TXT_STRING else _("(long, see below)")
    return [record.type, _relative(record), value, preference, _(STATES.get(record.state, record.state))]


def _relative(record: Record) -> str:
    """The host as registrars ask for it, without the domain."""
    owner, domain = ascii_name_or(record.owner), ascii_name(record.domain)
    if owner == domain:
        return "@"
    return owner.removesuffix(f".{domain}")


def ascii_name_or(owner: str) -> str:
    """An owner such as ``_dmarc.테스트.net``: underscores are no letters of a host name, so labels go one by one."""
    return ".".join(
        label if label.isascii() else ascii_name(f"{label}.x").removesuffix(".x") for label in owner.split(".")
    )


def _notes(record: Record, _: Translate) -> Iterator[str]:
    if record.type == "MX" and unicode_name(record.value) != record.value:
        yield f"  MX: {record.value} = {unicode_name(record.value)}"
    if len(record.value) > TXT_STRING:
        yield "  " + _("{host}, on one line:").format(host=_relative(record))
        yield f"    {record.value}"
        yield "  " + _("the same as quoted strings, for forms that refuse more than 255 characters:")
        yield f"    {quoted_strings(record.value)}"
    if record.found and record.state in ("different", "partial", "attention"):
        yield "  " + _("{type} {host} holds now: {found}").format(
            type=record.type, host=_relative(record), found=record.found
        )


def _reverse(report: Report, _: Translate) -> Iterator[str]:
    rows = [record for record in report.records if record.type == "PTR"]
    if not rows:
        return
    yield _("Reverse DNS (PTR), to be asked of the internet company that your address comes from")
    for record in rows:
        yield f"  {record.owner} -> {both_forms(record.value)}: {_(STATES.get(record.state, record.state))}"


def _certificates(settings: Settings, report: Report, _: Translate) -> Iterator[str]:
    yield _("Certificates")
    for certificate in report.certificates:
        if certificate.pending:
            state = _("pending: {why}").format(why=certificate.pending)
        elif certificate.self_signed:
            state = _("self-signed: mail programs will warn")
        else:
            state = _("{days} days left").format(days=certificate.days)
        yield f"  {both_forms(certificate.name)}: {state}"
    if any(certificate.pending for certificate in report.certificates):
        yield "  " + _("Enter the records above; the scheduled task then orders what is missing by itself.")
    if settings.tls.source == "self_signed":
        yield "  " + _("Self-signed by choice (tls.source); set it to acme on a server that the world can reach.")


def _clients(settings: Settings, _: Translate) -> Iterator[str]:
    yield _("For mail programs (Outlook, Thunderbird, phones)")
    domain = settings.present_domains[0]
    yield "  " + _("User name: the whole e-mail address, for instance {example}").format(
        example=f"{domain.accounts[0].address if domain.accounts else 'id'}@{domain.name}"
    )
    listeners = settings.listeners
    for name in hosts_of(settings):
        if listeners.imaps.enabled:
            yield "  " + _("Incoming: IMAP, {host}, port {port}, SSL/TLS").format(
                host=both_forms(name), port=_port(settings, listeners.imaps)
            )
        if listeners.pop3s.enabled:
            yield "  " + _("Incoming: POP3, {host}, port {port}, SSL/TLS").format(
                host=both_forms(name), port=_port(settings, listeners.pop3s)
            )
        if listeners.submissions.enabled:
            yield "  " + _("Outgoing: SMTP, {host}, port {port}, SSL/TLS, with login").format(
                host=both_forms(name), port=_port(settings, listeners.submissions)
            )


def hosts_of(settings: Settings) -> tuple[str, ...]:
    """The names that mail programs are told, each once."""
    names = [mail_host(domain) for domain in settings.present_domains]
    names += [alias_host(domain, alias) for domain in settings.present_domains for alias in domain.aliases]
    return tuple(dict.fromkeys(names))


def _places(settings: Settings, report: Report, _: Translate) -> Iterator[str]:
    paths = Paths(settings.root)
    yield _("On the server")
    if report.first_passwords:
        yield "  " + _(
            "First passwords: {path} (only administrators can read it; hand them out, then delete it)"
        ).format(path=paths.first_passwords)
    else:
        yield "  " + _("First passwords: none is kept on the server; for a new one: maild account password ADDRESS")
    yield "  " + _("Logs: {path}, a file a day, {days} days").format(path=paths.logs, days=settings.logs.keep_days)
    yield "  " + _("Settings: {path}").format(path=paths.settings)
    if settings.backup.recipient is None:
        yield "  " + _(
            "No daily backup is made: set backup.recipient to your age key (make agekey FILE=~/mailhost.agekey)"
        )
    else:
        yield "  " + _("Backups: {path}, every day at {time}").format(path=paths.backups, time=settings.backup.at)
    if report.upgrade_backup and settings.backup.recipient:
        yield "  " + _("From before this upgrade: {path}, encrypted to your key").format(path=report.upgrade_backup)
    elif report.upgrade_backup:
        yield "  " + _(
            "From before this upgrade: {path}, not encrypted (no backup.recipient): only administrators can read it"
        ).format(path=report.upgrade_backup)
    if found := secure_delivery(settings):
        yield "  " + _("note: {finding}").format(finding=found.said(_))
    if report.not_managed:
        yield "  " + _("Not managed, left as it is: {what}").format(what=", ".join(report.not_managed))


def _checks(report: Report, _: Translate) -> Iterator[str]:
    if not report.checks:
        return
    yield _("Checked")
    origins = {"host": _("from the server"), "controller": _("from here")}
    for check in report.checks:
        mark = _("fine") if check.fine else _("not fine")
        detail = f" ({check.detail})" if check.detail else ""
        yield f"  {origins.get(check.origin, check.origin)}: {check.what}: {mark}{detail}"
