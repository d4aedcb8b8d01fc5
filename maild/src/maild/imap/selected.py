"""The selected mailbox as one client knows it: which UID has which message number, and which flags it was told.

Numbers only change when the client is told (``news``), and EXPUNGE is held back while a command that uses numbers is
answered (RFC 9051 section 7.5.1). The store is the truth; this is a copy as of a MODSEQ.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from maild.imap import sequences
from maild.imap.errors import BadCommand
from maild.imap.sequences import SequenceSet
from maild.store.records.mail import Changes, Mailbox, Message, View

Positions = list[int]
"""Rising indexes into ``Selected.uids``; a message number is one more."""


@dataclass(slots=True)
class Selected:
    """A mailbox in the state one session has been told of."""

    mailbox: Mailbox
    read_only: bool
    uids: array[int]
    flags: array[int]
    modseq: int
    told: dict[int, int] = field(default_factory=dict)
    """MODSEQs that a command's own answers have told, by UID, until the next news."""
    gone: set[int] = field(default_factory=set)
    """UIDs that have vanished and whose EXPUNGE is held back."""

    @classmethod
    def of(cls, mailbox: Mailbox, view: View, *, read_only: bool) -> Selected:
        """The state right after SELECT."""
        return cls(mailbox, read_only, view.uids, view.flags, view.modseq)

    @property
    def count(self) -> int:
        """Messages the client knows of."""
        return len(self.uids)

    def position(self, uid: int) -> int | None:
        """Where a UID stands, None when the client does not know it."""
        at = bisect_left(self.uids, uid)
        return at if at < len(self.uids) and self.uids[at] == uid else None

    def positions(self, numbers: SequenceSet, *, uids: bool) -> Positions:
        """What a set names. Message numbers that are not there are an error, UIDs are passed over."""
        if uids:
            highest = self.uids[-1] if self.uids else 0
            found = sequences.positions(self.uids, numbers.merged(highest))
            return [at for run in found for at in run]
        ranges = numbers.merged(self.count)
        if ranges and (ranges[-1][1] > self.count or ranges[0][0] < 1):
            if not self.count:
                return []
            raise BadCommand("There is no message with that number")
        return [at for first, last in ranges for at in range(first - 1, last)]

    def tell(self, uid: int, flags: int, modseq: int) -> None:
        """Notes what an answer has told the client, so that news do not repeat it."""
        at = self.position(uid)
        if at is not None:
            self.flags[at] = flags
            self.told[uid] = modseq

    def news(
        self, changes: Changes, *, expunge: bool, vanished: bool, write: Callable[[int, int, Message], bytes]
    ) -> list[bytes]:
        """What the client has to be told, and the state after it. ``write`` makes the FETCH line of a message."""
        self.gone.update(changes.vanished)
        lines = self._expunged(vanished=vanished) if expunge else []
        fresh = [message for message in changes.messages if not self.uids or message.uid > self.uids[-1]]
        for message in fresh:
            self.uids.append(message.uid)
            self.flags.append(message.flags)
        if fresh:
            lines.append(b"* %d EXISTS\r\n" % len(self.uids))
        fresh_uids = {message.uid for message in fresh}
        for message in changes.messages:
            at = self.position(message.uid)
            if at is None or message.uid in fresh_uids:
                continue
            if self.flags[at] != message.flags or self.told.get(message.uid, message.modseq) != message.modseq:
                self.flags[at] = message.flags
                lines.append(write(at + 1, message.flags, message))
        self.told.clear()
        self.modseq = max(self.modseq, changes.modseq)
        return lines

    def _expunged(self, *, vanished: bool) -> list[bytes]:
        known = sorted(uid for uid in self.gone if self.position(uid) is not None)
        self.gone.clear()
        if not known:
            return []
        lines = [b"* VANISHED %b\r\n" % sequences.write(known)] if vanished else []
        if not vanished:
            # From the end, so that no number moves before its own line.
            lines = [b"* %d EXPUNGE\r\n" % ((self.position(uid) or 0) + 1) for uid in reversed(known)]
        self._drop(known)
        return lines

    def _drop(self, uids: Iterable[int]) -> None:
        dropped = set(uids)
        if len(dropped) <= 32:
            for uid in dropped:
                at = self.position(uid)
                if at is not None:
                    del self.uids[at], self.flags[at]
            return
        kept = [at for at, uid in enumerate(self.uids) if uid not in dropped]
        self.uids = array(self.uids.typecode, (self.uids[at] for at in kept))
        self.flags = array(self.flags.typecode, (self.flags[at] for at in kept))
