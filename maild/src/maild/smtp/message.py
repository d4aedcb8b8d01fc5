"""A received message as its header block and the pieces of its body, so that a large one is never copied as a whole.

What is looked at and changed at the end of DATA is the header; the body only passes through.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from maild.mail import header


@dataclass(frozen=True, slots=True)
class Message:
    """The header with its empty line, and the body."""

    head: bytes
    body: tuple[bytes, ...]

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
        return len(self.head) + sum(map(len, self.body))

    def with_head(self, head: bytes) -> Message:
        """The same body under another header."""
        return self if head is self.head else Message(head, self.body)

    def whole(self) -> bytes:
        """All of it, for one that is small."""
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

    def chunks(self, size: int) -> Iterator[bytes]:
        """All of it in pieces of about that size, none larger than twice that."""
        held: list[bytes] = []
        length = 0
        for piece in (self.head, *self.body):
            for start in range(0, len(piece), size):
                held.append(piece[start : start + size])
                length += len(held[-1])
                if length >= size:
                    yield b"".join(held)
                    held, length = [], 0
        if held:
            yield b"".join(held)


def _has_end(block: bytes) -> bool:
    return b"\r\n\r\n" in block or block.startswith(b"\r\n")
