"""The one decision about a message: accept, Junk, Rejects or refuse, with named reasons and their weights.

A published DMARC policy decides by itself; everything else only adds to a score. Weights follow hMailServer's where it
has them (5 marks, 20 refuses), so that its administrators find their numbers.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum

from maild.verify import arc, dmarc, reverse, spf
from maild.verify.dkim import Check
from maild.verify.dkim import Result as DKIMResult


class Action(StrEnum):
    """What becomes of the message; ``REJECTS`` is refused like ``REFUSE``, with a copy kept for the recipient."""

    ACCEPT = "accept"
    JUNK = "junk"
    REJECTS = "rejects"
    REFUSE = "refuse"


class Name(StrEnum):
    """Names of the reasons, as logs and headers show them."""

    SPF_FAIL = "spf-fail"
    SPF_SOFTFAIL = "spf-softfail"
    SPF_ERROR = "spf-error"
    DKIM_FAIL = "dkim-fail"
    UNAUTHENTICATED = "unauthenticated"
    DMARC_REJECT = "dmarc-reject"
    DMARC_QUARANTINE = "dmarc-quarantine"
    NO_AUTHOR = "no-author"
    NO_REVERSE = "no-reverse-name"
    HELO = "helo"
    BLOCK_LIST = "block-list"
    TRUSTED_FORWARDER = "trusted-forwarder"


WEIGHTS: dict[Name, float] = {
    Name.SPF_FAIL: 3,
    Name.SPF_SOFTFAIL: 1,
    Name.SPF_ERROR: 0.5,
    Name.DKIM_FAIL: 1,
    Name.UNAUTHENTICATED: 1,
    Name.DMARC_REJECT: 20,
    Name.DMARC_QUARANTINE: 5,
    Name.NO_AUTHOR: 5,
    Name.NO_REVERSE: 1,
    Name.HELO: 2,
    Name.BLOCK_LIST: 3,
    Name.TRUSTED_FORWARDER: 0,
}
"""Points of each reason; hMailServer's for SPF, HELO, PTR and block lists."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Thresholds:
    """Scores from which an action is taken."""

    junk: float = 5
    rejects: float = 10
    refuse: float = 20


@dataclass(frozen=True, slots=True)
class Signal:
    """What the SMTP server saw by itself: a block list that names the client, a HELO that does not resolve."""

    name: Name
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason, its points and what it is about."""

    name: Name
    points: float
    detail: str = ""

    def __str__(self) -> str:
        return f"{self.name} {self.points:+g}" + (f" ({self.detail})" if self.detail else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """All that was found about a message."""

    spf: spf.Outcome
    dkim: Sequence[Check]
    dmarc: dmarc.Evaluation
    arc: arc.Chain
    reverse: reverse.Reverse
    signals: Sequence[Signal] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What an administrator can set."""

    thresholds: Thresholds = Thresholds()
    weights: dict[Name, float] = field(default_factory=lambda: dict(WEIGHTS))
    trusted_sealers: frozenset[str] = frozenset()
    dmarc_reject: bool = True
    """Whether ``p=reject`` refuses mail that no other domain vouches for; without it such mail goes to Junk."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The action, its score and reasons; ``reply`` is the SMTP reply of a refusal."""

    action: Action
    score: float
    reasons: tuple[Reason, ...]
    reply: str = ""


def decide(facts: Facts, rules: Rules) -> Decision:
    """The decision."""
    named = [*_of_sender(facts), *_of_policy(facts, rules), *((signal.name, signal.detail) for signal in facts.signals)]
    reasons = tuple(Reason(name, rules.weights.get(name, 0), detail) for name, detail in named)
    score = sum(reason.points for reason in reasons)
    names = {reason.name for reason in reasons}
    bounds = rules.thresholds
    if score >= bounds.refuse or Name.DMARC_REJECT in names:
        action = Action.REFUSE
    elif score >= bounds.rejects:
        action = Action.REJECTS
    elif score >= bounds.junk or Name.DMARC_QUARANTINE in names:
        action = Action.JUNK
    else:
        action = Action.ACCEPT
    return Decision(action=action, score=score, reasons=reasons, reply=_reply(action, names, facts))


def _of_sender(facts: Facts) -> list[tuple[Name, str]]:
    """What the checks say about the sender."""
    named: list[tuple[Name, str]] = []
    if facts.reverse.result in {reverse.Result.PERMERROR, reverse.Result.FAIL}:
        named.append((Name.NO_REVERSE, facts.reverse.name))
    if facts.dmarc.result is dmarc.Result.PASS or facts.dmarc.disposition is not dmarc.Disposition.NONE:
        return named  # SPF and DKIM have spoken through DMARC; they do not count twice
    by_spf = {
        spf.Result.FAIL: Name.SPF_FAIL,
        spf.Result.SOFTFAIL: Name.SPF_SOFTFAIL,
        spf.Result.PERMERROR: Name.SPF_ERROR,
    }
    if facts.spf.result in by_spf:
        named.append((by_spf[facts.spf.result], facts.spf.explanation or facts.spf.problem or facts.spf.domain))
    if any(check.passed for check in facts.dkim):
        return named
    # RFC 6376 section 3.6.1: a domain that tests DKIM (t=y) fares no worse than one that does not sign.
    broken = [check for check in facts.dkim if check.result is DKIMResult.FAIL and not check.testing]
    if broken:
        named.append((Name.DKIM_FAIL, ": ".join(filter(None, [broken[0].domain, broken[0].detail]))))
    if facts.spf.result not in {spf.Result.PASS, spf.Result.TEMPERROR}:
        named.append((Name.UNAUTHENTICATED, "neither SPF nor DKIM vouches for it"))
    return named


def _of_policy(facts: Facts, rules: Rules) -> list[tuple[Name, str]]:
    """What the author's domain asks for."""
    evaluation = facts.dmarc
    if evaluation.result is dmarc.Result.PERMERROR:
        return [(Name.NO_AUTHOR, evaluation.problem)]
    if evaluation.result is not dmarc.Result.FAIL:
        return []
    vouched = facts.arc.vouched(rules.trusted_sealers)
    if vouched is not None and any(one.result == "pass" for one in vouched.of("dmarc")):
        return [(Name.TRUSTED_FORWARDER, facts.arc.sealers[-1])]
    detail = f"{evaluation.policy_domain} asks for {evaluation.disposition}"
    if evaluation.disposition is dmarc.Disposition.REJECT and rules.dmarc_reject:
        other = _vouching(facts)
        if not other:
            return [(Name.DMARC_REJECT, detail)]
        return [(Name.DMARC_QUARANTINE, f"{detail}, but {other} vouches for it, as forwarders and lists do")]
    if evaluation.disposition is not dmarc.Disposition.NONE:
        return [(Name.DMARC_QUARANTINE, detail)]
    return []


def _vouching(facts: Facts) -> str:
    """A domain other than the author's that stands behind the message, empty when none does.

    RFC 9989 section 7.4: nothing is refused on the policy's word alone, since lists and forwarders break alignment.
    Mail for which nobody at all stands is no list's.
    """
    if facts.spf.result is spf.Result.PASS:
        return facts.spf.domain
    signed = next((check.domain for check in facts.dkim if check.passed), "")
    return signed or (facts.arc.sealers[-1] if facts.arc.result is arc.Result.PASS else "")


def _reply(action: Action, names: set[Name], facts: Facts) -> str:
    """The reply's text with its enhanced code (RFC 7372 for authentication); what the peer may know, no scores."""
    if action not in {Action.REFUSE, Action.REJECTS}:
        return ""
    if Name.DMARC_REJECT in names:
        return f"550 5.7.1 Refused: the policy of {facts.dmarc.policy_domain} (DMARC) asks to reject this message"
    if Name.SPF_FAIL in names:
        return f"550 5.7.23 Refused: {facts.spf.explanation or 'SPF does not allow this server to send for the domain'}"
    if Name.NO_REVERSE in names and len(names) == 1:
        return "550 5.7.25 Refused: the client's address has no confirmed name"
    return "550 5.7.1 Refused: the message looks like spam"
