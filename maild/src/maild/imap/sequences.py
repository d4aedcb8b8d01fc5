"""Sets of message numbers and UIDs (RFC 9051, sequence-set): parsed, resolved against a mailbox, written compactly."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from maild.imap.errors import BadCommand

MAX_NUMBER = (1 << 32) - 1
"""nz-number is a 32-bit one."""
STAR = MAX_NUMBER + 1
"""Stands for ``*``: above every number."""


@dataclass(frozen=True, slots=True)
class SequenceSet:
    """Ranges as sent; ``saved`` is ``$``, the result of the last SEARCH (RFC 5182)."""

    ranges: tuple[tuple[int, int], ...]
    saved: bool = False

    @classmethod
    def parse(cls, text: bytes) -> SequenceSet:
        """Reads a sequence-set."""
        if text == b"$":
            return cls((), saved=True)
        return cls(tuple(_range(piece) for piece in text.split(b",")))

    def merged(self, highest: int) -> list[tuple[int, int]]:
        """The ranges in order, joined where they meet, ``*`` standing for ``highest``."""
        found: list[tuple[int, int]] = []
        for first, last in sorted(self._resolved(highest)):
            if found and first <= found[-1][1] + 1:
                found[-1] = (found[-1][0], max(found[-1][1], last))
            else:
                found.append((first, last))
        return found

    def _resolved(self, highest: int) -> Iterator[tuple[int, int]]:
        for one, other in self.ranges:
            first = highest if one == STAR else one
            last = highest if other == STAR else other
            yield (first, last) if first <= last else (last, first)

    def __contains__(self, number: int) -> bool:
        return any(min(one, other) <= number <= max(one, other) for one, other in self.ranges)


def _range(piece: bytes) -> tuple[int, int]:
    one, colon, other = piece.partition(b":")
    first = _number(one)
    return first, _number(other) if colon else first


def _number(text: bytes) -> int:
    if text == b"*":
        return STAR
    if not text.isdigit() or len(text) > 10 or not 0 < int(text) <= MAX_NUMBER:
        raise BadCommand("A sequence set holds a number that is none")
    return int(text)


def positions(uids: array[int], ranges: Iterable[tuple[int, int]]) -> list[range]:
    """Where the UIDs within these ranges stand in an array of rising UIDs."""
    found = []
    for first, last in ranges:
        start, stop = bisect_left(uids, first), bisect_right(uids, last)
        if start < stop:
            found.append(range(start, stop))
    return found


def write(numbers: Iterable[int]) -> bytes:
    """Numbers in the order given as a sequence-set, rising runs as ranges."""
    pieces: list[bytes] = []
    first = last = -2
    for number in numbers:
        if number == last + 1:
            last = number
            continue
        if first > 0:
            pieces.append(_piece(first, last))
        first = last = number
    if first > 0:
        pieces.append(_piece(first, last))
    return b",".join(pieces)


def _piece(first: int, last: int) -> bytes:
    return b"%d" % first if first == last else b"%d:%d" % (first, last)
