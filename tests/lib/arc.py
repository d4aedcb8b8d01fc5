"""ARC chains made by dkimpy, the zone that verifies them, and one-call validating, for tests."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import dkim as dkimpy

from maild.verify.arc import Chain, Validator
from maild.verify.message import Splitter
from tests.lib.dkim import key, zone
from tests.lib.zones import Zones

MESSAGE = b"From: a@a.example\r\nTo: b@b.example\r\nSubject: x\r\nMessage-ID: <1@a.example>\r\n\r\nHello.\r\n"
SEALERS = ("one.example", "two.example", "three.example")
SEALS = zone(*(key(name, "arc") for name in SEALERS))
ZONE = Zones(SEALS)
LATER = 4e9
"""A moment behind every time that dkimpy writes."""


def sealed(message: bytes, sealer: str, *, first: bool, seen: str = "dmarc=pass header.from=a.example") -> bytes:
    """The message with one more set, in which the sealer says what it has seen."""
    results = f"Authentication-Results: {sealer}; {seen}; arc={'none' if first else 'pass'}\r\n".encode()
    fields = dkimpy.ARC(results + message).sign(b"arc", sealer.encode(), key(sealer, "arc").pem(), sealer.encode())
    return b"".join(fields) + message


def chain(sealers: Sequence[str] = SEALERS, message: bytes = MESSAGE) -> bytes:
    """The message with a set of each sealer in turn."""
    for number, sealer in enumerate(sealers):
        message = sealed(message, sealer, first=number == 0)
    return message


def validated(message: bytes, resolver: Zones = ZONE) -> Chain:
    """The state of a message's chain."""
    splitter = Splitter()
    body = splitter.feed(message)
    validator = Validator(splitter.finish(), LATER)
    validator.feed(body)
    return asyncio.run(validator.finish(resolver))
