"""A message on its way in: DATA up to CRLF.CRLF, or BDAT chunks, cut into clean pieces.

Only ``CRLF.CRLF`` ends DATA; a bare CR or LF is never an end, and a message that holds one is marked, so that nothing
can be smuggled past us to a server that reads it differently. Pure: bytes in, pieces out.
"""

from __future__ import annotations

from dataclasses import dataclass, field

_END = b"\r\n.\r\n"
_CR, _LF, _DOT = 13, 10, 46
_FEW_DOTS = 100


@dataclass(slots=True)
class Body:
    """What has arrived of a message. ``pieces`` hold what nobody has taken; one too large is only counted."""

    limit: int
    pieces: list[bytes] = field(default_factory=list)
    size: int = 0
    bare: bool = False
    """A CR without LF or a LF without CR stands in it."""
    nul: bool = False
    given_up: bool = False
    """It cannot be kept; it is only counted."""
    _after_cr: bool = False
    _open_line: bool = False

    @property
    def too_large(self) -> bool:
        """Whether it is beyond the limit."""
        return self.size > self.limit

    def give_up(self) -> None:
        """Forgets what was kept; what still comes is only counted."""
        self.pieces.clear()
        self.given_up = True

    def take(self) -> list[bytes]:
        """What has come since the last call."""
        taken, self.pieces = self.pieces, []
        return taken

    def add(self, piece: bytes) -> None:
        """Adds clean bytes; a CRLF may lie across two pieces."""
        if not piece:
            return
        self.size += len(piece)
        if not self.bare:
            self._check_ends(piece)
        if b"\0" in piece:
            self.nul = True
        self._open_line = piece[-1] != _LF
        if self.too_large or self.given_up:
            self.pieces.clear()
        else:
            self.pieces.append(piece)

    def finish(self) -> None:
        """No more comes: a CR that still waits for its LF is bare, and the last line is closed."""
        self.bare = self.bare or self._after_cr
        if self._open_line:
            self.add(b"\r\n")

    def _check_ends(self, piece: bytes) -> None:
        pairs = piece.count(b"\r\n")
        returns, feeds = piece.count(b"\r"), piece.count(b"\n")
        if self._after_cr:
            if piece[0] != _LF:
                self.bare = True
            feeds -= 1
        self._after_cr = piece[-1] == _CR
        if self._after_cr:
            returns -= 1
        if returns != pairs or feeds != pairs:
            self.bare = True


class DotReader:
    """Reads DATA into a ``Body``: finds its end, takes the transparency dots away (RFC 5321 section 4.5.2)."""

    __slots__ = ("_first", "_held", "body")

    def __init__(self, body: Body) -> None:
        self.body = body
        # The line before the body ended with CRLF, so a dot at the very start stands at a line's start.
        self._held = b"\r\n"
        self._first = True

    def feed(self, data: bytes) -> bytes | None:
        """Takes bytes; returns what followed the end, or None when the end has not come."""
        seen = self._held + data
        dot = _line_dot(seen)
        end = -1 if dot < 0 else seen.find(_END, dot - 2)
        if end >= 0:
            self._emit(seen[: end + 2], dot)
            self.body.finish()
            return seen[end + len(_END) :]
        cut = _cut(seen)
        self._emit(seen[:cut], dot)
        self._held = seen[cut:]
        return None

    def _emit(self, stuffed: bytes, dot: int) -> None:
        """Adds what was received; the first dot to be taken away stands at ``dot`` or later, or nowhere (-1)."""
        start = dot - 2
        plain = stuffed if dot < 0 else stuffed[:start] + stuffed[start:].replace(b"\r\n.", b"\r\n")
        if self._first and stuffed:
            self._first = False
            plain = plain[2:]
        self.body.add(plain)


def _line_dot(seen: bytes) -> int:
    """Where the first dot at a line's start stands, or -1.

    One byte is found many times faster than three, and what is encoded in base64 has its only dots in the header.
    """
    dot = -1
    for _ in range(_FEW_DOTS):
        dot = seen.find(_DOT, dot + 1)
        if dot < 0 or seen[max(dot - 2, 0) : dot] == b"\r\n":
            return dot
    start = seen.find(b"\r\n.", dot - 1)
    return start if start < 0 else start + 2


def _cut(seen: bytes) -> int:
    """Where bytes can be cut so that neither the end nor a stuffed dot lies across; the last four are always held."""
    cut = len(seen) - 4
    for place in range(cut, max(cut - 3, 2), -1):
        splits = seen[place - 1] == _CR or (seen[place - 1] == _LF and seen[place] == _DOT)
        if not splits:
            return place
    return cut if cut > 2 and b"\r\r" in seen[cut - 3 : cut + 1] else 0
