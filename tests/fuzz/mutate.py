"""Changes bytes as a fuzzer does: flips, cuts, repeats, splices, puts in words and numbers at the edges."""

from __future__ import annotations

import random
from collections.abc import Sequence

MAX_INPUT = 4096
"""Bytes of one input: parsers are linear, what they get wrong shows in small ones."""
MAX_CHANGES = 6
COMMON = (
    b"\r\n", b"\n", b"\r", b"\0", b" ", b"\t", b'"', b"\\", b"<", b">", b"@", b"(", b")", b"{", b"}", b"[", b"]", b"=?",
    b"?=", b";", b":", b",", b".", b"+", b"-", b"0", b"-1", b"4294967296", b"18446744073709551616", b"%", b"*", b"\xff",
    b"\xc0\x80", b"\xed\xa0\x80", "한글".encode(), "\u202e".encode(), b"\x1b$)C\x0e", b"A" * 300, b"(" * 100, b"=" * 3,
)  # fmt: skip


def mutated(chance: random.Random, corpus: Sequence[bytes], words: Sequence[bytes]) -> bytes:
    """A new input from old ones."""
    data = bytearray(chance.choice(corpus))
    for _ in range(chance.randint(1, MAX_CHANGES)):
        data = _changed(chance, data, corpus, words)
    return bytes(data[:MAX_INPUT])


def _changed(chance: random.Random, data: bytearray, corpus: Sequence[bytes], words: Sequence[bytes]) -> bytearray:
    kind = chance.randrange(7)
    place = chance.randint(0, len(data))
    end = min(len(data), place + chance.randint(1, 16))
    if kind == 0 and data:
        data[place % len(data)] = chance.randrange(256)
    elif kind == 1:
        del data[place:end]
    elif kind == 2:
        data[place:place] = data[place:end] * chance.randint(1, 8)
    elif kind == 3:
        other = chance.choice(corpus)
        cut = chance.randint(0, len(other))
        data[place:] = other[cut:]
    elif kind == 4 and data:
        data[place % len(data)] ^= 1 << chance.randrange(8)
    else:
        pool = words if words and chance.random() < 0.6 else COMMON
        data[place : place if kind == 5 else end] = chance.choice(pool)
    return data
