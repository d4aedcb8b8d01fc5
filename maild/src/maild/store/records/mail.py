"""Mailboxes and messages: the records IMAP, POP3 and delivery work on, and the protocols over them.

UIDs and MODSEQs come only from the mailbox row, locked in the transaction that uses them. Flags are bits of one
integer: the system flags and a few keywords have fixed bits, other keywords get theirs per account (``Keywords``).
"""

from __future__ import annotations

from array import array
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import Enum
from typing import Protocol

FIXED_FLAGS: Mapping[str, int] = {
    "\\Seen": 1 << 0,
    "\\Answered": 1 << 1,
    "\\Flagged": 1 << 2,
    "\\Deleted": 1 << 3,
    "\\Draft": 1 << 4,
    "$Forwarded": 1 << 5,
    "$MDNSent": 1 << 6,
    "$Junk": 1 << 7,
    "$NotJunk": 1 << 8,
    "$Phishing": 1 << 9,
}
SEEN, ANSWERED, FLAGGED, DELETED, DRAFT = (1 << bit for bit in range(5))
FIRST_KEYWORD_BIT = 10
LAST_KEYWORD_BIT = 61
"""Flags live in a signed 64-bit column; the sign and its neighbour stay clear."""

DELIMITER = "/"


@dataclass(frozen=True, slots=True)
class Keywords:
    """The keywords of one account by name (as first spelled) and bit, the fixed flags included."""

    bits: Mapping[str, int] = field(default_factory=lambda: dict(FIXED_FLAGS))

    def encode(self, names: Sequence[str]) -> int:
        """The bits of these flags; one that the account does not know has none."""
        known = {name.lower(): bit for name, bit in self.bits.items()}
        flags = 0
        for name in names:
            flags |= known.get(name.lower(), 0)
        return flags

    def decode(self, flags: int) -> list[str]:
        """The names of these bits, system flags first."""
        return [name for name, bit in self.bits.items() if flags & bit]

    def unknown(self, names: Sequence[str]) -> list[str]:
        """Those that the account does not know yet."""
        known = {name.lower() for name in self.bits}
        return [name for name in names if name.lower() not in known]


@dataclass(frozen=True, slots=True, kw_only=True)
class Mailbox:
    """One mailbox and its counters. ``object_id`` is the RFC 8474 MAILBOXID."""

    id: int
    account_id: int
    name: str
    uidvalidity: int
    uidnext: int
    highestmodseq: int
    messages: int
    unseen: int
    deleted: int
    size: int
    special_use: str = ""
    subscribed: bool = True

    @property
    def object_id(self) -> str:
        """MAILBOXID: stable over a rename."""
        return f"m{self.id:x}"


@dataclass(frozen=True, slots=True)
class Mark:
    """Where a mailbox stands; everything newer is read by MODSEQ."""

    mailbox_id: int
    highestmodseq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Structure:
    """Envelope, body structure, part offsets and preview as ``maild.mail`` encoded them, with the encoder's version."""

    version: int
    data: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """One message in one mailbox; the body is ``blob_id``'s."""

    mailbox_id: int
    uid: int
    blob_id: bytes
    modseq: int
    flags: int
    internal_at: int
    saved_at: int
    size: int

    @property
    def email_id(self) -> str:
        """RFC 8474 EMAILID: the same content has the same one in every mailbox."""
        return self.blob_id.hex()


@dataclass(frozen=True, slots=True)
class View:
    """All messages of a mailbox as of ``modseq``: two arrays of equal length, by rising UID."""

    mailbox_id: int
    modseq: int
    uids: array[int]
    flags: array[int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What happened after a MODSEQ: changed or new messages by UID, and UIDs that are gone."""

    modseq: int
    messages: tuple[Message, ...]
    vanished: tuple[int, ...]


class FlagAction(Enum):
    """STORE's three ways."""

    ADD = "add"
    REMOVE = "remove"
    REPLACE = "replace"


@dataclass(frozen=True, slots=True, kw_only=True)
class FlagsStored:
    """``changed``: (uid, flags, modseq) now in the store; ``modified``: refused by UNCHANGEDSINCE (RFC 7162)."""

    changed: tuple[tuple[int, int, int], ...]
    modified: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """COPYUID of RFC 4315: source and destination UIDs pairwise."""

    uidvalidity: int
    source: tuple[int, ...]
    destination: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Appended:
    """APPENDUID of RFC 4315."""

    uidvalidity: int
    uid: int
    modseq: int
    blob_id: bytes


class Watch(Protocol):
    """Waits for changes of some mailboxes, by this daemon at once, by others within a second."""

    def add(self, mailbox_id: int, highestmodseq: int) -> None:
        """Watches one more mailbox, from what the caller has seen of it."""
        ...

    def discard(self, mailbox_id: int) -> None:
        """Watches it no longer."""
        ...

    async def changed(self) -> list[Mark]:
        """Returns when a watched mailbox stands above what was last returned; a deleted one has ``highestmodseq`` -1.

        Cancelling it is fine and loses nothing.
        """
        ...

    def close(self) -> None:
        """Ends the watch; a waiting ``changed`` is cancelled by its caller."""
        ...


class Mailboxes(Protocol):
    """Names, counters, subscriptions. Names are NFC, ``INBOX`` in capitals, hierarchy by ``/``."""

    async def of(self, account_id: int) -> list[Mailbox]:
        """All of an account, by name."""
        ...

    async def named(self, account_id: int, name: str) -> Mailbox | None:
        """By name."""
        ...

    async def get(self, mailbox_id: int) -> Mailbox | None:
        """By id."""
        ...

    async def with_use(self, account_id: int, special_use: str) -> Mailbox | None:
        """The mailbox with this special use."""
        ...

    async def create(self, account_id: int, name: str, *, special_use: str = "") -> Mailbox:
        """Missing parents are made too. Raises ``AlreadyExists``; a new UIDVALIDITY is never one used before."""
        ...

    async def rename(self, account_id: int, old: str, new: str) -> None:
        """With its children. INBOX: its messages move to a new mailbox, INBOX stays (RFC 9051 section 6.3.6)."""
        ...

    async def delete(self, account_id: int, name: str) -> None:
        """With its messages; children stay. INBOX: raises ``InUse``."""
        ...

    async def subscribe(self, account_id: int, name: str, *, on: bool = True) -> None:
        """Also for a name that has no mailbox."""
        ...

    async def subscriptions(self, account_id: int) -> list[str]:
        """Names, sorted."""
        ...

    async def set_use(self, mailbox_id: int, special_use: str) -> None:
        """Changes the special use; another mailbox of the account loses it."""
        ...

    async def keywords(self, account_id: int) -> Keywords:
        """The keywords the account uses."""
        ...

    async def marks(self, mailbox_ids: Sequence[int]) -> dict[int, int]:
        """``highestmodseq`` by mailbox id; a deleted one is missing."""
        ...

    def watch(self) -> Watch:
        """A new, empty watch."""
        ...


class Messages(Protocol):
    """Messages of mailboxes. UID sequences need not be sorted; UIDs that are not there are passed over.

    Changes of many messages run in slices, each its own short transaction; a crash between slices leaves the command
    half done, as IMAP allows, but never a counter wrong.
    """

    async def view(self, mailbox_id: int) -> View:
        """UIDs and flags of the whole mailbox (snapshot plus newer rows). Raises ``MailboxGone``."""
        ...

    async def get(self, mailbox_id: int, uids: Sequence[int]) -> list[Message]:
        """Rows by rising UID."""
        ...

    async def range(self, mailbox_id: int, first: int, last: int, limit: int = 1000) -> list[Message]:
        """Rows with ``first <= uid <= last`` by rising UID, at most ``limit``."""
        ...

    async def changes(self, mailbox_id: int, since: int) -> Changes:
        """Everything with a MODSEQ above ``since``, expunged ones included."""
        ...

    async def structures(self, blob_ids: Sequence[bytes]) -> dict[bytes, Structure]:
        """What has been encoded for these bodies; missing ones are left out."""
        ...

    async def save_structure(self, blob_id: bytes, structure: Structure) -> None:
        """Replaces what was encoded before."""
        ...

    async def save_structures(self, structures: Mapping[bytes, Structure]) -> None:
        """Replaces what was encoded before for several bodies, in one transaction; those that are gone are left out."""
        ...

    async def read(self, blob_id: bytes, offset: int = 0, length: int | None = None) -> bytes:
        """A stretch of a body. Raises ``NotFound`` when it is gone, ``ValueError`` above 8 MiB (use ``chunks``)."""
        ...

    def chunks(self, blob_id: bytes, offset: int = 0, length: int | None = None) -> AsyncIterator[bytes]:
        """The body in pieces of at most 1 MiB; nothing is held open between them."""
        ...

    async def store_flags(
        self,
        mailbox_id: int,
        uids: Sequence[int],
        action: FlagAction,
        flags: Sequence[str],
        *,
        unchanged_since: int | None = None,
    ) -> FlagsStored:
        """STORE; names the account does not know become keywords. Raises ``KeywordLimit``."""
        ...

    async def expunge(self, mailbox_id: int, uids: Sequence[int] | None = None) -> list[int]:
        r"""Removes messages marked \Deleted (all, or among ``uids``); returns the UIDs removed."""
        ...

    async def remove(self, mailbox_id: int, uids: Sequence[int]) -> list[int]:
        r"""Removes messages whatever their flags (POP3's QUIT, retention)."""
        ...

    async def copy(self, mailbox_id: int, uids: Sequence[int], target_id: int) -> Copied:
        """COPY, all or nothing. Raises ``OverQuota``, ``MailboxGone``."""
        ...

    async def move(self, mailbox_id: int, uids: Sequence[int], target_id: int) -> Copied:
        """MOVE: each slice of messages is in exactly one of the two mailboxes at any time."""
        ...
