"""The state of one IMAP session, what it works with, and the rows of the command table.

States are RFC 9051's: not authenticated, authenticated, selected. Commands see the session and their own request; they
write through ``send``, which holds small answers together and bounds what is held.
"""

from __future__ import annotations

import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Protocol

from maild.imap.errors import BadCommand, Goodbye
from maild.imap.parser import Literal, Parser
from maild.imap.selected import Positions, Selected
from maild.imap.sequences import SequenceSet
from maild.net import Peer, Stream
from maild.policy.login import Answer, Ask
from maild.settings import Limits, Listener
from maild.store.errors import StoreUnavailable
from maild.store.interface import Store
from maild.store.records.directory import Account
from maild.store.records.mail import Keywords, Message

FLUSH_OCTETS = 64 * 1024
"""Octets of answers held before they are written; fewer writes, bounded memory."""


class State(IntEnum):
    """Where a session stands."""

    STRANGER = 1
    AUTHENTICATED = 2
    SELECTED = 3


class Login(Protocol):
    """Checks passwords and proofs of them; policy's."""

    @property
    def mechanisms(self) -> Sequence[str]:
        """The SASL mechanisms offered under TLS."""
        ...

    async def exchange(self, first: bytes, ask: Ask, peer: Peer, protocol: str, session: int) -> Answer:
        """The outcome of a SCRAM exchange; raises ``SCRAMError``."""
        ...

    async def check(self, user: str, password: str, peer: Peer, protocol: str, session: int) -> Answer:
        """The outcome of one try."""
        ...


@dataclass(frozen=True, slots=True)
class Services:
    """What a session works with; one for the daemon."""

    store: Store
    login: Login
    hostname: str
    limits: Limits
    clock: Callable[[], int]
    """Microseconds since 1970."""
    commands: Mapping[bytes, Command]


@dataclass(frozen=True, slots=True)
class Command:
    """A row of the command table."""

    run: Callable[[Session, Request], Awaitable[bytes]]
    """Answers the text of the tagged OK; empty when it has written its own answer."""
    state: State
    """The least state it is allowed in."""
    uses_numbers: bool = False
    """Whether EXPUNGE may not be sent while it is answered (RFC 9051 section 7.5.1)."""
    only_strangers: bool = False


@dataclass(frozen=True, slots=True)
class Request:
    """One command as it came in. ``by_uid`` when it stood behind UID."""

    tag: bytes
    name: bytes
    arguments: Parser
    literals: tuple[Literal, ...]
    by_uid: bool = False


@dataclass(slots=True)
class Session:
    """The state of one connection."""

    stream: Stream
    services: Services
    listener: Listener
    account: Account | None = None
    selected: Selected | None = None
    enabled: set[bytes] = field(default_factory=set)
    saved: tuple[int, ...] = ()
    """UIDs that ``$`` stands for."""
    keywords: Keywords = field(default_factory=Keywords)
    bad_commands: int = 0
    _held: int = 0

    @property
    def state(self) -> State:
        """Where the session stands."""
        if self.account is None:
            return State.STRANGER
        return State.AUTHENTICATED if self.selected is None else State.SELECTED

    @property
    def secure(self) -> bool:
        """Whether TLS is on, or the operator has decided to do without on this listener."""
        return self.stream.connection.tls is not None or self.listener.tls == "none"

    @property
    def utf8(self) -> bool:
        """Whether names and headers go out as UTF-8 (RFC 9755, RFC 9051)."""
        return not self.enabled.isdisjoint({b"UTF8=ACCEPT", b"IMAP4REV2"})

    @property
    def user(self) -> Account:
        """The account; commands that need one run only when there is one."""
        if self.account is None:
            raise BadCommand("Please log in first")
        return self.account

    @property
    def open(self) -> Selected:
        """The selected mailbox."""
        if self.selected is None:
            raise BadCommand("No mailbox is selected")
        return self.selected

    def chosen(self, numbers: SequenceSet, *, uids: bool) -> Positions:
        """The messages that a set names, ``$`` included."""
        if not numbers.saved:
            return self.open.positions(numbers, uids=uids)
        found = (self.open.position(uid) for uid in self.saved)
        return [at for at in found if at is not None]

    def send(self, *pieces: bytes) -> None:
        """Sends pieces of an answer, together with what follows them."""
        for piece in pieces:
            self.stream.later(piece)
            self._held += len(piece)
        if self._held >= FLUSH_OCTETS:
            self.flush()

    def flush(self) -> None:
        """Writes what is held."""
        self._held = 0
        self.stream.flush()

    async def drain(self) -> None:
        """Writes what is held and waits until the client has taken enough."""
        self._held = 0
        await self.stream.drain()

    async def know_keywords(self, flags: int) -> None:
        """Reads the account's keywords again when one of these flags has no name yet."""
        if flags & ~sum(self.keywords.bits.values()):
            await self.read_keywords()

    async def read_keywords(self) -> None:
        """Reads the account's keywords."""
        self.keywords = await self.services.store.mailboxes.keywords(self.user.id)

    def flag_names(self, flags: int) -> bytes:
        """The names of flags, as in FLAGS."""
        return " ".join(self.keywords.decode(flags)).encode("ascii", "replace")

    async def sync(self, *, expunge: bool) -> None:
        """Tells the client what has changed in the selected mailbox; while the store is away there are no news."""
        if self.selected is not None:
            with contextlib.suppress(StoreUnavailable):
                await self._tell_news(self.selected, expunge=expunge)

    async def _tell_news(self, selected: Selected, *, expunge: bool) -> None:
        marks = await self.services.store.mailboxes.marks([selected.mailbox.id])
        mark = marks.get(selected.mailbox.id)
        if mark is None:
            raise Goodbye("The selected mailbox was deleted")
        held = expunge and bool(selected.gone)
        if mark <= selected.modseq and not held:
            return
        changes = await self.services.store.messages.changes(selected.mailbox.id, selected.modseq)
        for message in changes.messages:
            await self.know_keywords(message.flags)
        self.send(*selected.news(changes, expunge=expunge, vanished=b"QRESYNC" in self.enabled, write=self._flags_line))

    def _flags_line(self, number: int, flags: int, message: Message) -> bytes:
        uid = b"UID %d " % message.uid if self.enabled else b""
        modseq = b" MODSEQ (%d)" % message.modseq if b"CONDSTORE" in self.enabled else b""
        return b"* %d FETCH (%bFLAGS (%b)%b)\r\n" % (number, uid, self.flag_names(flags), modseq)
