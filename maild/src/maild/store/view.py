"""A mailbox at a glance: its UIDs and flags as two arrays, kept in the database as a disposable snapshot.

Reading half a million rows costs a second, reading one compressed snapshot and the rows changed since costs
milliseconds. The snapshot is a cache: the message rows are the truth, and one that does not decode is ignored.
"""

from __future__ import annotations

import struct
import sys
from array import array
from bisect import bisect_left
from collections.abc import Iterable, Sequence

import zstandard

from maild.store.sql.statement import Row

FORMAT = 1
_HEAD = struct.Struct("<BI")

WORTH_MESSAGES = 2000
"""Smaller mailboxes are read faster than a snapshot of them is kept."""

WORTH_CHANGES = 1000
"""A snapshot is written anew when so many rows had to be read on top of it."""

UID = "I"
FLAGS = "Q"


class ViewArrays:
    """The two arrays while they are put together."""

    def __init__(self, uids: array[int] | None = None, flags: array[int] | None = None) -> None:
        self.uids = array(UID) if uids is None else uids
        self.flags = array(FLAGS) if flags is None else flags

    def append(self, rows: Iterable[Row]) -> None:
        """Adds rows that lie behind all others."""
        for uid, flags in rows:
            self.uids.append(uid)
            self.flags.append(flags)

    def apply(self, changed: Sequence[Row], vanished: Sequence[int]) -> None:
        """Takes changed or new messages in and vanished ones out."""
        if vanished:
            self._drop(set(vanished))
        for uid, flags in changed:
            place = bisect_left(self.uids, uid)
            if place < len(self.uids) and self.uids[place] == uid:
                self.flags[place] = flags
            else:
                self.uids.insert(place, uid)
                self.flags.insert(place, flags)

    def _drop(self, gone: set[int]) -> None:
        kept = [place for place, uid in enumerate(self.uids) if uid not in gone]
        if len(kept) < len(self.uids):
            self.uids = array(UID, [self.uids[place] for place in kept])
            self.flags = array(FLAGS, [self.flags[place] for place in kept])


def encode(arrays: ViewArrays) -> bytes:
    """The arrays as they are kept."""
    uids, flags = _little(arrays.uids), _little(arrays.flags)
    plain = _HEAD.pack(FORMAT, len(arrays.uids)) + uids.tobytes() + flags.tobytes()
    return zstandard.ZstdCompressor(level=1, write_checksum=True).compress(plain)


def decode(data: bytes) -> ViewArrays | None:
    """What ``encode`` made; None for anything else."""
    try:
        plain = zstandard.ZstdDecompressor().decompress(data)
        version, count = _HEAD.unpack_from(plain)
    except (zstandard.ZstdError, struct.error):
        return None
    uids, flags = array(UID), array(FLAGS)
    if version != FORMAT or len(plain) != _HEAD.size + count * (uids.itemsize + flags.itemsize):
        return None
    split = _HEAD.size + count * uids.itemsize
    uids.frombytes(plain[_HEAD.size : split])
    flags.frombytes(plain[split:])
    return ViewArrays(_little(uids), _little(flags))


def _little(values: array[int]) -> array[int]:
    """The same values in little-endian order; its own inverse."""
    if sys.byteorder == "little":
        return values
    swapped = array(values.typecode, values)
    swapped.byteswap()
    return swapped
