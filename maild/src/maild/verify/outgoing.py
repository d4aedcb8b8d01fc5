"""One entry for the delivery: the signatures a message gets before it leaves.

The author's domain signs with all its keys, alias domains as themselves; mail whose author is not ours (forwards) is
signed by the domain that sends it on, if that has keys.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from maild.verify.dkim import Signer, SigningKey
from maild.verify.keyring import Keyring
from maild.verify.message import Headers, Splitter, author, slices


@dataclass(frozen=True, slots=True)
class Signed:
    """The fields to put before the message, and the domain that signed; both empty when none has a key."""

    fields: bytes
    domain: str


async def keys_for(headers: Headers, keyring: Keyring, sender_domain: str = "") -> tuple[str, Sequence[SigningKey]]:
    """Who signs: the author's domain, else the envelope sender's."""
    for domain in (author(headers).domain, sender_domain):
        keys = await keyring.of(domain) if domain else ()
        if keys:
            return domain, keys
    return "", ()


async def sign_outgoing(
    message: bytes | Iterable[bytes],
    keyring: Keyring,
    *,
    sender_domain: str = "",
    clock: Callable[[], float] = time.time,
) -> Signed:
    """The signatures of a message, which itself stays as it is."""
    splitter = Splitter()
    signer: Signer | None = None
    domain = ""
    for piece in slices(message):
        body = splitter.feed(piece)
        if signer is None and splitter.headers is not None:
            domain, signer = await _signer(splitter.headers, keyring, sender_domain, clock())
            if not domain:
                return Signed(b"", "")
        if signer is not None:
            signer.feed(body)
            await asyncio.sleep(0)
    if signer is None:
        domain, signer = await _signer(splitter.finish(), keyring, sender_domain, clock())
    return Signed(signer.finish(), domain)


async def _signer(headers: Headers, keyring: Keyring, sender_domain: str, now: float) -> tuple[str, Signer]:
    domain, keys = await keys_for(headers, keyring, sender_domain)
    return domain, Signer(headers, keys, now)
