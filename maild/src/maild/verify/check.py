"""One entry for the SMTP server: a message streams through, a verdict with its headers comes out.

``Checker`` is fed while DATA arrives, so nothing is held but the header; ``check_message`` does the same with a message
at hand, giving the loop a turn between slices. Neither raises for anything a message or a zone can contain.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from maild.dns import Resolver
from maild.mail import header
from maild.verify import arc, dmarc, results, reverse, spf
from maild.verify.decision import Action, Decision, Facts, Rules, Signal, decide
from maild.verify.dkim import Check, Verifier
from maild.verify.message import Author, Splitter, author, slices


@dataclass(frozen=True, slots=True, kw_only=True)
class Peer:
    """Who sends: address, greeting, and the envelope sender as ``local@domain``, empty for the null one."""

    ip: str
    helo: str
    sender: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What was found and decided. ``headers`` go before the message."""

    facts: Facts
    decision: Decision
    author: Author
    headers: bytes

    @property
    def action(self) -> Action:
        """What becomes of the message."""
        return self.decision.action


class Checker:
    """Checks one message. ``server`` is our name in Authentication-Results."""

    def __init__(
        self,
        peer: Peer,
        *,
        resolver: Resolver,
        server: str,
        rules: Rules | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._peer = peer
        self._resolver = resolver
        self._server = server
        self._rules = rules or Rules()
        self._now = clock()
        self._splitter = Splitter()
        self._dkim: Verifier | None = None
        self._arc: arc.Validator | None = None

    def feed(self, chunk: bytes) -> None:
        """The next piece of the message, exactly as it came."""
        body = self._splitter.feed(chunk)
        if self._splitter.headers is None:
            return
        dkim, chain = self._started()
        dkim.feed(body)
        chain.feed(body)

    async def finish(self, signals: Sequence[Signal] = ()) -> Verdict:
        """The verdict, once the message has ended."""
        headers = self._splitter.finish()
        dkim, chain = self._started()
        peer = self._peer
        found_spf, found_dkim, found_arc, found_reverse = await asyncio.gather(
            spf.check_sender(self._resolver, peer.ip, peer.sender, peer.helo, receiver=self._server),
            dkim.finish(self._resolver),
            chain.finish(self._resolver),
            reverse.confirm(self._resolver, peer.ip),
        )
        writer = author(headers)
        evaluation = await dmarc.evaluate(
            self._resolver,
            writer,
            spf_domain=found_spf.domain if found_spf.result is spf.Result.PASS else "",
            dkim_domains=[check.domain for check in found_dkim if check.passed],
        )
        facts = Facts(
            spf=found_spf,
            dkim=found_dkim,
            dmarc=evaluation,
            arc=found_arc,
            reverse=found_reverse,
            signals=signals,
        )
        decision = decide(facts, self._rules)
        fields = authentication_results(self._server, peer, facts) + verdict_fields(decision)
        return Verdict(facts=facts, decision=decision, author=writer, headers=fields)

    def _started(self) -> tuple[Verifier, arc.Validator]:
        if self._dkim is None or self._arc is None:
            headers = self._splitter.finish()
            self._dkim, self._arc = Verifier(headers, self._now), arc.Validator(headers, self._now)
        return self._dkim, self._arc


async def check_message(
    message: bytes | Iterable[bytes],
    peer: Peer,
    *,
    resolver: Resolver,
    server: str,
    rules: Rules | None = None,
    clock: Callable[[], float] = time.time,
    signals: Sequence[Signal] = (),
) -> Verdict:
    """The verdict about a message at hand."""
    checker = Checker(peer, resolver=resolver, server=server, rules=rules, clock=clock)
    for piece in slices(message):
        checker.feed(piece)
        await asyncio.sleep(0)
    return await checker.finish(signals)


def authentication_results(server: str, peer: Peer, facts: Facts) -> bytes:
    """Our Authentication-Results field."""
    found = [_spf_result(peer, facts.spf), *(_dkim_result(check) for check in facts.dkim), _dmarc_result(facts.dmarc)]
    if facts.arc.result is not arc.Result.NONE:
        found.append(_arc_result(peer, facts.arc))
    found.append(
        results.MethodResult("iprev", facts.reverse.result, {"policy.iprev": peer.ip}, comment=facts.reverse.name)
    )
    return results.write(server, found)


def _spf_result(peer: Peer, outcome: spf.Outcome) -> results.MethodResult:
    if not peer.sender:
        properties = {"smtp.helo": peer.helo}
    else:
        properties = {"smtp.mailfrom": peer.sender if peer.sender.isascii() else outcome.domain}
    return results.MethodResult("spf", outcome.result, properties, comment=outcome.problem or outcome.term)


def _dkim_result(check: Check) -> results.MethodResult:
    properties = {
        "header.d": check.domain,
        "header.s": check.selector,
        "header.a": check.algorithm,
        "header.b": check.beginning,
    }
    comment = check.detail or (f"{check.bits}-bit key" if check.bits else "")
    return results.MethodResult("dkim", check.result, properties, comment=comment)


def _dmarc_result(evaluation: dmarc.Evaluation) -> results.MethodResult:
    asked = f"p={evaluation.requested}" if evaluation.policy_domain else ""
    comment = ", ".join(filter(None, [asked, evaluation.problem]))
    properties = {"header.from": evaluation.domain}
    if evaluation.policy_domain:
        properties["policy.dmarc"] = str(evaluation.disposition)  # RFC 9989 section 9.1
    return results.MethodResult("dmarc", evaluation.result, properties, comment=comment)


def _arc_result(peer: Peer, chain: arc.Chain) -> results.MethodResult:
    """With the property RFC 8617 section 10.2 registers for it; who sealed is a comment for people."""
    sealed = f"sealed by {chain.sealers[-1]}" if chain.sealers else ""
    comment = ", ".join(filter(None, [sealed, chain.detail]))
    return results.MethodResult("arc", chain.result, {"smtp.remote-ip": peer.ip}, comment=comment)


def verdict_fields(decision: Decision) -> bytes:
    """The fields in which people and filters read the decision."""
    fields = [header.field(results.PRIVATE[0], f"{decision.action} (score {decision.score:g})")]
    fields += [header.field(results.PRIVATE[1], str(reason)) for reason in decision.reasons]
    return b"".join(fields)
