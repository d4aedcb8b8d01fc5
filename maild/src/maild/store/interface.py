"""The store as every other part of the daemon sees it; code against this, never against an engine.

Rules that hold for all of it:

- Everything that touches the database is ``async`` and runs in the engine's own threads; the loop is never blocked. No
  transaction or cursor stays open across an ``await`` of the caller: each call is one transaction (or slices of at most
  20 ms, where its text says so), committed when it returns. There is no "begin" here on purpose.
- Cancelling a call abandons its answer, not its transaction: what had reached the database may be committed.
- Errors are ``maild.store.errors``; whatever is temporary is a ``StoreUnavailable``. Nothing from a driver gets out.
- Times are integer microseconds since 1970 UTC; ids are positive integers, blob and ingest ids 16 bytes.
- A row may be changed by another daemon or the CLI at any moment; what is cached says for how long (at most a second).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from maild.store.budget import Budget
from maild.store.records.access import Access, Credentials
from maild.store.records.arrival import Accepted, Incoming, Staged
from maild.store.records.directory import Directory
from maild.store.records.mail import Mailboxes, Messages
from maild.store.records.queue import Queue
from maild.store.records.state import Keys, State


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """Something ``check`` found wrong: a word for what it is, where, and what it means."""

    what: str
    place: str
    """Where, as an English text whose ``{names}`` are in ``values``."""
    text: str
    """What it means, likewise."""
    values: Mapping[str, object]

    @property
    def where(self) -> str:
        """Where, in English."""
        return self.place.format_map(self.values)

    @property
    def detail(self) -> str:
        """What it means, in English."""
        return self.text.format_map(self.values)


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """What diagnosis and metrics ask for."""

    engine: str
    """``sqlite``, ``mariadb`` or ``mysql`` with its version."""
    schema: str
    clock_offset_us: int
    """Database clock minus ours."""
    commits: int
    committed_messages: int
    waiting_messages: int
    unfinished_bytes: int
    unknown_outcomes: int
    """Commits whose answer was lost and that were looked up."""


class Maintenance(Protocol):
    """What runs beside the traffic, in slices."""

    async def check(self, *, bodies: bool = False) -> list[Finding]:
        """Contradictions between rows (counters, orphans, chunks); with ``bodies`` also every hash. Changes nothing."""
        ...

    async def sweep(self) -> int:
        """Removes what nothing refers to any more (bodies, abandoned staged ones, old history); returns how many."""
        ...

    async def retain(self, special_use: str, older_than: int) -> int:
        """Removes messages saved before that time from all mailboxes of this use (Trash, Junk, Rejects)."""
        ...

    async def health(self) -> Health:
        """The figures of now."""
        ...


@dataclass(frozen=True, slots=True)
class TablePart:
    """Some rows of one table, for a backup; ``columns`` names what each row holds."""

    table: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Any, ...], ...]
    """Integers, text, bytes or None."""


@dataclass(frozen=True, slots=True)
class BodyChunk:
    """One stored piece of a body as it lies in the database (compressed, with its own checksum)."""

    blob_id: bytes
    number: int
    size: int
    data: bytes


class Transfer(Protocol):
    """Everything out, and everything in again, whatever the engine; what backup and restore are made of."""

    async def hold(self, seconds: float) -> None:
        """No body is removed for so long, so that one in a snapshot is still there when it is read."""
        ...

    async def body_ids(self, after: bytes, limit: int) -> list[bytes]:
        """Finished bodies by rising id, behind one of them."""
        ...

    async def body(self, blob_id: bytes) -> list[BodyChunk]:
        """All chunks of a body."""
        ...

    async def tables(self) -> list[TablePart]:
        """All rows but bodies and what is only a cache, as of one moment."""
        ...

    async def holds_nothing(self) -> bool:
        """Whether the database is as a fresh schema leaves it."""
        ...

    async def clear(self) -> None:
        """Removes every row; only for a restore that starts anew."""
        ...

    async def load(self, part: TablePart) -> None:
        """Writes rows; a table or column that this release does not know is passed over."""
        ...

    async def load_bodies(self, chunks: Sequence[BodyChunk]) -> None:
        """Writes chunks."""
        ...


class Store(Protocol):
    """One open store. ``maild.store.open_store`` makes it."""

    @property
    def directory(self) -> Directory:
        """Domains, accounts, aliases, lists, routes."""
        ...

    @property
    def credentials(self) -> Credentials:
        """Ways to log in."""
        ...

    @property
    def access(self) -> Access:
        """IP ranges, bans, login history."""
        ...

    @property
    def mailboxes(self) -> Mailboxes:
        """Names and counters of mailboxes."""
        ...

    @property
    def messages(self) -> Messages:
        """Messages of mailboxes."""
        ...

    @property
    def queue(self) -> Queue:
        """Outgoing mail."""
        ...

    @property
    def keys(self) -> Keys:
        """DKIM and SRS keys."""
        ...

    @property
    def state(self) -> State:
        """Small shared state."""
        ...

    @property
    def transfer(self) -> Transfer:
        """Everything out and in again."""
        ...

    @property
    def budget(self) -> Budget:
        """The bytes that unfinished messages may hold."""
        ...

    @property
    def maintenance(self) -> Maintenance:
        """Checks and clean-up."""
        ...

    def stage(self, expected: int = 0, blob_id: bytes | None = None) -> Staged:
        """A body that will come in pieces; ``expected`` is what SIZE announced. Also fine for small ones.

        ``blob_id`` is the ingest id when the message has one already; without it, the message takes the body's.
        """
        ...

    async def accept(self, incoming: Incoming) -> Accepted:
        """Takes responsibility for a message: returns once it is committed, in one transaction with all its copies and
        queue rows. Many callers share a commit. A lost answer to COMMIT is looked up by ``incoming.id`` before this
        returns or raises; after ``StoreUnavailable`` the message may yet be there at most once, under that id.

        Raises ``MailboxGone``, ``OverQuota``, ``StoreUnavailable``.
        """
        ...

    async def append(self, incoming: Incoming) -> Accepted:
        """``accept`` for IMAP APPEND: the same, named for its reader."""
        ...

    async def ready(self) -> bool:
        """Whether the database answers right now; until it first did, every other call is ``StoreUnavailable``.

        Raises ``NotDurable`` or ``SchemaMismatch`` when it answers and must not be used.
        """
        ...

    async def wait(self, seconds: float) -> None:
        """Waits until ``ready``; raises ``StoreUnavailable`` after that time, else as ``ready`` does."""
        ...

    async def close(self) -> None:
        """Finishes what was begun and closes all connections."""
        ...
