"""What large receivers have published that they ask of senders, held against what was found.

Each list names its page and the day of the copy it was read from; docs/receivers.md has them side by side. What is
common practice without a published word says so. Nothing here guesses at filters, and what one message cannot show
(spam rates, reputation, how fast volume grows) is left to the receivers' own tools.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from maild.verify import dmarc, reverse, spf
from maild.verify.decision import Facts
from maild.verify.explain.line import Level, Line

MEGABYTE = 1_000_000
GMAIL_MEGABYTES = 50
"""Megabytes of a message that Gmail receives, encoding included."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What a receiver looks at. ``form`` names the fields that break RFC 5322, empty when none does."""

    facts: Facts
    size: int
    tls: bool | None
    one_click: bool
    has_unsubscribe: bool
    is_bulk: bool = False
    form: str = ""


Met = Callable[[Message], bool | None]
"""Whether a demand is met; None when that could not be seen."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One demand: whether it is met, how bad it is when not, what is said of it, and what to do."""

    met: Met
    level: Level
    text: str
    remedy: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """A receiver: its name, the pages its rules stand on, the day of the copy they were read from, and the rules."""

    title: str
    pages: tuple[str, ...]
    read: str
    rules: tuple[Rule, ...]


def _spf(message: Message) -> bool | None:
    result = message.facts.spf.result
    return None if result is spf.Result.TEMPERROR else result is spf.Result.PASS


def _dkim(message: Message) -> bool:
    return any(check.passed for check in message.facts.dkim)


def _long_key(message: Message) -> bool:
    return any(check.passed and (check.bits >= 2048 or check.bits == 256) for check in message.facts.dkim)


def _either(message: Message) -> bool | None:
    return _dkim(message) or _spf(message)


def _both(message: Message) -> bool | None:
    return _spf(message) if _dkim(message) else False


def _dmarc(message: Message) -> bool | None:
    result = message.facts.dmarc.result
    return None if result is dmarc.Result.TEMPERROR else result is dmarc.Result.PASS


def _has_dmarc(message: Message) -> bool | None:
    evaluation = message.facts.dmarc
    return None if evaluation.result is dmarc.Result.TEMPERROR else evaluation.policy is not None


def _named(message: Message) -> bool | None:
    result = message.facts.reverse.result
    return None if result is reverse.Result.TEMPERROR else result is reverse.Result.PASS


def _not_borrowed(*domains: str) -> Met:
    """Nobody else writes in the receiver's own name."""
    return lambda message: message.facts.dmarc.domain not in domains or _dmarc(message)


_ABOVE = "See the lines on SPF and DKIM above."
_NAME = "See the line on PTR above."
EITHER = Rule(_either, Level.BAD, "asks every sender for SPF or DKIM", _ABOVE)
BOTH = Rule(_both, Level.NOTE, "asks who sends 5,000 messages a day or more for SPF and DKIM", _ABOVE)
BOTH_ADVISED = Rule(_both, Level.NOTE, "advises every sender to have SPF and DKIM", _ABOVE)
NAMED = Rule(_named, Level.BAD, "asks every sender for a reverse name (PTR) that leads back to the address", _NAME)
NAMED_BY_CUSTOM = Rule(
    _named, Level.NOTE, "looks for a reverse name (PTR), as is common practice; no published rule was found", _NAME
)
ENCRYPTED = Rule(
    lambda message: message.tls,
    Level.BAD,
    "asks every sender for TLS",
    "See the line on TLS above.",
)
WELL_FORMED = Rule(
    lambda message: not message.form,
    Level.BAD,
    "asks for a message that is well-formed (RFC 5322), with one author and a Message-ID",
    "Correct these fields: {form}",
)
NOT_AS_GMAIL = Rule(
    _not_borrowed("gmail.com", "googlemail.com"),
    Level.BAD,
    "lets nobody else send as gmail.com",
    "Send from an address of your own domain.",
)
NOT_AS_NAVER = Rule(
    _not_borrowed("naver.com"),
    Level.BAD,
    "lets nobody else send as naver.com",
    "Send from an address of your own domain.",
)
PUBLISHED = Rule(
    _has_dmarc,
    Level.NOTE,
    "asks who sends 5,000 messages a day or more for a DMARC record",
    "See the line on DMARC above.",
)
PUBLISHED_FOR_BULK = Rule(
    _has_dmarc, Level.NOTE, "asks who sends in bulk for a DMARC record", "See the line on DMARC above."
)
ALIGNED = Rule(
    _dmarc,
    Level.NOTE,
    "asks who sends 5,000 messages a day or more for DMARC that passes",
    "SPF or DKIM must pass for the domain of the From field.",
)
ONE_CLICK = Rule(
    lambda message: message.one_click or not (message.has_unsubscribe or message.is_bulk),
    Level.NOTE,
    "asks who sends 5,000 messages a day or more for one-click unsubscribing in advertisements and newsletters",
    "See the line on List-Unsubscribe above.",
)
UNSUBSCRIBE = Rule(
    lambda message: message.has_unsubscribe or not message.is_bulk,
    Level.NOTE,
    "asks for an easy way to unsubscribe in bulk mail",
    "See the line on List-Unsubscribe above.",
)
LONG_KEY = Rule(
    lambda message: _long_key(message) or not _dkim(message),
    Level.NOTE,
    "asks for DKIM keys of 1024 bits and advises 2048",
    "See the line on DKIM above.",
)
SIZE = Rule(
    lambda message: message.size <= GMAIL_MEGABYTES * MEGABYTE,
    Level.BAD,
    "takes messages of up to 50 MB",
    "Send a link instead of the attachment.",
)

RECEIVERS: Mapping[str, Receiver] = {
    # "Email sender guidelines", its FAQ (enforced by refusals since November 2025), "Gmail receiving limits".
    "gmail": Receiver(
        title="Gmail",
        pages=("support.google.com/mail/answer/81126", "support.google.com/a/answer/14229414"),
        read="2026-03-21",
        rules=(
            EITHER,
            NAMED,
            ENCRYPTED,
            WELL_FORMED,
            NOT_AS_GMAIL,
            LONG_KEY,
            SIZE,
            BOTH,
            PUBLISHED,
            ALIGNED,
            ONE_CLICK,
        ),
    ),
    # The notice of 2024-07-19 on sending domains, as senders quote it: the notice itself could not be read.
    "naver": Receiver(
        title="Naver",
        pages=("blog.thundermail.co.kr/422", "blog.stibee.com/gmail-sender-guidelines-2"),
        read="2025-06-09",
        rules=(NOT_AS_NAVER, BOTH_ADVISED, PUBLISHED_FOR_BULK, NAMED_BY_CUSTOM),
    ),
    # "Policies, Practices, and Guidelines" of Outlook.com, and "Strengthening Email Ecosystem" of 2025-04-02, which the
    # technical community blog put in force on 2025-05-05.
    "microsoft": Receiver(
        title="Microsoft",
        pages=("postmaster.live.com/pm/policies.aspx",),
        read="2026-06-15",
        rules=(NAMED, BOTH, PUBLISHED, ALIGNED, UNSUBSCRIBE),
    ),
}


def lines(name: str, message: Message) -> list[Line]:
    """What one receiver makes of the message."""
    receiver = RECEIVERS[name]
    return [_line(receiver.title, rule, message) for rule in receiver.rules]


def _line(title: str, rule: Rule, message: Message) -> Line:
    met = rule.met(message)
    if met:
        return Line(topic=title, level=Level.GOOD, text=rule.text)
    level = Level.NOTE if met is None else rule.level
    return Line(topic=title, level=level, text=rule.text, values={"form": message.form}, remedy=rule.remedy)
