"""A domain's keys change against a real authoritative server while mail flows: in no phase does a message fail."""

from __future__ import annotations

import asyncio
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import dkim as dkimpy
import dns.resolver

from maild.dns.check import Checker
from maild.dns.resolver import CachingResolver
from maild.dns.update import Updater
from maild.dns.upstream import DirectUpstream
from maild.settings import Database
from maild.store import DKIMKey, Domain, open_store
from maild.verify import Peer, StoredKeys, check_message, sign_outgoing
from maild.verify.dkim.rotation import Pace, Phase
from maild.verify.rotating import Rotator, expected_of
from tests.lib.knot import PRIMARY, SECONDARY, Knot, knot

ABOUT = "publish, settle, switch, linger, withdraw on Knot by RFC 2136 updates; messages counted a phase, none fails"
DOMAIN = "xn--9t4b11yi5a.net"
PACES = {"small": (Pace(settle=0.5, linger=2.0), 2), "full": (Pace(settle=5.0, linger=30.0), 10)}
"""How long the phases last here, and the messages signed each time we look."""
TRANSIT_SECONDS = 1.0
"""How long a message is on the way before a receiver verifies it: those signed just before a switch come after it."""


@dataclass
class Flow:
    """Messages under way, and what became of them by the phase they were signed in."""

    sent: Counter[str] = field(default_factory=Counter)
    failed: list[str] = field(default_factory=list)
    selectors: dict[str, set[str]] = field(default_factory=dict)
    under_way: list[tuple[float, str, bytes]] = field(default_factory=list)


def run(size: str) -> dict[str, object]:
    pace, count = PACES[size]
    with tempfile.TemporaryDirectory(prefix="rotation-") as name:
        folder = Path(name)
        with knot(folder / "dns", {DOMAIN: '_dmarc 5 TXT "v=DMARC1; p=reject; adkim=s"\n'}) as server:
            return asyncio.run(_run(server, folder, pace, count))


async def _run(server: Knot, folder: Path, pace: Pace, count: int) -> dict[str, object]:
    updater = Updater(DOMAIN, PRIMARY, server.port, server.key)
    store = await open_store(Database(file=folder / "mail.db"))
    try:
        await store.directory.save_domain(Domain(name=DOMAIN))
        ring = StoredKeys(store.keys, bytes(range(32)))
        first = await ring.ensure(DOMAIN)
        await updater.publish([expected_of(row) for row in first])

        def checker() -> Checker:
            upstream = DirectUpstream([PRIMARY], port=server.port, timeout=1.0)
            return Checker(CachingResolver(upstream), port=server.port, timeout=1.0)

        await _everywhere(checker(), first)
        rotator = Rotator(store.keys, store.state, ring, checker, updater, pace)
        rotation = await rotator.begin(DOMAIN)
        flow, phases = Flow(), [rotation.phase]
        while rotation.phase is not Phase.DONE:
            await _send(flow, ring, rotation.phase, count)
            rotation = await rotator.advance(rotation)
            if rotation.phase is not phases[-1]:
                phases.append(rotation.phase)
            await _receive(flow, server, time.monotonic() - TRANSIT_SECONDS)
            await asyncio.sleep(0.05)
        await _send(flow, ring, Phase.DONE, count)
        await _receive(flow, server, time.monotonic())
        left = {row.selector for row in await store.keys.dkim(DOMAIN)}
    finally:
        await store.close()
    assert phases == [Phase.PUBLISHING, Phase.SETTLING, Phase.LINGERING, Phase.WITHDRAWING, Phase.DONE], phases
    assert flow.failed == [], f"{len(flow.failed)} messages failed: {flow.failed[:5]}"
    assert not flow.under_way
    assert all(flow.sent[phase] for phase in (Phase.PUBLISHING, Phase.SETTLING, Phase.LINGERING, Phase.DONE)), flow.sent
    assert left == set(rotation.new), left
    assert flow.selectors[Phase.PUBLISHING] == set(rotation.old)
    assert flow.selectors[Phase.DONE] == set(rotation.new)
    return {
        "cases": flow.sent.total(),
        "engine": "knot, primary and secondary, RFC 2136 with TSIG",
        "messages": {str(phase): flow.sent[phase] for phase in phases},
        "failed": 0,
        "old": sorted(rotation.old),
        "new": sorted(rotation.new),
    }


async def _everywhere(checker: Checker, rows: Sequence[DKIMKey]) -> None:
    deadline = time.monotonic() + 30
    while not all([await checker.everywhere(expected_of(row)) for row in rows]):
        assert time.monotonic() < deadline, "the secondary does not follow"
        await asyncio.sleep(0.1)


async def _send(flow: Flow, ring: StoredKeys, phase: Phase, count: int) -> None:
    """Signs some messages as the delivery would, the keys looked up anew as after its few seconds."""
    fresh = StoredKeys(ring.rows, ring.wrap_key)
    for number in range(count):
        message = f"From: id@{DOMAIN}\r\nSubject: {phase} {number}\r\n\r\n안녕하세요 {number}\r\n".encode()
        signature = await sign_outgoing(message, fresh)
        assert signature.domain == DOMAIN
        flow.sent[phase] += 1
        flow.selectors.setdefault(phase, set()).update(key.selector for key in await fresh.of(DOMAIN))
        flow.under_way.append((time.monotonic(), phase, signature.fields + message))


async def _receive(flow: Flow, server: Knot, until: float) -> None:
    """A receiver without a cache verifies what has been on the way long enough, with our code and with dkimpy."""
    arrived = [entry for entry in flow.under_way if entry[0] <= until]
    flow.under_way = [entry for entry in flow.under_way if entry[0] > until]
    for number, (_, phase, message) in enumerate(arrived):
        address = (PRIMARY, SECONDARY)[number % 2]
        resolver = CachingResolver(DirectUpstream([address], port=server.port, timeout=1.0))
        peer = Peer(ip="192.0.2.1", helo="x.example", sender=f"id@{DOMAIN}")
        verdict = await check_message(message, peer, resolver=resolver, server="us.example")
        results = [(check.selector, str(check.result)) for check in verdict.facts.dkim]
        if [result for _, result in results] != ["pass", "pass"] or verdict.facts.dmarc.result != "pass":
            flow.failed.append(f"{phase}: {results} {verdict.facts.dmarc.result}")
        elif not await asyncio.to_thread(_dkimpy, message, address, server.port):
            flow.failed.append(f"{phase}: dkimpy {results}")


def _dkimpy(message: bytes, address: str, port: int) -> bool:
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = [address], port

    def text(name: bytes, **_: object) -> bytes:
        return b"".join(resolver.resolve(name.decode(), "TXT")[0].strings)

    return all(dkimpy.DKIM(message).verify(idx=number, dnsfunc=text) for number in range(2))
