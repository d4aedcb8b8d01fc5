"""Columns of text that line up in a terminal, where a Korean syllable is two columns wide."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

TXT_STRING = 255  # bytes that one string of a TXT record holds (RFC 1035 3.3.14)


def width(text: str) -> int:
    """Columns that a terminal needs (UAX 11); combining marks need none."""
    return sum(
        0 if unicodedata.combining(sign) else 2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text
    )


def padded(text: str, columns: int) -> str:
    """The text, filled up with spaces."""
    return text + " " * (columns - width(text))


def table(head: Sequence[str], rows: Sequence[Sequence[str]], indent: str = "  ") -> list[str]:
    """Lines of a table; the last column is not filled up."""
    columns = [max(width(row[at]) for row in (head, *rows)) for at in range(len(head))]

    def line(cells: Sequence[str]) -> str:
        filled = [padded(cell, columns[at]) for at, cell in enumerate(cells[:-1])]
        return (indent + " | ".join([*filled, cells[-1]])).rstrip()

    rule = indent + "-+-".join("-" * count for count in columns)
    return [line(head), rule, *(line(row) for row in rows)]


def quoted_strings(value: str) -> str:
    """A long TXT value as some registrars want it: strings of at most 255 bytes in quotes (RFC 7208 3.3)."""
    body = value.encode("ascii")
    parts = [body[at : at + TXT_STRING].decode("ascii") for at in range(0, len(body), TXT_STRING)]
    return " ".join(f'"{part}"' for part in parts)
