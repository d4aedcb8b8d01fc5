"""IDLE (RFC 2177): tells news as they come until the client says DONE."""

from __future__ import annotations

import asyncio
import contextlib
from typing import Any

from maild.imap.errors import BadCommand
from maild.imap.session import Command, Request, Session, State
from maild.store import errors as store_errors
from maild.store.records.mail import Watch

KEEPALIVE_SECONDS = 120.0
"""Time after which something is said, so that a gateway between does not forget the connection."""
AWAY_SECONDS = 1.0
"""Pause before a store that is away is asked again."""


async def _idle(session: Session, request: Request) -> bytes:
    request.arguments.end()
    session.send(b"+ Waiting\r\n")
    watch = session.services.store.mailboxes.watch()
    try:
        if session.selected is not None:
            watch.add(session.selected.mailbox.id, session.selected.modseq)
            await _news(session)
        done = asyncio.ensure_future(session.stream.line(session.services.limits.imap_idle_seconds))
        try:
            await _until(session, done, watch)
        finally:
            done.cancel()
    finally:
        watch.close()
    if (await done).upper() != b"DONE":
        raise BadCommand("DONE was expected")
    return b"No longer waiting"


async def _until(session: Session, done: asyncio.Future[bytes], watch: Watch) -> None:
    """Tells news until the client has sent its line, or is gone."""
    changed = asyncio.ensure_future(watch.changed())
    try:
        while not done.done():
            session.flush()
            either: set[asyncio.Future[Any]] = {done, changed}
            ready, _ = await asyncio.wait(either, timeout=KEEPALIVE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            if not ready:
                session.send(b"* OK Still here\r\n")
            if changed.done() and not done.done():
                if isinstance(changed.exception(), store_errors.StoreUnavailable):
                    await asyncio.sleep(AWAY_SECONDS)
                else:
                    changed.result()
                changed = asyncio.ensure_future(watch.changed())
                await _news(session)
    finally:
        changed.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await changed


async def _news(session: Session) -> None:
    await session.sync(expunge=True)
    session.flush()


COMMANDS = {b"IDLE": Command(_idle, State.AUTHENTICATED)}
