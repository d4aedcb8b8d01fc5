"""What large receivers have published that they ask of senders, held against what was found.

Rules change, and these lists were written down without the receivers' pages at hand: each names the announcement to
hold it against. Nothing here guesses at filters that are not published.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from maild.verify import dmarc, reverse, spf
from maild.verify.decision import Facts
from maild.verify.explain.line import Level, Line

MEGABYTE = 1_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """What a receiver looks at."""

    facts: Facts
    size: int
    tls: bool | None
    one_click: bool
    has_unsubscribe: bool


@dataclass(frozen=True, slots=True)
class Rule:
    """One published demand: whether it is met, what is said of it, and what to do."""

    met: Callable[[Message], bool]
    level: Level
    text: str
    remedy: str


def _spf(message: Message) -> bool:
    return message.facts.spf.result is spf.Result.PASS


def _dkim(message: Message) -> bool:
    return any(check.passed for check in message.facts.dkim)


def _strong_key(message: Message) -> bool:
    return any(check.passed and (check.bits >= 2048 or check.bits == 256) for check in message.facts.dkim)


def _dmarc(message: Message) -> bool:
    return message.facts.dmarc.result is dmarc.Result.PASS


def _has_dmarc(message: Message) -> bool:
    return message.facts.dmarc.policy is not None


def _named(message: Message) -> bool:
    return message.facts.reverse.result is reverse.Result.PASS


EITHER = Rule(
    lambda message: _spf(message) or _dkim(message),
    Level.BAD,
    "asks every sender for SPF or DKIM",
    "Make SPF or DKIM pass; see the lines above.",
)
BOTH = Rule(
    lambda message: _spf(message) and _dkim(message),
    Level.BAD,
    "asks for SPF and DKIM",
    "Make both pass; see the lines above.",
)
NAMED = Rule(
    _named,
    Level.BAD,
    "asks for a reverse name (PTR) that leads back to the address",
    "Ask the internet company for the reverse name; see the line on PTR.",
)
ENCRYPTED = Rule(
    lambda message: message.tls is not False,
    Level.BAD,
    "asks for TLS",
    "Let STARTTLS be offered and used on the way out.",
)
PUBLISHED = Rule(
    _has_dmarc,
    Level.NOTE,
    "asks who sends 5,000 messages a day or more for a DMARC record",
    "Enter the DMARC record; see the line on DMARC.",
)
ALIGNED = Rule(
    _dmarc,
    Level.NOTE,
    "asks who sends 5,000 messages a day or more for DMARC that passes",
    "SPF or DKIM must pass for the domain of the From field.",
)
ONE_CLICK = Rule(
    lambda message: message.one_click or not message.has_unsubscribe,
    Level.NOTE,
    "asks for one-click unsubscribing in advertisements and newsletters (RFC 8058)",
    "Add List-Unsubscribe with an https address and List-Unsubscribe-Post, both signed by DKIM.",
)
STRONG = Rule(
    lambda message: _strong_key(message) or not _dkim(message),
    Level.NOTE,
    "recommends DKIM keys of 2048 bits",
    "Rotate to a new key: maild dkim rotate.",
)
GMAIL_SIZE = Rule(
    lambda message: message.size <= 25 * MEGABYTE,
    Level.BAD,
    "takes messages of up to 25 MB",
    "Send a link instead of the attachment.",
)
MICROSOFT_SIZE = Rule(
    lambda message: message.size <= 25 * MEGABYTE,
    Level.NOTE,
    "takes messages of up to 25 MB in its free mailboxes",
    "Send a link instead of the attachment.",
)

RULES: dict[str, tuple[str, tuple[Rule, ...]]] = {
    # support.google.com/a/answer/81126, in force since 2024-02
    "gmail": ("Gmail", (EITHER, NAMED, ENCRYPTED, PUBLISHED, ALIGNED, ONE_CLICK, STRONG, GMAIL_SIZE)),
    # Naver's announcement for senders, in force since 2024-07-19
    "naver": ("Naver", (BOTH, NAMED, PUBLISHED)),
    # Microsoft's requirements for Outlook.com, in force since 2025-05-05
    "microsoft": ("Microsoft", (BOTH, PUBLISHED, ALIGNED, ONE_CLICK, MICROSOFT_SIZE)),
}


def lines(name: str, message: Message) -> list[Line]:
    """What one receiver makes of the message."""
    title, rules = RULES[name]
    found = []
    for rule in rules:
        met = rule.met(message)
        level = Level.GOOD if met else rule.level
        found.append(Line(topic=title, level=level, text=rule.text, remedy="" if met else rule.remedy))
    return found
