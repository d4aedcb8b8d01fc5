"""Forged senders in ten thousand domains cause no report, and honest ones no more than the caps allow."""

from __future__ import annotations

import asyncio
import time

from maild.verify import Peer, check_message
from maild.verify.dmarc.gathering import Gatherer, Seen
from tests.lib.dkim import pair, signed, zone
from tests.lib.zones import Zones

ABOUT = "forged mail in 10,000 domains that ask for reports makes none; real correspondents get one each, within caps"
COUNTS = {"small": 2_000, "full": 10_000}
HONEST = 20
US = "192.0.2.1"


def run(size: str) -> dict[str, object]:
    return asyncio.run(_run(COUNTS[size]))


async def _run(count: int) -> dict[str, object]:
    now = time.time()
    table: dict[str, dict[str, list[object]]] = {}
    for number in range(count):
        # The victim is one address that every forged domain names: the classic amplifier.
        table[f"_dmarc.d{number}.example"] = {"TXT": [b"v=DMARC1; p=none; rua=mailto:victim@victim.example"]}
        table[f"d{number}.example._report._dmarc.victim.example"] = {"TXT": [b"v=DMARC1"]}
    for number in range(HONEST):
        name = f"h{number}.example"
        table[f"_dmarc.{name}"] = {"TXT": [f"v=DMARC1; p=reject; rua=mailto:r@{name}".encode()]}
        table |= zone(*pair(name))  # type: ignore[arg-type]
    zones, gatherer = Zones(table), Gatherer()  # type: ignore[arg-type]
    refused = 0
    for number in range(count):
        message = f"From: a@d{number}.example\r\nSubject: x\r\n\r\nx\r\n".encode()
        refused += not await _note(gatherer, zones, message, f"d{number}.example", now)
    forged = gatherer.gathered()
    assert forged == [], f"{len(forged)} domains counted that never wrote to us"
    for number in range(HONEST):
        name = f"h{number}.example"
        message = signed(f"From: a@{name}\r\nSubject: x\r\n\r\nx\r\n".encode(), *pair(name), now=now)
        for _ in range(3):
            assert await _note(gatherer, zones, message, name, now)
    counted = gatherer.gathered()
    assert sorted(one.domain for one in counted) == sorted(f"h{number}.example" for number in range(HONEST))
    return {"cases": count + HONEST, "forged_domains": count, "refused": refused, "counted": len(counted)}


async def _note(gatherer: Gatherer, zones: Zones, message: bytes, domain: str, now: float) -> bool:
    """Checks and notes a message as the daemon would; whether it was delivered."""
    peer = Peer(ip=US, helo=f"smtp.{domain}", sender=f"a@{domain}")
    verdict = await check_message(message, peer, resolver=zones, server="us.example", clock=lambda: now)
    delivered = not verdict.decision.reply
    gatherer.note(
        Seen(
            ip=US,
            envelope_domain=domain,
            evaluation=verdict.facts.dmarc,
            spf=verdict.facts.spf,
            dkim=verdict.facts.dkim,
            delivered=delivered,
        ),
        now,
    )
    return delivered
