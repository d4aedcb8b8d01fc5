"""Joins ``verify`` to the SMTP server: a stranger's message in, what a session must know out.

Fields that forge our own results are taken away after the checks, so signatures are checked over what came.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass

from maild.dns import Resolver
from maild.mail.address import Address
from maild.net import Peer
from maild.smtp.context import Verified
from maild.verify import check, results
from maild.verify.decision import Action, Rules
from maild.verify.dmarc import Result
from maild.verify.dmarc.gathering import Seen, seen_of
from maild.verify.message import SLICE, slices


@dataclass(frozen=True, slots=True)
class MessageVerifier:
    """The verifier of a daemon. ``server`` is our name in Authentication-Results."""

    resolver: Resolver
    server: str
    rules: Rules
    counted: Callable[[Seen, float], None] | None = None
    """Told of every message and when it came, if reports are made."""

    def __call__(self, *, peer: Peer, helo: str, sender: Address | None) -> MessageCheck:
        """The check of a message that begins to come."""
        who = check.Peer(ip=peer.text, helo=helo, sender=str(sender) if sender else "")
        checker = check.Checker(who, resolver=self.resolver, server=self.server, rules=self.rules)
        return MessageCheck(checker, who, self.server, self.counted)


@dataclass(frozen=True, slots=True)
class MessageCheck:
    """The check of one message while its data comes."""

    checker: check.Checker
    who: check.Peer
    server: str
    counted: Callable[[Seen, float], None] | None = None

    async def feed(self, piece: bytes) -> None:
        """The next bytes, slice by slice; a large piece gives others a turn between."""
        for part in slices(piece):
            self.checker.feed(part)
            if len(part) == SLICE:
                await asyncio.sleep(0)

    async def finish(self, head: bytes) -> Verified:
        """What was found out about the message."""
        verdict = await self.checker.finish()

        def settled(delivered: bool) -> None:
            if self.counted is not None:
                self.counted(seen_of(self.who, verdict, delivered=delivered), time.time())

        return Verified(
            fields=verdict.headers,
            authentic=verdict.facts.dmarc.result is Result.PASS,
            refusal=verdict.decision.reply or None,
            kept=verdict.action is Action.REJECTS,
            junk=verdict.action is Action.JUNK,
            head=results.without_forged(head, self.server),
            settled=settled,
        )
