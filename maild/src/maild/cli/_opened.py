"""The store for a command: opened, waited for a moment, closed whatever happens; and the mailbox a command names."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from maild.cli import Exit, RefusedError
from maild.reconcile import ReconcileError
from maild.reconcile.desired import address_key
from maild.settings import Settings
from maild.store import Account, Store, StoreError, open_store
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


async def mailbox_named(store: Store, address: str) -> Account:
    """The account whose own address this is; ``RefusedError`` when there is none."""
    account = await store.directory.account_named(*named_address(address))
    if account is None:
        raise RefusedError("There is no mailbox {address}.", address=address)
    return account


def named_address(address: str) -> tuple[str, str]:
    """Local part and domain of an address that a command names, as they are stored."""
    try:
        return address_key(address)
    except ReconcileError as error:
        raise RefusedError("{address} is no mail address.", address=address) from error


def finish(command: Callable[[], Awaitable[int]]) -> int:
    """Runs a command; what the store refuses is a ``RefusedError``."""
    try:
        return asyncio.run(_await(command))
    except StoreError as error:
        raise RefusedError(error.public, error.cause) from error
    except (ReconcileError, WrappingError) as error:
        print(f"maild: {error}", file=sys.stderr)
        return Exit.NO


async def _await(command: Callable[[], Awaitable[int]]) -> int:
    return await command()
