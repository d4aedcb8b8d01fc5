"""The signing keys of domains, from fixed values or from the database, where they are wrapped.

Rows are looked at again after a few seconds, so every daemon on one database signs with a new key soon after the
switch; a key stays unwrapped in memory only while its row is the same.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from maild.store import DKIMKey, Keys
from maild.verify.dkim import public_key
from maild.verify.dkim.signature import SignatureError
from maild.verify.dkim.signing_key import Algorithm, SigningKey, generate, unwrap, wrap

FRESH_SECONDS = 5.0
"""Seconds keys are used before their rows are looked at again; the old key verifies for days after a switch."""
SELECTORS = {Algorithm.RSA: "dkim", Algorithm.ED25519: "dkim-ed"}
"""Selectors of a domain's first keys; the tutorial's, and one beside it."""


class Keyring(Protocol):
    """Whoever knows the keys in use."""

    async def of(self, domain: str) -> Sequence[SigningKey]:
        """The keys this domain (A-labels) signs with; none when it does not sign."""
        ...


@dataclass(frozen=True, slots=True)
class FixedKeys:
    """Keys at hand."""

    keys: Mapping[str, Sequence[SigningKey]]

    async def of(self, domain: str) -> Sequence[SigningKey]:
        """The keys given for this domain."""
        return self.keys.get(domain, ())


@dataclass(slots=True)
class StoredKeys:
    """Keys of the database."""

    rows: Keys
    wrap_key: bytes
    clock: Callable[[], float] = time.monotonic
    _fresh: dict[str, tuple[float, tuple[SigningKey, ...]]] = field(default_factory=dict)
    _open: dict[bytes, SigningKey] = field(default_factory=dict)

    async def of(self, domain: str) -> Sequence[SigningKey]:
        """The active keys."""
        kept = self._fresh.get(domain)
        if kept is not None and kept[0] > self.clock():
            return kept[1]
        rows = [row for row in await self.rows.dkim(domain) if row.state == "active"]
        keys = tuple(self._unwrapped(row) for row in rows)
        self._fresh[domain] = (self.clock() + FRESH_SECONDS, keys)
        return keys

    async def ensure(self, domain: str, selectors: Mapping[Algorithm, str] = SELECTORS) -> list[DKIMKey]:
        """Makes the keys a domain lacks, one of each algorithm; what is there stays."""
        rows = await self.rows.dkim(domain)
        for algorithm, selector in selectors.items():
            if not any(row.algorithm == algorithm and row.state == "active" for row in rows):
                rows.append(await self.rows.save_dkim(self.row(generate(domain, selector, algorithm))))
        self._fresh.pop(domain, None)
        return rows

    def row(self, key: SigningKey, state: str = "active") -> DKIMKey:
        """The row of a key."""
        return DKIMKey(
            domain=key.domain,
            selector=key.selector,
            algorithm=key.algorithm,
            wrapped=wrap(key, self.wrap_key),
            public=key.record.rpartition("p=")[2],
            state=state,
        )

    def _unwrapped(self, row: DKIMKey) -> SigningKey:
        key = self._open.get(row.wrapped)
        if key is None:
            key = self._open[row.wrapped] = unwrap(row.domain, row.selector, row.wrapped, self.wrap_key)
        return key


def record_of(row: DKIMKey) -> str:
    """The TXT value that publishes the key of a row."""
    kind = "rsa" if row.algorithm == Algorithm.RSA else "ed25519"
    return f"v=DKIM1; k={kind}; p={row.public}"


def bits_of(row: DKIMKey) -> int:
    """Size of the key of a row; 0 when its public half cannot be read."""
    try:
        return public_key.read(record_of(row).encode(), row.algorithm).bits
    except SignatureError:
        return 0
