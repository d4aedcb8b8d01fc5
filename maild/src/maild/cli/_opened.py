"""The store for a command: opened, waited for a moment, closed whatever happens."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from maild.cli import Exit
from maild.reconcile import ReconcileError
from maild.settings import Settings
from maild.store import Store, StoreError, open_store
from maild.wrapping import WrappingError

WAIT_SECONDS = 20.0
"""How long a command waits for a database that is just coming up."""


@asynccontextmanager
async def opened(settings: Settings, *, migrate: bool = True) -> AsyncIterator[Store]:
    """The store of these settings."""
    store = await open_store(settings.database, migrate=migrate)
    try:
        await store.wait(WAIT_SECONDS)
        yield store
    finally:
        await store.close()


def finish(command: Callable[[], Awaitable[int]]) -> int:
    """Runs a command; what the store refuses is a sentence on stderr."""
    try:
        return asyncio.run(_await(command))
    except StoreError as error:
        print(f"maild: {error.public} {error.cause}".rstrip(), file=sys.stderr)
        return Exit.NO
    except (ReconcileError, WrappingError) as error:
        print(f"maild: {error}", file=sys.stderr)
        return Exit.NO


async def _await(command: Callable[[], Awaitable[int]]) -> int:
    return await command()
