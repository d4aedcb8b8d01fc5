"""Routes, IP ranges and DKIM keys: compared with what is declared, and changed to it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from ipaddress import ip_address, ip_network
from pathlib import Path

from msgspec import UnsetType

from maild.net import Address
from maild.policy.ranges import DEFAULT_RANGES
from maild.reconcile import shown
from maild.reconcile.change import NotManaged, Plain, ReconcileError, Step, differences, removal
from maild.reconcile.desired import Desired, DKIMState, RangeState, RouteState, domain_key
from maild.reconcile.people import or_else
from maild.store import Ban, DKIMKey, IPRange, Route, RouteAuth, Store
from maild.verify.dkim.signing_key import DKIMKeyError, SigningKey, from_pem, generate
from maild.verify.keyring import StoredKeys

NEW_PRIORITY = 30
"""A declared range stands above Internet, My computer and every ban."""


@dataclass(frozen=True, slots=True)
class Traffic:
    """What is there now."""

    routes: Sequence[Route] = ()
    ranges: Sequence[IPRange] = ()
    keys: Sequence[DKIMKey] = ()
    bans: Sequence[Ban] = ()


@dataclass(frozen=True, slots=True)
class Sealing:
    """How secrets are put into rows and compared with them."""

    wrap_key: bytes
    route: Callable[[str], bytes]
    """Wraps the password of a route."""
    opens: Callable[[bytes, str], bool]
    """Whether a wrapped secret is this password."""


async def look(store: Store) -> Traffic:
    """Reads what is there."""
    return Traffic(
        routes=await store.directory.routes(),
        ranges=await store.access.ranges(),
        keys=await store.keys.dkim(),
        bans=await store.access.bans(),
    )


def steps(desired: Desired, now: Traffic, sealing: Sealing) -> list[Step]:
    """What makes it as declared."""
    found = [
        *[_route(wanted, now, sealing) for wanted in desired.routes],
        *[_range(wanted, now) for wanted in desired.ip_ranges],
        *[_dkim(wanted, now, sealing) for wanted in desired.dkim],
    ]
    return [step for step in found if step is not None and step.changes]


def not_managed(desired: Desired, now: Traffic) -> list[NotManaged]:
    """What is there and was not declared."""
    routes = {_pattern(each.pattern) for each in desired.routes}
    ranges = {each.name for each in desired.ip_ranges}
    keyed = {domain_key(each.domain) for each in desired.dkim}
    return [
        *[NotManaged("route", each.pattern) for each in now.routes if each.pattern not in routes],
        *[NotManaged("ip_range", each.name) for each in now.ranges if each.name not in ranges],
        *[
            NotManaged("dkim", f"{each.selector}._domainkey.{shown.domain(each.domain)}")
            for each in now.keys
            if each.domain not in keyed
        ],
        *[NotManaged("ban", str(each.network)) for each in now.bans],
    ]


def _route(wanted: RouteState, now: Traffic, sealing: Sealing) -> Step | None:
    pattern = _pattern(wanted.pattern)
    found = next((each for each in now.routes if each.pattern == pattern), None)
    if wanted.absent:
        gone = Step(removal("route", wanted.pattern), lambda store: store.directory.remove_route(pattern))
        return gone if found else None
    if not wanted.host:
        raise ReconcileError(f"route {wanted.pattern} has no host")
    current = found or Route(pattern=pattern, host=wanted.host)
    auth = wanted.auth
    if isinstance(auth, UnsetType) and wanted.password is not None and found is None:
        auth = RouteAuth.PASSWORD
    changed = wanted.password is not None and not sealing.opens(current.secret, wanted.password)
    target = replace(
        current,
        host=wanted.host,
        port=or_else(wanted.port, current.port),
        tls=or_else(wanted.tls, current.tls),
        auth=or_else(auth, current.auth),
        user=or_else(wanted.user, current.user),
        secret=sealing.route(wanted.password) if changed and wanted.password is not None else current.secret,
        recipients=or_else(wanted.recipients, current.recipients),
        local=or_else(wanted.local, current.local),
        active=or_else(wanted.active, current.active),
    )
    fields = shown.given(
        host=wanted.host,
        port=wanted.port,
        tls=wanted.tls,
        auth=auth,
        user=wanted.user,
        recipients=wanted.recipients,
        local=wanted.local,
        active=wanted.active,
    )
    if changed:
        fields["password"] = "(new)"  # noqa: S105 - what is shown instead of it
    present = _route_fields(found) if found else None
    return Step(differences("route", wanted.pattern, present, fields), lambda store: store.directory.save_route(target))


def _route_fields(route: Route) -> dict[str, Plain]:
    return {
        "host": route.host,
        "port": route.port,
        "tls": str(route.tls),
        "auth": str(route.auth),
        "user": route.user,
        "recipients": shown.plain(route.recipients),
        "local": route.local,
        "active": route.active,
        "password": "(old)" if route.secret else None,
    }


def _pattern(pattern: str) -> str:
    if pattern == "*":
        return pattern
    prefix = "*." if pattern.startswith("*.") else ""
    return prefix + domain_key(pattern.removeprefix("*."))


def _range(wanted: RangeState, now: Traffic) -> Step | None:
    found = next((each for each in now.ranges if each.name == wanted.name), None)
    if wanted.absent:
        gone = Step(removal("ip_range", wanted.name), lambda store: store.access.remove_range(wanted.name))
        return gone if found else None
    low, high = _bounds(wanted)
    usual = DEFAULT_RANGES[0]
    current = found or replace(usual, id=0, name=wanted.name, low=low, high=high, priority=NEW_PRIORITY)
    target = replace(
        current,
        low=low,
        high=high,
        priority=or_else(wanted.priority, current.priority),
        protocols=or_else(wanted.protocols, current.protocols),
        allow=or_else(wanted.allow, current.allow),
        require_auth=or_else(wanted.require_auth, current.require_auth),
        allow_local_sender=or_else(wanted.allow_local_sender, current.allow_local_sender),
        never_ban=or_else(wanted.never_ban, current.never_ban),
    )
    fields = shown.given(
        addresses=f"{low} - {high}",
        priority=wanted.priority,
        protocols=wanted.protocols,
        allow=wanted.allow,
        require_auth=wanted.require_auth,
        allow_local_sender=wanted.allow_local_sender,
        never_ban=wanted.never_ban,
    )
    present = _range_fields(found) if found else None
    return Step(differences("ip_range", wanted.name, present, fields), lambda store: store.access.save_range(target))


def _range_fields(range_: IPRange) -> dict[str, Plain]:
    return {
        "addresses": f"{range_.low} - {range_.high}",
        "priority": range_.priority,
        "protocols": shown.plain(range_.protocols),
        "allow": shown.plain(range_.allow),
        "require_auth": shown.plain(range_.require_auth),
        "allow_local_sender": range_.allow_local_sender,
        "never_ban": range_.never_ban,
    }


def _bounds(wanted: RangeState) -> tuple[Address, Address]:
    try:
        if wanted.network:
            network = ip_network(wanted.network, strict=False)
            return network[0], network[-1]
        return ip_address(wanted.low), ip_address(wanted.high or wanted.low)
    except ValueError as error:
        raise ReconcileError(f"ip_range {wanted.name}: {error}") from error


def _dkim(wanted: DKIMState, now: Traffic, sealing: Sealing) -> Step | None:
    domain = domain_key(wanted.domain)
    keys = [key for key in now.keys if key.domain == domain and key.algorithm == wanted.algorithm]
    name = f"{wanted.selector}._domainkey.{shown.domain(domain)}"
    if wanted.absent:
        gone = [key for key in keys if key.selector == wanted.selector]
        return (
            Step(removal("dkim", name), lambda store: store.keys.remove_dkim(domain, wanted.selector)) if gone else None
        )
    # A rotation has its own selectors: a domain that signs with this algorithm is in step whichever they are.
    if any(key.state == "active" for key in keys):
        return None
    changes = differences("dkim", name, None, {"algorithm": str(wanted.algorithm)})

    async def make(store: Store) -> None:
        await store.keys.save_dkim(StoredKeys(store.keys, sealing.wrap_key).row(_key(domain, wanted)))

    return Step(changes, make)


def _key(domain: str, wanted: DKIMState) -> SigningKey:
    if wanted.key_file is None:
        return generate(domain, wanted.selector, wanted.algorithm)
    try:
        key = from_pem(domain, wanted.selector, Path(wanted.key_file).read_bytes())
    except OSError as error:
        raise ReconcileError(f"DKIM key {wanted.key_file}: {error.strerror}") from error
    except DKIMKeyError as error:
        raise ReconcileError(f"DKIM key {wanted.key_file}: {error}") from error
    if key.algorithm is not wanted.algorithm:
        raise ReconcileError(f"DKIM key {wanted.key_file} is for {key.algorithm}, not {wanted.algorithm}")
    return key
