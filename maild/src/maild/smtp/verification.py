"""Joins ``verify`` to the SMTP server: a stranger's message in, what a session must know out.

Fields that forge our own results are taken away after the checks, so signatures are checked over what came.
"""

from __future__ import annotations

from dataclasses import dataclass

from maild.dns import Resolver
from maild.mail.address import Address
from maild.net import Peer
from maild.smtp.context import Verified
from maild.smtp.message import Message
from maild.verify import check, results
from maild.verify.decision import Action, Rules
from maild.verify.dmarc import Result


@dataclass(frozen=True, slots=True)
class MessageVerifier:
    """The verifier of a daemon. ``server`` is our name in Authentication-Results."""

    resolver: Resolver
    server: str
    rules: Rules

    async def __call__(self, message: Message, *, peer: Peer, helo: str, sender: Address | None) -> Verified:
        """What was found out about a message."""
        who = check.Peer(ip=peer.text, helo=helo, sender=str(sender) if sender else "")
        verdict = await check.check_message(
            (message.head, *message.body), who, resolver=self.resolver, server=self.server, rules=self.rules
        )
        return Verified(
            fields=verdict.headers,
            authentic=verdict.facts.dmarc.result is Result.PASS,
            refusal=verdict.decision.reply or None,
            kept=verdict.action is Action.REJECTS,
            junk=verdict.action is Action.JUNK,
            head=results.without_forged(message.head, self.server),
        )
