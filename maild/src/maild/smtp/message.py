"""A received message as its header block and its body, which of a large one lies in the store already.

What is looked at and changed at the end of DATA is the header; the body only passes through.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from maild.mail import header
from maild.store import Staged


@dataclass(frozen=True, slots=True)
class Message:
    """The header with its empty line, and the body; of a staged one ``body`` is only the beginning."""

    head: bytes
    body: tuple[bytes, ...]
    staged: Staged | None = None

    @classmethod
    def of(cls, pieces: Sequence[bytes], limit: int) -> Message:
        """The message in these pieces; a header beyond the limit is not looked for further."""
        block, taken = b"", 0
        while taken < len(pieces) and len(block) <= limit and not _has_end(block):
            block += pieces[taken]
            taken += 1
        cut = header.body_start(block)
        return cls(block[:cut], (block[cut:], *pieces[taken:]))

    @property
    def size(self) -> int:
        """Bytes of it all."""
        return len(self.head) + (self.staged.size if self.staged else sum(map(len, self.body)))

    def with_head(self, head: bytes) -> Message:
        """The same body under another header."""
        return self if head is self.head else replace(self, head=head)

    def whole(self) -> bytes:
        """All of it, for one that is not staged."""
        return b"".join([self.head, *self.body])

    def beginning(self, count: int) -> bytes:
        """At most so many bytes of it."""
        kept: list[bytes] = []
        for piece in (self.head, *self.body):
            kept.append(piece[:count])
            count -= len(kept[-1])
            if count <= 0:
                break
        return b"".join(kept)


def _has_end(block: bytes) -> bool:
    return b"\r\n\r\n" in block or block.startswith(b"\r\n")
