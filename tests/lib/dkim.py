"""Signing keys and one-call signing and verifying for tests; key pairs are made once a run."""

from __future__ import annotations

import asyncio
from functools import cache

from cryptography.hazmat.primitives.asymmetric import rsa

from maild.verify.dkim import Algorithm, Check, Signer, SigningKey, Verifier
from maild.verify.dkim.signing_key import generate
from maild.verify.message import Splitter, slices
from tests.lib.zones import Zones

NOW = 1_700_000_000.0


@cache
def key(domain: str, selector: str, algorithm: Algorithm = Algorithm.RSA, bits: int = 2048) -> SigningKey:
    """A key of this name; the RSA ones of one size share their numbers, since making them is slow."""
    if algorithm is Algorithm.RSA:
        made = generate(domain, selector, Algorithm.ED25519)
        return SigningKey(made.domain, made.selector, _rsa(bits))
    return generate(domain, selector, algorithm)


@cache
def _rsa(bits: int) -> rsa.RSAPrivateKey:
    return rsa.generate_private_key(65537, bits)


def pair(domain: str) -> tuple[SigningKey, SigningKey]:
    """The two keys of a domain, by the selectors that settings have."""
    return key(domain, "dkim"), key(domain, "dkim-ed", Algorithm.ED25519)


def zone(*keys: SigningKey) -> dict[str, dict[str, list[bytes]]]:
    """The zone data that publishes these keys."""
    return {f"{one.selector}._domainkey.{one.domain}": {"TXT": [one.record.encode()]} for one in keys}


def signed(message: bytes, *keys: SigningKey, now: float = NOW, **options: object) -> bytes:
    """The message with a signature of each key before it."""
    splitter = Splitter()
    body = [splitter.feed(piece) for piece in slices(message)]
    signer = Signer(splitter.finish(), keys, now, **options)  # type: ignore[arg-type]
    for piece in body:
        signer.feed(piece)
    return signer.finish() + message


def verified(message: bytes, resolver: Zones, now: float = NOW, *, step: int = 0) -> list[Check]:
    """What the signatures of a message are worth; ``step`` feeds it in pieces of so many octets."""
    splitter = Splitter()
    pieces = [message[i : i + step] for i in range(0, len(message), step)] if step else [message]
    verifier = None
    for piece in pieces:
        body = splitter.feed(piece)
        if verifier is None and splitter.headers is not None:
            verifier = Verifier(splitter.headers, now)
        if verifier is not None:
            verifier.feed(body)
    verifier = verifier or Verifier(splitter.finish(), now)
    return asyncio.run(verifier.finish(resolver))
