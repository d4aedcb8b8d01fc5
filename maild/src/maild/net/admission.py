"""Whether a new connection is let in: bounds on connections at once, on floods, and the bans policy knows of.

Counts are by client network (an IPv4 address, an IPv6 /64). The answer is a reason or None; a refused client costs one
log line.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from maild.net.peer import Network, Peer

MINUTE = 60.0
MAX_RATES = 50_000
"""Networks whose rate is remembered at once; a flood from more is met by the total bound."""


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much is let in."""

    total: int
    per_network: int
    per_minute: int
    """New connections of one network a minute; 0: no bound."""


@dataclass(slots=True)
class _Rate:
    since: float
    count: int = 0


@dataclass(slots=True)
class Admission:
    """The door of one daemon, all listeners together."""

    bounds: Bounds
    clock: Callable[[], float]
    banned: Callable[[Peer, str], str | None]
    """Why a peer may not speak a protocol, or None; policy's."""
    flooded: Callable[[Peer], None]
    """Told once a minute of a network that floods."""
    spared: Callable[[Peer], bool] = lambda _: False
    """Whether a peer is outside the bound a minute (declared networks)."""
    _open: Counter[Network] = field(default_factory=Counter)
    _total: int = 0
    _rates: dict[Network, _Rate] = field(default_factory=dict)

    @property
    def open(self) -> int:
        """Connections at this moment."""
        return self._total

    def refuse(self, peer: Peer, protocol: str) -> str | None:
        """Why the peer is not let in, or None; then it is counted until ``left``."""
        reason = self.banned(peer, protocol)
        if reason is None and self._floods(peer):
            reason = f"more than {self.bounds.per_minute} connections a minute"
        if reason is None and self._total >= self.bounds.total:
            reason = f"{self._total} connections are open"
        if reason is None and self._open[peer.network] >= self.bounds.per_network:
            reason = f"{self._open[peer.network]} connections of this client are open"
        if reason is None:
            self._total += 1
            self._open[peer.network] += 1
        return reason

    def left(self, peer: Peer) -> None:
        """A connection that was let in has ended."""
        self._total -= 1
        self._open[peer.network] -= 1
        if self._open[peer.network] <= 0:
            del self._open[peer.network]

    def _floods(self, peer: Peer) -> bool:
        if not self.bounds.per_minute or self.spared(peer):
            return False
        now = self.clock()
        rate = self._rates.get(peer.network)
        if rate is None or now - rate.since >= MINUTE:
            if len(self._rates) >= MAX_RATES:
                self._rates = {network: each for network, each in self._rates.items() if now - each.since < MINUTE}
                if len(self._rates) >= MAX_RATES:
                    self._rates.clear()
            rate = self._rates[peer.network] = _Rate(now)
        rate.count += 1
        if rate.count == self.bounds.per_minute + 1:
            self.flooded(peer)
        return rate.count > self.bounds.per_minute
