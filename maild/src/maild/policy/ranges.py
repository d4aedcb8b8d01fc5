"""IP ranges and bans: which range a client is in, and whether it is shut out.

The matching range with the highest priority decides; a ban ranks at ``BAN_PRIORITY``, so the ranges every server has
lie below it and an administrator's own above. Pure over the rows it is given.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from maild.net import Address, Network
from maild.store import Ban, Direction, IPRange

BAN_PRIORITY = 20
"""hMailServer 5.6's priority of an auto-ban."""
COMPUTER_PRIORITY = 15
INTERNET_PRIORITY = 10

_USUAL = frozenset({Direction.LOCAL_TO_LOCAL, Direction.LOCAL_TO_EXTERNAL, Direction.EXTERNAL_TO_LOCAL})
_WITH_LOGIN = frozenset({Direction.LOCAL_TO_LOCAL, Direction.LOCAL_TO_EXTERNAL, Direction.EXTERNAL_TO_EXTERNAL})


def _range(name: str, network: str, priority: int) -> IPRange:
    net = ipaddress.ip_network(network)
    return IPRange(
        name=name,
        low=net[0],
        high=net[-1],
        priority=priority,
        allow=_USUAL,
        require_auth=_WITH_LOGIN,
    )


DEFAULT_RANGES = (
    _range("My computer", "127.0.0.0/8", COMPUTER_PRIORITY),
    _range("My computer (IPv6)", "::1/128", COMPUTER_PRIORITY),
    _range("Internet", "0.0.0.0/0", INTERNET_PRIORITY),
    _range("Internet (IPv6)", "::/0", INTERNET_PRIORITY),
)
"""What holds where no range of that name is stored: mail comes in from all, goes out only after login."""


@dataclass(frozen=True, slots=True)
class Table:
    """The ranges and bans at one moment."""

    ranges: tuple[IPRange, ...] = DEFAULT_RANGES
    bans: tuple[Ban, ...] = ()
    never: tuple[Network, ...] = ()
    """Declared networks: not banned whatever happens."""

    @classmethod
    def of(cls, ranges: Iterable[IPRange], bans: Iterable[Ban], never: Iterable[Network]) -> Table:
        """Stored ranges over the default ones of other names, highest priority first."""
        stored = list(ranges)
        names = {each.name for each in stored}
        missing = [each for each in DEFAULT_RANGES if each.name not in names]
        ordered = sorted(
            [*stored, *missing], key=lambda each: (-each.priority, int(each.high) - int(each.low), each.name)
        )
        return cls(tuple(ordered), tuple(bans), tuple(never))

    def range_of(self, address: Address) -> IPRange | None:
        """The range that decides for an address."""
        return next((each for each in self.ranges if _holds(each, address)), None)

    def spared(self, address: Address) -> bool:
        """Whether an address is never banned: declared, or in a range that says so or outranks bans."""
        if any(address in network for network in self.never if network.version == address.version):
            return True
        range_ = self.range_of(address)
        return range_ is not None and (range_.never_ban or range_.priority > BAN_PRIORITY)

    def ban_of(self, address: Address, now: int) -> Ban | None:
        """The ban in force for an address at a time in microseconds."""
        found = _longest(
            ban
            for ban in self.bans
            if ban.network.version == address.version
            and address in ban.network
            and (ban.expires_at is None or ban.expires_at > now)
        )
        return None if found is None or self.spared(address) else found


def _longest(bans: Iterable[Ban]) -> Ban | None:
    """The ban that ends last."""
    return max(bans, key=lambda each: float("inf") if each.expires_at is None else each.expires_at, default=None)


def _holds(range_: IPRange, address: Address) -> bool:
    return range_.low.version == address.version and int(range_.low) <= int(address) <= int(range_.high)


def networks(texts: Sequence[str]) -> tuple[Network, ...]:
    """Networks of the settings."""
    return tuple(ipaddress.ip_network(text) for text in texts)
