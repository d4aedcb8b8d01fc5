"""What the command line works on: the settings file of a Korean server, and its store for what a test looks at."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeVar

from maild.settings import load
from maild.store import Store, open_store

T = TypeVar("T")


def settings_of_a_korean_server(folder: Path) -> Path:
    """The file, with SQLite beside it."""
    file = folder / "maild.toml"
    file.write_text('hostname = "smtp.a.net"\nlanguage = "ko"\n', encoding="utf-8")
    return file


def with_store(settings: Path, work: Callable[[Store], Awaitable[T]]) -> T:
    """What the work gives, done in the store of these settings, which is made where there is none."""

    async def opened() -> T:
        store = await open_store(load(settings).database)
        try:
            return await work(store)
        finally:
            await store.close()

    return asyncio.run(opened())
