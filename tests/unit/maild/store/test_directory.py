"""How long the directory may make a command of a client wait for the database."""

from __future__ import annotations

import asyncio

from maild.store.directory import SQLDirectory
from maild.store.engine.base import Work
from maild.store.records.directory import Resolved
from maild.store.sql import addresses


class SlowEngine:
    """Answers once two reads have been begun: a caller that makes one after the other waits for ever."""

    def __init__(self) -> None:
        self.begun = 0
        self._both = asyncio.Event()

    async def read(self, work: Work[object]) -> object:
        self.begun += 1
        if self.begun == 2:
            self._both.set()
        await self._both.wait()
        return [] if work is addresses.routes else Resolved()


def test_a_recipient_and_the_routes_are_asked_for_at_once() -> None:
    async def body() -> int:
        engine = SlowEngine()
        async with asyncio.timeout(30):
            await SQLDirectory(engine).resolve("id", "example.com")  # type: ignore[arg-type]
        return engine.begun

    assert asyncio.run(body()) == 2
