"""A resolver over a table in memory, for tests that need no packets: ``Zones({"a.example": {"TXT": [b"v=spf1"]}})``.

``"TIMEOUT"`` or ``"SERVFAIL"`` in place of a name's types makes every question there fail so.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence

from maild.dns import Answer, NoData, NoName, Record, ServerFailure, Timeout
from maild.dns.names import to_query

Table = Mapping[str, Mapping[str, Sequence[Record]] | str]


class Zones:
    """Answers from the table and counts what was asked."""

    def __init__(self, table: Table, *, secure: bool = False) -> None:
        self.table = {to_query(name) or name: types for name, types in table.items()}
        self.asked: Counter[tuple[str, str]] = Counter()
        self.secure = secure

    async def query(self, name: str, rdtype: str) -> Answer:
        wire = (to_query(name) or name).lower()
        self.asked[wire, rdtype] += 1
        types = self.table.get(wire)
        if types is None:
            below = any(known.endswith(f".{wire}") for known in self.table)
            raise (NoData if below else NoName)(wire, rdtype)
        if isinstance(types, str):
            raise (Timeout if types == "TIMEOUT" else ServerFailure)(wire, rdtype)
        if types.get(rdtype):
            return Answer(tuple(types[rdtype]), self.secure, 60, wire)
        if types.get("CNAME"):
            return await self.query(str(types["CNAME"][0]), rdtype)
        raise NoData(wire, rdtype)
