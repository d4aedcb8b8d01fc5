"""The base subject of RFC 5256 section 2.1: what is left of a subject when replies and forwards are taken off."""

from __future__ import annotations

import re

MAX_COMPARED = 1000
"""Characters of a subject that are looked at; threads do not differ behind them."""

_SPACE = re.compile(r"\s+")
_TRAILER = re.compile(r"(?:\(fwd\)|\s)$", re.IGNORECASE)
_BLOB = re.compile(r"\[[^\[\]]*\]\s*")
_LEADER = re.compile(r"(?:\[[^\[\]]*\]\s*)*(?:re|fwd?|답장|회신|전달)\s*(?:\[[^\[\]]*\]\s*)?:\s*", re.IGNORECASE)
_FORWARD = re.compile(r"\[fwd:(.*)\]", re.IGNORECASE)


def base(subject: str) -> tuple[str, bool]:
    """The base subject of a decoded one, and whether something showed that it is a reply or a forward."""
    rest, answered = _SPACE.sub(" ", subject[:MAX_COMPARED]).strip(), False
    before = None
    while rest != before:
        before = rest
        while trailer := _TRAILER.search(rest):
            answered = answered or bool(trailer[0].strip())
            rest = rest[: trailer.start()]
        leader = _LEADER.match(rest)
        blob = _BLOB.match(rest)
        if leader:
            rest, answered = rest[leader.end() :], True
        elif blob and rest[blob.end() :]:
            rest = rest[blob.end() :]
        elif forward := _FORWARD.fullmatch(rest):
            rest, answered = forward[1].strip(), True
    return rest, answered
