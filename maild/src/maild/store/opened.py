"""An open store: the parts of ``maild.store.interface.Store`` put together over one engine."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from maild.store.access import SQLAccess, SQLCredentials
from maild.store.budget import Budget
from maild.store.committer import Committer
from maild.store.directory import SQLDirectory
from maild.store.engine.base import Engine
from maild.store.errors import StoreUnavailable
from maild.store.mailboxes import SQLMailboxes
from maild.store.maintenance import SQLMaintenance
from maild.store.messages import SQLMessages
from maild.store.queue import SQLQueue
from maild.store.records.arrival import Accepted, Incoming, Staged
from maild.store.staging import Staging
from maild.store.state import SQLKeys, SQLState
from maild.store.transfer import SQLTransfer
from maild.store.watch import Watches

READY_STEP_SECONDS = 0.2


class SQLStore:
    """The store over an engine."""

    def __init__(self, engine: Engine, schema: Callable[[], str], budget: Budget | None = None) -> None:
        self._engine = engine
        self._watches = Watches(engine)
        self.budget = budget or Budget()
        self._staging = Staging(engine, self.budget)
        self._committer = Committer(engine, self.budget, self._watches)
        self.directory = SQLDirectory(engine)
        self.credentials = SQLCredentials(engine)
        self.access = SQLAccess(engine)
        self.mailboxes = SQLMailboxes(engine, self._watches)
        self.messages = SQLMessages(engine, self._watches)
        self.queue = SQLQueue(engine, self._watches)
        self.keys = SQLKeys(engine)
        self.state = SQLState(engine)
        self.transfer = SQLTransfer(engine)
        self.maintenance = SQLMaintenance(engine, self._committer, self._staging, self._watches, schema)

    def stage(self, expected: int = 0, blob_id: bytes | None = None) -> Staged:  # noqa: ARG002
        """A body that will come in pieces; room for it is taken as they come."""
        return self._staging.open(blob_id)

    async def accept(self, incoming: Incoming) -> Accepted:
        """Returns once the message is committed."""
        return await self._committer.accept(incoming)

    async def append(self, incoming: Incoming) -> Accepted:
        """``accept``, for IMAP."""
        return await self._committer.accept(incoming)

    async def ready(self) -> bool:
        """Whether the database answers right now."""
        return await self._engine.ready()

    async def wait(self, seconds: float) -> None:
        """Waits until ``ready``."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while not await self._engine.ready():
            if loop.time() >= end:
                raise StoreUnavailable(f"the database did not answer within {seconds:g} s")
            await asyncio.sleep(READY_STEP_SECONDS)

    async def close(self) -> None:
        """Commits what is waiting and closes all connections."""
        await self._committer.close()
        await self._staging.close()
        self._watches.close()
        await self._engine.close()
