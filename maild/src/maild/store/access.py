"""Credentials and access of the store: the protocols of ``maild.store.records.access`` over an engine."""

from __future__ import annotations

from collections.abc import Sequence

from maild.store.cache import Fresh
from maild.store.engine.base import Engine
from maild.store.records.access import Ban, Charge, Credential, IPRange, LoginFailure, Network, Sent
from maild.store.sql import access, sent


class SQLCredentials:
    """Credential rows in the database."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    async def of(self, account_id: int) -> list[Credential]:
        """All of an account, oldest first."""
        return await self._engine.read(lambda tx: access.credentials(tx, account_id))

    async def add(self, credential: Credential) -> Credential:
        """Adds a row."""
        return await self._engine.write(lambda tx: access.add_credential(tx, credential))

    async def set_password(self, account_id: int, hash_: str, verifier: str = "") -> None:
        """Replaces the account's password and what was made of it."""
        await self._engine.write(lambda tx: access.set_password(tx, account_id, hash_, verifier))

    async def set_verifier(self, password: Credential, verifier: str) -> bool:
        """Gives a password its SCRAM verifier."""
        return await self._engine.write(lambda tx: access.set_verifier(tx, password, verifier))

    async def upgrade(self, credential_id: int, old: str, new: str) -> bool:
        """Swaps a weak hash for a strong one."""
        return await self._engine.write(lambda tx: access.upgrade(tx, credential_id, old, new))

    async def used(self, credential_id: int, at: int) -> None:
        """Notes the last use."""
        await self._engine.write(lambda tx: access.used(tx, credential_id, at))

    async def remove(self, credential_id: int) -> None:
        """Removes a row."""
        await self._engine.write(lambda tx: access.remove_credential(tx, credential_id))


class SQLAccess:
    """IP ranges, bans and login history in the database; ranges and bans are kept for a second."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._ranges: Fresh[None, Sequence[IPRange]] = Fresh(lambda _: engine.read(access.ranges))
        self._bans: Fresh[None, Sequence[Ban]] = Fresh(lambda _: engine.read(access.bans))

    async def ranges(self) -> Sequence[IPRange]:
        """Those in force, highest priority first."""
        return await self._ranges.get(None)

    async def save_range(self, range_: IPRange) -> IPRange:
        """Inserts or replaces by name."""
        saved = await self._engine.write(lambda tx: access.save_range(tx, range_))
        self._ranges.clear()
        return saved

    async def remove_range(self, name: str) -> None:
        """Removes by name."""
        await self._engine.write(lambda tx: access.remove_range(tx, name))
        self._ranges.clear()

    async def bans(self) -> Sequence[Ban]:
        """Those in force."""
        return await self._bans.get(None)

    async def add_ban(self, ban: Ban) -> Ban:
        """Adds or prolongs the ban of a network."""
        saved = await self._engine.write(lambda tx: access.add_ban(tx, ban))
        self._bans.clear()
        return saved

    async def remove_ban(self, network: Network) -> bool:
        """Lifts the ban of a network."""
        lifted = await self._engine.write(lambda tx: access.remove_ban(tx, network))
        self._bans.clear()
        return lifted

    async def record_failures(self, failures: Sequence[LoginFailure], *, since: int, most: int) -> list[int]:
        """Writes them and counts the failures of each one's network since then."""
        return await self._engine.write(lambda tx: [access.record_failure(tx, each, since, most) for each in failures])

    async def record_success(self, account: str, network: Network, at: int) -> None:
        """Notes it and clears that account's failures from that network."""
        await self._engine.write(lambda tx: access.record_success(tx, account, network, at))

    async def succeeded_since(self, since: int) -> set[tuple[str, Network]]:
        """Who logged in from where since then."""
        return await self._engine.read(lambda tx: access.succeeded_since(tx, since))

    async def failures(self, since: int) -> list[LoginFailure]:
        """All failures since then, oldest first."""
        return await self._engine.read(lambda tx: access.failures(tx, since))

    async def sent(self, account_id: int) -> Sent:
        """What a user sent lately."""
        return await self._engine.read(lambda tx: sent.sent(tx, account_id))

    async def charge(self, charges: Sequence[Charge]) -> list[Sent | None]:
        """Counts each message unless it breaks a bound."""
        return await self._engine.write(lambda tx: sent.charge(tx, charges))
