"""Replies of another server as values: multi-line replies, enhanced codes, and what EHLO offers.

Reading is lenient in what servers really send and bounded in what it keeps; a line that is no reply is a failure.
"""

from __future__ import annotations

import re

from maild.delivery.next_hop import Capabilities, Reply
from maild.net.outbound import Outbound, OutboundError

MAX_LINES = 200
"""Lines of one reply; the longest EHLO answers have two dozen."""
MAX_TEXT = 1000
"""Characters kept of a reply's text: enough for a bounce to say why."""
_LINE = re.compile(rb"([2-5]\d\d)([ -]?)(.*)", re.DOTALL)
_ENHANCED = re.compile(r"([245]\.\d{1,3}\.\d{1,3})(?:\s+|$)")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]+")


def failure(code: int, enhanced: str, text: str) -> Reply:
    """A failure of ours in the form of a reply."""
    return Reply(code, enhanced, _UNPRINTABLE.sub(" ", text)[:MAX_TEXT])


async def read_reply(wire: Outbound, seconds: float) -> tuple[Reply, list[str]]:
    """One reply and its lines without code; raises ``OutboundError`` for what is none."""
    lines: list[str] = []
    code = ""
    while len(lines) < MAX_LINES:
        raw = await wire.line(seconds)
        match = _LINE.fullmatch(raw)
        if match is None or (code and match[1].decode() != code):
            raise OutboundError(f"{wire.address} sent what is no SMTP reply: {raw[:80]!r}")
        code = match[1].decode()
        lines.append(match[3].decode("utf-8", "replace"))
        if match[2] != b"-":
            return _joined(int(code), lines), [f"{code} {line}" for line in lines]
    raise OutboundError(f"{wire.address} sent a reply of more than {MAX_LINES} lines")


def _joined(code: int, lines: list[str]) -> Reply:
    found = _ENHANCED.match(lines[0])
    enhanced = found[1] if found and found[1][0] == str(code)[0] else ""
    texts = [line[found.end() :] if found and line.startswith(found[1]) else line for line in lines]
    return failure(code, enhanced, " ".join(texts).strip())


def capabilities_of(lines: list[str]) -> Capabilities:
    """What the lines of a 250 to EHLO offer (the first is the greeting); ``lines`` carry their code."""
    offered = dict(_keyword(line.partition(" ")[2]) for line in lines[1:])
    limits = dict(word.upper().partition("=")[::2] for word in offered.get("LIMITS", "").split())
    return Capabilities(
        pipelining="PIPELINING" in offered,
        eight_bit="8BITMIME" in offered,
        smtputf8="SMTPUTF8" in offered,
        dsn="DSN" in offered,
        size=_number(offered["SIZE"], None) if "SIZE" in offered else None,
        recipients=_number(limits.get("RCPTMAX", ""), None) or 100,
        messages=_number(limits.get("MAILMAX", ""), None) or 1000,
        mechanisms=frozenset(offered.get("AUTH", "").upper().split()),
        starttls="STARTTLS" in offered,
    )


def _keyword(line: str) -> tuple[str, str]:
    word, _, rest = line.strip().partition(" ")
    return word.upper(), rest


def _number(text: str, default: int | None) -> int | None:
    word = text.strip()
    return int(word) if word.isascii() and word.isdigit() and len(word) < 19 else default
