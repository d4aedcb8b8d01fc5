"""Keys and small shared state of the store: the protocols of ``maild.store.records.state`` over an engine."""

from __future__ import annotations

from collections.abc import Callable

from maild.store.engine.base import Engine
from maild.store.records.state import DKIMKey, Greylisted, Report, SRSKey, STSPolicy
from maild.store.sql import state


class SQLKeys:
    """Wrapped keys in the database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def dkim(self, domain: str | None = None) -> list[DKIMKey]:
        """All keys, or those of a domain."""
        return await self._engine.read(lambda tx: state.dkim(tx, domain))

    async def save_dkim(self, key: DKIMKey) -> DKIMKey:
        """Inserts or changes by domain and selector."""
        return await self._engine.write(lambda tx: state.save_dkim(tx, key))

    async def remove_dkim(self, domain: str, selector: str) -> None:
        """Removes a key."""
        await self._engine.write(lambda tx: state.remove_dkim(tx, domain, selector))

    async def srs(self) -> list[SRSKey]:
        """Newest first."""
        return await self._engine.read(state.srs)

    async def add_srs(self, wrapped: bytes) -> SRSKey:
        """Adds the key that signs from now on."""
        return await self._engine.write(lambda tx: state.add_srs(tx, wrapped))

    async def remove_srs(self, key_id: int) -> None:
        """Removes a key."""
        await self._engine.write(lambda tx: state.remove_srs(tx, key_id))


class SQLState:
    """Small shared state in the database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def get(self, name: str) -> str | None:
        """The value of this name."""
        return await self._engine.read(lambda tx: state.get(tx, name))

    async def put(self, name: str, value: str) -> None:
        """Sets it."""
        await self._engine.write(lambda tx: state.put(tx, name, value))

    async def delete(self, name: str) -> None:
        """Removes it."""
        await self._engine.write(lambda tx: state.delete_(tx, name))

    async def names(self, prefix: str) -> dict[str, str]:
        """All values whose name starts so."""
        return await self._engine.read(lambda tx: state.names(tx, prefix))

    async def sts_policy(self, domain: str) -> STSPolicy | None:
        """What is kept for a domain."""
        return await self._engine.read(lambda tx: state.sts_policy(tx, domain))

    async def save_sts_policy(self, policy: STSPolicy) -> None:
        """Replaces what was kept for a domain."""
        await self._engine.write(lambda tx: state.save_sts_policy(tx, policy))

    async def greylist(
        self,
        network: str,
        sender: str,
        recipient: str,
        now: int,
        forgotten: Callable[[Greylisted], bool] = lambda _: False,
    ) -> Greylisted:
        """Notes a try; returns the history before it."""
        return await self._engine.write(lambda tx: state.greylist(tx, network, sender, recipient, now, forgotten))

    async def once(self, kind: str, key: str, until: int, now: int) -> bool:
        """True the first time in a period."""
        return await self._engine.write(lambda tx: state.once(tx, kind, key, until, now))

    async def add_report(self, report: Report) -> int:
        """Adds a report in place of the same one before."""
        return await self._engine.write(lambda tx: state.add_report(tx, report))

    async def reports(self, kind: str, *, domain: str | None = None, since: int = 0) -> list[Report]:
        """Reports of a kind, oldest first."""
        return await self._engine.read(lambda tx: state.reports(tx, kind, domain, since))

    async def remove_report(self, report_id: int) -> None:
        """Removes one."""
        await self._engine.write(lambda tx: state.remove_report(tx, report_id))
