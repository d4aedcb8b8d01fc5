"""The caching resolver: follows CNAMEs, bounds every answer, remembers what exists and what does not.

Equal questions under way are asked once. An answer over a limit is a ``ServerFailure``, never a cut list, since a
shortened SPF or TLSA set would be a wrong one.
"""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import dns.resolver

from maild.dns.answer import Answer, DNSError, NoData, NoName, Record, ServerFailure, Timeout
from maild.dns.names import to_query
from maild.dns.upstream import CaresUpstream, DirectUpstream, Reply, Upstream


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What one question may cost."""

    records: int = 256
    """Records of an answer; the largest honest MX and SPF sets have some dozens."""
    octets: int = 65_536
    """Record data of an answer; what one DNS message can carry."""
    chain: int = 8
    """CNAMEs followed, as many as BIND and unbound follow in practice."""
    seconds: float = 8.0
    """For a whole question with its CNAMEs; SMTP clients wait 10 minutes for DATA, ours asks some dozens."""
    entries: int = 20_000
    """Answers kept, about 20 MB."""
    longest: int = 86_400
    """Seconds an answer is kept at most."""
    shortest: int = 5
    """Seconds an answer is kept at least, so that a TTL of 0 does not multiply questions."""
    failure: int = 5
    """Seconds a failure is kept (RFC 9520 section 3.2 asks for at least one)."""


class CachingResolver:
    """A ``Resolver`` over an upstream. ``clock`` counts seconds and never goes back."""

    def __init__(
        self,
        upstream: Upstream,
        *,
        clock: Callable[[], float] = time.monotonic,
        limits: Limits | None = None,
    ) -> None:
        self._upstream = upstream
        self._clock = clock
        self._limits = limits or Limits()
        self._kept: OrderedDict[tuple[str, str], tuple[float, Answer | DNSError]] = OrderedDict()
        self._asking: dict[tuple[str, str], asyncio.Task[Answer | DNSError]] = {}

    async def query(self, name: str, rdtype: str) -> Answer:
        """The records, from memory where it is fresh."""
        wire = to_query(name)
        if wire is None:
            raise NoName(name, rdtype, "such a name cannot be")
        outcome = self._remembered((wire, rdtype))
        if outcome is None:
            outcome = await self._asked((wire, rdtype))
        if isinstance(outcome, DNSError):
            raise type(outcome)(name, rdtype, outcome.cause, ttl=outcome.ttl)
        return outcome

    def ask(self, upstream: Upstream) -> None:
        """Asks others from now on; what the ones before answered is forgotten, since they may not be trusted alike."""
        self._upstream = upstream
        self.forget()

    def forget(self) -> None:
        """Drops all that is remembered."""
        self._kept.clear()

    def _remembered(self, key: tuple[str, str]) -> Answer | DNSError | None:
        kept = self._kept.get(key)
        if kept is None:
            return None
        if kept[0] <= self._clock():
            del self._kept[key]
            return None
        self._kept.move_to_end(key)
        return kept[1]

    async def _asked(self, key: tuple[str, str]) -> Answer | DNSError:
        task = self._asking.get(key)
        if task is None:
            task = asyncio.create_task(self._ask(*key))
            self._asking[key] = task
            task.add_done_callback(lambda _: self._asking.pop(key, None))
        return await asyncio.shield(task)

    async def _ask(self, name: str, rdtype: str) -> Answer | DNSError:
        outcome: Answer | DNSError
        try:
            async with asyncio.timeout(self._limits.seconds):
                outcome = await self._follow(name, rdtype)
        except TimeoutError:
            outcome = Timeout(name, rdtype, f"no answer within {self._limits.seconds:g} s")
        except DNSError as error:
            outcome = error
        self._keep((name, rdtype), outcome)
        return outcome

    async def _follow(self, name: str, rdtype: str) -> Answer:
        target, secure, lowest, seen = name, True, self._limits.longest, 0
        while True:
            reply = await self._upstream.fetch(target, rdtype)
            self._bound(reply, name, rdtype)
            secure = secure and reply.secure
            aliases = {row.name: row for row in reply.rows if row.rdtype == "CNAME"}
            start = target
            while rdtype != "CNAME" and target in aliases:
                lowest = min(lowest, aliases[target].ttl)
                target = str(aliases[target].record)
                seen += 1
                if seen > self._limits.chain:
                    raise ServerFailure(name, rdtype, f"more than {self._limits.chain} CNAMEs in a row")
            rows = [row for row in reply.rows if row.rdtype == rdtype and row.name == target]
            if rows:
                lowest = min(lowest, *(row.ttl for row in rows))
                return Answer(tuple(row.record for row in rows), secure, lowest, target)
            if target == start:
                raise NoData(name, rdtype, "the answer holds no such record")

    def _bound(self, reply: Reply, name: str, rdtype: str) -> None:
        if len(reply.rows) > self._limits.records:
            raise ServerFailure(name, rdtype, f"more than {self._limits.records} records")
        if sum(_octets(row.record) for row in reply.rows) > self._limits.octets:
            raise ServerFailure(name, rdtype, f"more than {self._limits.octets} octets")

    def _keep(self, key: tuple[str, str], outcome: Answer | DNSError) -> None:
        if isinstance(outcome, ServerFailure | Timeout):
            seconds = self._limits.failure
        else:
            seconds = max(self._limits.shortest, min(outcome.ttl, self._limits.longest))
        self._kept[key] = (self._clock() + seconds, outcome)
        self._kept.move_to_end(key)
        while len(self._kept) > self._limits.entries:
            self._kept.popitem(last=False)


def _octets(record: Record) -> int:
    return len(record) if isinstance(record, str | bytes) else 64


def open_resolver(
    servers: Sequence[str] = (), *, validating: bool = False, timeout: float = 2.0, limits: Limits | None = None
) -> CachingResolver:
    """A resolver over these servers, or the system's. ``validating`` is the administrator's word for all of them."""
    upstream: Upstream
    if validating:
        upstream = DirectUpstream(list(servers) or system_servers(), timeout=timeout, validating=True)
    else:
        upstream = CaresUpstream(servers, timeout=timeout)
    return CachingResolver(upstream, limits=limits)


def system_servers() -> list[str]:
    """The addresses of the system's name servers; empty when it has none."""
    try:
        return [str(server) for server in dns.resolver.Resolver().nameservers]
    except (dns.resolver.NoResolverConfiguration, OSError):  # OSError: what Windows keeps in the registry is not there
        return []
