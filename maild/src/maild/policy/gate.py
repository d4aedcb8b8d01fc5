"""The door as the daemon keeps it: ranges and bans read again each second, failures counted, bans made.

Reading lags by at most a second behind other daemons and the CLI; a ban made here holds at once. When the store is
away, what was read last holds on.
"""

from __future__ import annotations

import datetime as dt
import time
from collections.abc import Callable, Sequence

from maild.log import Log
from maild.net import Address, Peer, network_of
from maild.policy.batches import Batches
from maild.policy.ranges import Table, networks
from maild.settings import AutoBan
from maild.store import Ban, IPRange, LoginFailure, Store, StoreError

MICRO = 1_000_000
MINUTE = 60 * MICRO
MAX_FOUND = 10_000
"""Addresses whose range is remembered: some hundred bytes each."""


def now_us() -> int:
    """The clock that rows use."""
    return time.time_ns() // 1000


class Gate:
    """Ranges, bans and the making of bans for one daemon."""

    def __init__(self, store: Store, settings: AutoBan, log: Log, clock: Callable[[], int] = now_us) -> None:
        self._store = store
        self._settings = settings
        self._never = networks(settings.never)
        self._log = log
        self._clock = clock
        self._table = Table(never=self._never)
        self._found: dict[Address, IPRange | None] = {}
        """Answers since the last reading of ranges."""
        self._own: dict[object, Ban] = {}
        self._failures: Batches[LoginFailure, int] = Batches(self._record)

    def configure(self, settings: AutoBan) -> None:
        """Takes changed settings."""
        self._settings = settings
        self._never = networks(settings.never)

    async def refresh(self) -> None:
        """Reads ranges and bans; raises ``StoreError`` and keeps the old ones."""
        ranges = await self._store.access.ranges()
        bans = await self._store.access.bans()
        now = self._clock()
        stored = {ban.network for ban in bans}
        # A ban of our own counts until it was read back once; from then on its row decides, so that removing it works.
        self._own = {
            key: ban for key, ban in self._own.items() if key not in stored and now - ban.created_at < 2 * MICRO
        }
        self._table = Table.of(ranges, [*bans, *self._own.values()], self._never)
        self._found.clear()

    def range_of(self, address: Address) -> IPRange | None:
        """The range that decides for an address."""
        found = self._found.get(address)
        if found is None:
            if len(self._found) >= MAX_FOUND:
                self._found.clear()
            found = self._found[address] = self._table.range_of(address)
        return found

    def spared(self, peer: Peer) -> bool:
        """Whether a client is never banned."""
        return self._table.spared(peer.address)

    def refusal(self, peer: Peer, protocol: str) -> str | None:
        """Why a client may not speak a protocol, or None."""
        ban = self._table.ban_of(peer.address, self._clock())
        if ban is not None:
            return f"banned ({ban.reason}) {_until(ban.expires_at)}"
        if protocol == "http":  # ranges are about mail's protocols: hMailServer's options
            return None
        range_ = self._table.range_of(peer.address)
        if range_ is None or protocol not in range_.protocols:
            return f"banned by IP range {range_.name!r}" if range_ else "banned: no IP range holds it"
        return None

    async def failed(self, peer: Peer, account: str, protocol: str) -> bool:
        """Counts a failed login; True when it led to a ban."""
        now = self._clock()
        failure = LoginFailure(network=peer.network, account=account, protocol=protocol, at=now)
        try:
            count = await self._failures.run(failure)
        except StoreError as error:
            self._log.fault("login failure not counted", error, address=peer.text)
            return False
        if not self._settings.enabled or count < self._settings.failures:
            return False
        return await self.ban(peer, f"{count} failed logins", account)

    async def _record(self, failures: Sequence[LoginFailure]) -> Sequence[int]:
        since = self._clock() - self._settings.within_minutes * MINUTE
        return await self._store.access.record_failures(failures, since=since, most=self._settings.failures)

    async def ban(self, peer: Peer, reason: str, account: str = "") -> bool:
        """Shuts a client out for the time the settings say, unless it is never banned."""
        if not self._settings.enabled or self.spared(peer):
            return False
        now = self._clock()
        ban = Ban(
            network=network_of(peer.address),
            reason=f"Auto-ban: {account}, {reason}" if account else f"Auto-ban: {reason}",
            account=account,
            created_at=now,
            expires_at=now + self._settings.ban_minutes * MINUTE,
        )
        self._own[ban.network] = ban
        self._table = Table(self._table.ranges, (*self._table.bans, ban), self._table.never)
        self._log.application(
            f"{peer.text} is banned {_until(ban.expires_at)}: {ban.reason}.", address=peer.text, account=account
        )
        try:
            await self._store.access.add_ban(ban)
        except StoreError as error:
            self._log.fault("ban not stored", error, address=peer.text)
        return True


def _until(at: int | None) -> str:
    if at is None:
        return "for good"
    return f"until {dt.datetime.fromtimestamp(at / MICRO, dt.UTC).astimezone():%Y-%m-%d %H:%M:%S}"
