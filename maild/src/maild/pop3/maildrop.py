"""The maildrop of one session: the inbox as it was at login, and what the client wants gone from it.

Nothing is removed before QUIT (RFC 1939 section 6): a connection that breaks leaves the mailbox as it was. Messages are
named by UID, so that other sessions may work in the mailbox meanwhile and no lock is needed.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from maild.store.interface import Store
from maild.store.records.mail import FlagAction, Mailbox, Message

PAGE = 1000
"""Rows read at once."""


@dataclass(slots=True)
class Maildrop:
    """Messages by number, from 1; ``deleted`` and ``retrieved`` hold numbers."""

    mailbox: Mailbox
    messages: list[Message]
    deleted: set[int] = field(default_factory=set)
    retrieved: set[int] = field(default_factory=set)

    @classmethod
    async def open(cls, store: Store, inbox_id: int) -> Maildrop | None:
        """Reads the inbox; None when there is none."""
        mailbox = await store.mailboxes.get(inbox_id)
        if mailbox is None:
            return None
        messages: list[Message] = []
        first = 1
        while page := await store.messages.range(mailbox.id, first, mailbox.uidnext - 1, PAGE):
            messages += page
            first = page[-1].uid + 1
        return cls(mailbox, messages)

    def get(self, number: int) -> Message | None:
        """A message that is there and not marked as deleted."""
        if not 1 <= number <= len(self.messages) or number in self.deleted:
            return None
        return self.messages[number - 1]

    def left(self) -> list[tuple[int, Message]]:
        """Those not marked as deleted, with their numbers."""
        return [(number, message) for number, message in enumerate(self.messages, 1) if number not in self.deleted]

    def unique_id(self, message: Message) -> str:
        """UIDL: stays the same for a message as long as its mailbox lives."""
        return f"{self.mailbox.uidvalidity}.{message.uid}"

    async def commit(self, store: Store) -> None:
        """Removes what was deleted and marks as seen what was retrieved."""
        seen = [self.messages[number - 1].uid for number in sorted(self.retrieved - self.deleted)]
        gone = [self.messages[number - 1].uid for number in sorted(self.deleted)]
        if gone:
            await store.messages.remove(self.mailbox.id, gone)
        if seen:
            await store.messages.store_flags(self.mailbox.id, seen, FlagAction.ADD, ("\\Seen",))


async def stuffed(pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """The octets with a dot before each line that begins with one, a line end and the last dot behind them."""
    tail = b"\r\n"
    async for piece in pieces:
        if not piece:
            continue
        # The last two octets sent decide whether a dot at the start of this piece begins a line.
        joined = (tail + piece).replace(b"\r\n.", b"\r\n..")
        yield joined[2:]
        tail = (tail + piece)[-2:]
    yield b".\r\n" if tail == b"\r\n" else b"\r\n.\r\n"


async def top(pieces: AsyncIterator[bytes], lines: int) -> AsyncIterator[bytes]:
    """The header, the empty line, and so many lines of the body."""
    left: int | None = None
    held = b""
    async for piece in pieces:
        held += piece
        *whole, held = held.split(b"\n")
        out: list[bytes] = []
        for line in whole:
            if left is not None and left <= 0:
                break
            out.append(line + b"\n")
            if left is None:
                left = lines if line in {b"", b"\r"} else None
            else:
                left -= 1
        yield b"".join(out)
        if left is not None and left <= 0:
            return
    yield held
