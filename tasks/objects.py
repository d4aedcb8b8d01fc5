"""The mail objects as ``maild reconcile`` takes them: domains, mailboxes, aliases, lists, routes, ranges, signing keys.

What each domain must have by the rules of mail comes by itself: ``postmaster`` and ``abuse`` (RFC 2142), the mailbox
that DMARC reports go to, and two signing keys. Whatever is not declared is left to the people who made it.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pyinfra_winrm.kinds import Reconcile
from pyinfra_winrm.secret import Secret
from tasks import release
from tasks.facts import Facts
from tasks.paths import Paths
from tasks.settings import Domain, MailingList, Route, Settings

REPORTS = "dmarc-reports"
ROLES = ("postmaster", "abuse")
RSA, ED25519 = "rsa-sha256", "ed25519-sha256"
MEGABYTE = 1024 * 1024
LIST_MODES = {"anyone": "public", "members": "members", "owner": "announcements"}
WITH_LOGIN = ["local-local", "local-external", "external-external"]
WITHOUT_LOGIN = ["external-external"]
"""Directions that need a login; from a range that sends without, a sender must still be one of ours."""
ROUTE_TLS = {"none": "none", "starttls-optional": "opportunistic", "starttls": "required", "tls": "implicit"}

Json = dict[str, Any]


def resources(settings: Settings, _facts: Facts) -> list[Reconcile]:
    """One resource for all of them: their order among each other is the daemon's affair."""
    return [resource(settings)]


def resource(settings: Settings) -> Reconcile:
    """The mail objects of the settings."""
    paths = Paths(settings.root)
    return Reconcile(
        name="objects",
        command=release.command(settings, "reconcile", "--settings", paths.settings),
        desired=desired(settings),
        folder=paths.private,
    )


def desired(settings: Settings) -> Json:
    """The whole desired state."""
    domains = settings.domains
    return {
        "domains": [_domain(domain) for domain in domains],
        "alias_domains": [*(alias for domain in domains for alias in _alias_domains(domain)), *_reports(settings)],
        "accounts": [account for domain in domains for account in _accounts(domain)],
        "aliases": [alias for domain in domains for alias in _aliases(domain)],
        "lists": [_list(domain, each) for domain in domains for each in domain.lists],
        "routes": [_route(route) for route in settings.routes],
        "ip_ranges": [
            {"name": span.name, "state": span.state, "network": span.network, "priority": span.priority,
             "never_ban": span.never_ban, "require_auth": WITHOUT_LOGIN if span.send_without_login else WITH_LOGIN,
             "allow_local_sender": span.send_without_login}
            for span in settings.ip_ranges
        ],
        "dkim": [
            *(key for domain in settings.present_domains for key in _keys(domain)),
            *(key for alias in _reports(settings) for key in _reports_keys(alias)),
        ],
        "first_passwords": Paths(settings.root).first_passwords,
    }  # fmt: skip


def _domain(domain: Domain) -> Json:
    if domain.state == "absent":
        return {"name": domain.name, "state": "absent", "purge": domain.purge}
    return {"name": domain.name, "catch_all": domain.catch_all}


def _alias_domains(domain: Domain) -> Iterator[Json]:
    for alias in domain.aliases:
        yield {"name": alias, "domain": domain.name, "state": domain.state}
    for alias in domain.former_aliases:
        yield {"name": alias, "domain": domain.name, "state": "absent"}


def _accounts(domain: Domain) -> Iterator[Json]:
    if domain.state == "absent":
        return
    for account in domain.accounts:
        address = f"{account.address}@{domain.name}"
        if account.state == "absent":
            yield {"address": address, "state": "absent", "purge": account.purge}
            continue
        wanted: Json = {"address": address, "name": account.name, "quota_bytes": account.quota_mb * MEGABYTE}
        if account.first_password is not None:
            wanted["password"] = Secret(account.first_password.read())
        yield wanted
    if REPORTS not in _taken(domain):
        yield {"address": f"{REPORTS}@{domain.name}"}


def _aliases(domain: Domain) -> Iterator[Json]:
    if domain.state == "absent":
        return
    for forward in domain.forwards:
        yield {"address": f"{forward.address}@{domain.name}", "targets": [forward.to], "state": forward.state}
    first = next((account for account in domain.accounts if account.state == "present"), None)
    for role in ROLES if first else ():
        if role not in _taken(domain) and first:
            yield {"address": f"{role}@{domain.name}", "targets": [f"{first.address}@{domain.name}"]}


def _taken(domain: Domain) -> set[str]:
    """The local parts that the settings declare themselves."""
    return {each.address.casefold() for group in (domain.accounts, domain.forwards, domain.lists) for each in group}


def _list(domain: Domain, each: MailingList) -> Json:
    wanted: Json = {"address": f"{each.address}@{domain.name}", "state": each.state}
    if each.state == "present":
        wanted |= {"members": list(each.members), "mode": LIST_MODES[each.who]}
        wanted |= {"announcers": [each.owner]} if each.owner else {}
    return wanted


def _route(route: Route) -> Json:
    if route.state == "absent":
        return {"pattern": route.domain, "state": "absent"}
    wanted: Json = {
        "pattern": route.domain, "host": route.host, "port": route.port, "tls": ROUTE_TLS[route.security],
        "auth": route.login if route.user else "none", "user": route.user,
    }  # fmt: skip
    if route.password is not None:
        wanted["password"] = Secret(route.password.read())
    return wanted


def _reports(settings: Settings) -> list[Json]:
    """The second name of the first domain that DMARC reports come from; it goes when they are switched off."""
    name = settings.reports_domain
    if any(name in (domain.name, *domain.aliases) for domain in settings.present_domains):
        return []
    state = "present" if settings.dmarc.send_reports else "absent"
    return [{"name": name, "domain": settings.completing_domain, "state": state}]


def _reports_keys(alias: Json) -> Iterator[Json]:
    for selector, algorithm in (("dkim", RSA), ("dkim-ed", ED25519)):
        yield {"domain": alias["name"], "selector": selector, "algorithm": algorithm, "state": alias["state"]}


def _keys(domain: Domain) -> Iterator[Json]:
    """Two keys each, as some receivers know only RSA; an added domain signs as itself, with the key in use too."""
    for name in (domain.name, *domain.aliases):
        yield {
            "domain": name, "selector": domain.dkim.selector, "algorithm": RSA, "key_file": domain.dkim.key_file,
        }  # fmt: skip
        yield {"domain": name, "selector": domain.dkim.selector_ed25519, "algorithm": ED25519}
