"""RFC 8617 (ARC) demand by demand, in the published text's words: chains of dkimpy, one thing of them spoilt.

We verify and never seal, so what a sealer owes is only told here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from maild.verify import Peer, check_message
from maild.verify.decision import Rules
from tests.lib import musts
from tests.lib.arc import LATER, MESSAGE, SEALERS, SEALS, chain, validated
from tests.lib.musts import Must, Probes
from tests.lib.zones import Zones


def state(*edits: tuple[bytes, bytes], sealers: Sequence[str] = SEALERS) -> str:
    message = chain(sealers)
    for old, new in edits:
        assert old in message, old
        message = message.replace(old, new, 1)
    return str(validated(message).result)


def without(field: bytes) -> str:
    """The state once the topmost field of this name is gone."""
    message = chain()
    start = message.index(field + b":")
    end = message.index(b"\r\n", start)
    while message[end + 2 : end + 3] in {b" ", b"\t"}:
        end = message.index(b"\r\n", end + 2)
    return str(validated(message[:start] + message[end + 2 :]).result)


def twice(field: bytes) -> str:
    """The state with the topmost field of this name repeated."""
    message = chain(SEALERS[:1])
    start = message.index(field + b":")
    end = message.index(b"\r\n", start)
    while message[end + 2 : end + 3] in {b" ", b"\t"}:
        end = message.index(b"\r\n", end + 2)
    return str(validated(message[start : end + 2] + message).result)


def decided(message: bytes) -> tuple[str, list[str]]:
    """What becomes of a message whose author's domain asks to reject, the last sealer being trusted."""
    table = {**SEALS, "_dmarc.a.example": {"TXT": [b"v=DMARC1; p=reject"]}, "a.example": {"TXT": [b"v=spf1 -all"]}}
    peer = Peer(ip="192.0.2.99", helo="mx.one.example", sender="a@a.example")
    rules = Rules(trusted_sealers=frozenset({"one.example"}))
    found = asyncio.run(
        check_message(message, peer, resolver=Zones(table), server="us.example", rules=rules, clock=lambda: LATER)
    )
    return str(found.action), sorted(str(reason.name) for reason in found.decision.reasons)


TABLE = musts.read("rfc8617")
PROBES: Probes = {
    "ams-version-is-ignored": (
        lambda: (
            validated(chain(SEALERS[:1]).replace(b"ARC-Message-Signature: ", b"ARC-Message-Signature: v=7; ")).detail
        ),
        "header fields were changed behind the last forwarder",
    ),
    "a-seal-has-no-h": (
        lambda: state((b"ARC-Seal: i=3; ", b"ARC-Seal: i=3; h=from; ")),
        "fail",
    ),
    "sets-have-each-field-once": (
        lambda: [twice(name) for name in (b"ARC-Seal", b"ARC-Message-Signature", b"ARC-Authentication-Results")],
        ["fail", "fail", "fail"],
    ),
    "sets-are-whole": (
        lambda: [without(name) for name in (b"ARC-Seal", b"ARC-Message-Signature", b"ARC-Authentication-Results")],
        ["fail", "fail", "fail"],
    ),
    "instances-are-in-sequence": (
        lambda: [
            state((b"ARC-Seal: i=3", b"ARC-Seal: i=4")),
            state((b"i=1;", b"i=0;")),
            state((b"ARC-Seal: i=3", b"ARC-Seal: i=51")),
        ],
        ["fail", "fail", "fail"],
    ),
    "cv-is-never-fail": (
        lambda: [state((b"cv=none", b"cv=fail")), state((b"cv=pass", b"cv=fail"))],
        ["fail", "fail"],
    ),
    "cv-passes-from-the-second": (
        lambda: [state((b"cv=pass", b"cv=none")), state()],
        ["fail", "pass"],
    ),
    "cv-is-none-at-first": (
        lambda: [state((b"cv=none", b"cv=pass"), sealers=SEALERS[:1]), state(sealers=SEALERS[:1])],
        ["fail", "pass"],
    ),
    "a-failed-chain-is-none": (
        lambda: [
            decided(chain(SEALERS[:1])),
            decided(chain(SEALERS[:1]).replace(b"Hello.", b"Hallo.")) == decided(MESSAGE),
            decided(MESSAGE)[0],
        ],
        [("accept", ["no-reverse-name", "trusted-forwarder"]), True, "refuse"],
    ),
}


@pytest.mark.parametrize("must", musts.probed(TABLE, PROBES), ids=str)
def test_rfc_8617_is_met(must: Must) -> None:
    probe, expected = PROBES[must.probe]
    assert probe() == expected, must.words
