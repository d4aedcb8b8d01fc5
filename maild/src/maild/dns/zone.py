"""Records written for people: zone-file text, a table with both forms of a name, long TXT values both ways.

Layout only. Headings and states come translated from the caller.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence

from maild.dns.names import shown
from maild.dns.records import Expected

STRING = 255
"""Octets of one character-string of a TXT record (RFC 1035 section 3.3)."""
DEFAULT_TTL = 3600
"""An hour: short enough to correct a mistake the same day."""


def strings(value: str) -> list[str]:
    """A TXT value in pieces that fit a character-string."""
    data = value.encode()
    return [data[i : i + STRING].decode() for i in range(0, len(data), STRING)] or [""]


def quoted(value: str) -> str:
    """A TXT value as a zone file has it: quoted strings of at most 255 octets."""
    return " ".join('"' + part.replace("\\", "\\\\").replace('"', '\\"') + '"' for part in strings(value))


def rdata(row: Expected) -> str:
    """The right-hand side in a zone file."""
    if row.rdtype == "TXT":
        return quoted(row.value)
    if row.rdtype == "MX":
        return f"{row.preference} {row.value}."
    return f"{row.value}." if row.rdtype in {"PTR", "CNAME", "NS"} else row.value


def line(row: Expected, ttl: int = DEFAULT_TTL) -> str:
    """One line of a zone file, names absolute."""
    return f"{row.owner}. {ttl} IN {row.rdtype} {rdata(row)}"


def text(rows: Iterable[Expected]) -> str:
    """Zone-file text of all rows but PTR, which belong to the internet company's zone, written as comments."""
    return "".join(f"{'; ' if row.rdtype == 'PTR' else ''}{line(row)}\n" for row in rows)


def table(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Columns under headings, aligned for a terminal where a Korean letter takes two cells."""
    lines = [list(headings), *(list(row) for row in rows)]
    widths = [max(_cells(cells[i]) for cells in lines) for i in range(len(headings) - 1)]
    return "\n".join(
        " | ".join([*(_padded(cell, width) for cell, width in zip(cells, widths, strict=False)), cells[-1]]).rstrip()
        for cells in lines
    )


def cells(row: Expected, state: str) -> tuple[str, str, str, str, str]:
    """A record's cells: type, host in both forms, value, priority, state."""
    value = shown(row.value) if row.rdtype in {"MX", "PTR", "CNAME"} else row.value
    return row.rdtype, shown(row.owner), value, "" if row.preference is None else str(row.preference), state


def _cells(text_: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in text_)


def _padded(text_: str, width: int) -> str:
    return text_ + " " * (width - _cells(text_))
