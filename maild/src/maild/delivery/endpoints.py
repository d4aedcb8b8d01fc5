"""The hosts of a destination with the protection and login each needs: by MX, by a route, or the smart host.

Reads DNS, MTA-STS policies and route rows; the secrets of routes are unwrapped by a function that is passed in.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from maild.delivery.destination import Hop, Way
from maild.delivery.hosts import Families, addresses_of, exchangers
from maild.delivery.next_hop import Endpoint, HopError, Login, Reply, Security, TLSRule
from maild.delivery.protection import rule_for
from maild.delivery.sts import Fetch, policy_for
from maild.dns import Resolver
from maild.store import Directory, Route, RouteAuth, State, TLSMode

MAX_TRIED = 5
"""Addresses of a domain tried in one attempt (Postfix's bound): each that is dead holds a worker half a minute."""
_RULES = {
    TLSMode.NONE: TLSRule(security=Security.NONE),
    TLSMode.OPPORTUNISTIC: TLSRule(),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SmartHost:
    """The host that takes all outgoing mail."""

    host: str
    port: int
    tls: TLSMode
    login: Login | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ways:
    """How this server reaches others."""

    families: Families
    port: int = 25
    dane: bool = False
    smart_host: SmartHost | None = None


class Endpoints:
    """Finds the endpoints of destinations; raises ``HopError`` when there is none."""

    def __init__(
        self,
        ways: Ways,
        resolver: Resolver,
        directory: Directory,
        state: State,
        *,
        fetch: Fetch,
        unwrap: Callable[[bytes], str],
        shuffle: Callable[[list[str]], None] = random.shuffle,
    ) -> None:
        self._ways = ways
        self._resolver = resolver
        self._directory = directory
        self._state = state
        self._fetch = fetch
        self._unwrap = unwrap
        self._shuffle = shuffle

    def configure(self, ways: Ways, fetch: Fetch) -> None:
        """Takes changed settings."""
        self._ways, self._fetch = ways, fetch

    async def of(self, hop: Hop, now: int) -> list[Endpoint]:
        """The endpoints to try, in order."""
        if hop.way is Way.SMART_HOST:
            if self._ways.smart_host is None:
                raise HopError(Reply(451, "4.3.5", "no smart host is configured any more"))
            smart = self._ways.smart_host
            return await self._configured(smart.host, smart.port, smart.tls, smart.login)
        if hop.way is Way.ROUTE:
            return await self._route(hop.name)
        return await self._domain(hop.name, now)

    async def _domain(self, domain: str, now: int) -> list[Endpoint]:
        found = await exchangers(domain, self._resolver, self._ways.families, self._shuffle)
        policy = None
        if not domain.startswith("["):
            policy = await policy_for(domain, self._resolver, self._state, self._fetch, now)
        endpoints: list[Endpoint] = []
        fault: HopError | None = None
        for exchanger in found:
            try:
                rule = await rule_for(exchanger, domain, self._ways.port, self._resolver, policy, dane=self._ways.dane)
            except HopError as error:
                fault = error
                continue
            endpoints += [
                Endpoint(host=exchanger.name, address=address, port=self._ways.port, rule=rule)
                for address in exchanger.addresses
            ]
        if not endpoints and fault is not None:
            raise fault
        return _tried(endpoints)

    async def _route(self, pattern: str) -> list[Endpoint]:
        routes: Sequence[Route] = await self._directory.routes()
        route = next((each for each in routes if each.pattern == pattern and each.active), None)
        if route is None:
            raise HopError(Reply(451, "4.3.5", f"there is no route {pattern} any more"))
        login = None
        if route.auth is not RouteAuth.NONE:
            mechanism = "XOAUTH2" if route.auth is RouteAuth.XOAUTH2 else "PLAIN"
            login = Login(mechanism=mechanism, user=route.user, secret=self._unwrap(route.secret))
        return await self._configured(route.host, route.port, route.tls, login)

    async def _configured(self, host: str, port: int, tls: TLSMode, login: Login | None) -> list[Endpoint]:
        addresses = await addresses_of(host, self._resolver, self._ways.families)
        rule = _RULES.get(tls) or TLSRule(
            security=Security.VERIFIED,
            names=(host,),
            implicit=tls is TLSMode.IMPLICIT,
            why=f"settings for {host}",
        )
        return [Endpoint(host=host, address=address, port=port, rule=rule, login=login) for address in addresses]


def _tried(endpoints: list[Endpoint]) -> list[Endpoint]:
    """The first ones, of which one is of the other address family where there is any: a family may be cut off whole."""
    first = endpoints[:MAX_TRIED]
    families = {":" in each.address for each in first}
    other = next((each for each in endpoints if (":" in each.address) not in families), None)
    return first if other is None else [*first[:-1], other]
