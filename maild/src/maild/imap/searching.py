"""Finds the messages that a search asks for, cheapest question first, a block of the mailbox at a time.

Flags and numbers are answered from what the session knows, dates and sizes from rows, headers from summaries, and only
what is left is read. Texts are compared without regard to case and composition; a domain is found in both its forms.
"""

from __future__ import annotations

import asyncio
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

from maild.imap import criteria, summaries
from maild.imap.criteria import Key
from maild.imap.selected import Positions, Selected
from maild.imap.session import Session
from maild.mail import content, dates, domain, header, words
from maild.mail.structure import Part
from maild.mail.summary import Summary
from maild.store.errors import NotFound
from maild.store.records.mail import Message

BLOCK = 5000
"""Messages whose flags are looked at before other sessions get their turn."""
READ_BLOCK = 200
"""Messages whose rows or summaries are held at once."""
MAX_TEXT = 8 << 20
"""Octets of one text part that are searched."""

Forms = tuple[str, ...]

_ALABEL = re.compile(r"xn--[a-z0-9.-]+", re.IGNORECASE)


@dataclass(slots=True)
class _Block:
    """The rows and summaries of the block that is being searched, read when first asked for."""

    asked: set[int] = field(default_factory=set)
    rows: dict[int, Message] = field(default_factory=dict)
    summaries: dict[bytes, Summary] = field(default_factory=dict)


@dataclass(slots=True)
class Search:
    """One search in the selected mailbox."""

    session: Session
    key: Key
    _ranges: dict[int, list[tuple[int, int]]] = field(default_factory=dict)
    _block: _Block = field(default_factory=_Block)

    async def run(self, progress: Callable[[int, int], None] = lambda _done, _of: None) -> Positions:
        """The positions found, rising."""
        selected = self.session.open
        size = BLOCK if _cost(self.key) == 0 else READ_BLOCK
        found: Positions = []
        await self.session.read_keywords()
        for start in range(0, selected.count, size):
            self._block = _Block()
            found += await self._found(self.key, list(range(start, min(start + size, selected.count))))
            progress(start, selected.count)
            await asyncio.sleep(0)
        return found

    async def modseqs(self, positions: Positions) -> dict[int, int]:
        """The MODSEQ of each of these positions."""
        selected = self.session.open
        found: dict[int, int] = {}
        for start in range(0, len(positions), READ_BLOCK):
            batch = {selected.uids[at]: at for at in positions[start : start + READ_BLOCK]}
            for row in await self.session.services.store.messages.get(selected.mailbox.id, list(batch)):
                found[batch[row.uid]] = row.modseq
        return found

    async def _found(self, key: Key, among: Positions) -> Positions:
        if not among:
            return []
        match key:
            case criteria.All():
                return among
            case criteria.Nothing():
                return []
            case criteria.And(keys):
                for each in sorted(keys, key=_cost):
                    among = await self._found(each, among)
                return among
            case criteria.Or(one, other):
                first = set(await self._found(one, among))
                rest = [at for at in among if at not in first]
                return sorted(first.union(await self._found(other, rest)))
            case criteria.Not(inner):
                out = set(await self._found(inner, among))
                return [at for at in among if at not in out]
            case criteria.Flag() | criteria.Numbers():
                return self._known(key, among)
            case criteria.Header() | criteria.Content():
                return await self._texts(key, among)
            case _:
                return await self._by_row(key, among)

    def _known(self, key: criteria.Flag | criteria.Numbers, among: Positions) -> Positions:
        selected = self.session.open
        if isinstance(key, criteria.Flag):
            bit, flags = self.session.keywords.encode([key.name]), selected.flags
            return [at for at in among if bool(flags[at] & bit) is key.wanted]
        ranges = self._ranges_of(key, selected)
        starts = [first for first, _ in ranges]

        def inside(at: int) -> bool:
            index = bisect_right(starts, at) - 1
            return index >= 0 and at <= ranges[index][1]

        return [at for at in among if inside(at)]

    def _ranges_of(self, key: criteria.Numbers, selected: Selected) -> list[tuple[int, int]]:
        """The positions of a set as ranges; worked out once a search."""
        if id(key) not in self._ranges:
            positions = sorted(set(self.session.chosen(key.numbers, uids=key.uids)))
            self._ranges[id(key)] = [(run[0], run[-1]) for run in _runs(positions)] if selected.count else []
        return self._ranges[id(key)]

    async def _by_row(self, key: Key, among: Positions) -> Positions:
        if isinstance(key, criteria.Day) and key.kind == "sent":
            return [at for at, row in await self._rows(among) if _sent(key, await self._summary(row))]
        now = self.session.services.clock()
        return [at for at, row in await self._rows(among) if _row_matches(key, row, now)]

    async def _texts(self, key: criteria.Header | criteria.Content, among: Positions) -> Positions:
        needles = wanted_forms(key.text)
        found: Positions = []
        for at, row in await self._rows(among):
            summary = await self._summary(row)
            try:
                if isinstance(key, criteria.Header):
                    matches = await self._header_matches(key, needles, row, summary)
                else:
                    matches = await self._content_matches(key, needles, row, summary)
            except NotFound:
                continue  # Expunged by someone else in this moment.
            if matches:
                found.append(at)
        return found

    async def _rows(self, among: Positions) -> list[tuple[int, Message]]:
        selected, block = self.session.open, self._block
        missing = [selected.uids[at] for at in among if selected.uids[at] not in block.asked]
        if missing:
            block.asked.update(missing)
            rows = await self.session.services.store.messages.get(selected.mailbox.id, missing)
            block.rows.update((row.uid, row) for row in rows)
        pairs = ((at, block.rows.get(selected.uids[at])) for at in among)
        return [(at, row) for at, row in pairs if row is not None]

    async def _summary(self, row: Message) -> Summary:
        known = self._block.summaries
        if row.blob_id not in known:
            rows = [each for each in self._block.rows.values() if each.blob_id not in known]
            known.update(await summaries.of(self.session.services.store, rows))
        return known[row.blob_id]

    async def _header_matches(self, key: criteria.Header, needles: Forms, row: Message, summary: Summary) -> bool:
        known = _SUMMARISED.get(key.name)
        if known is not None and key.text:
            return holds(known(summary), needles)
        block = await self._header(row, summary)
        texts = [words.decode(value) for value in header.values(block, key.name)]
        return any(holds(text, needles) for text in texts)

    async def _content_matches(self, key: criteria.Content, needles: Forms, row: Message, summary: Summary) -> bool:
        if key.header_too:
            block = await self._header(row, summary)
            if any(holds(f"{each.name.decode('ascii')}: {each.text}", needles) for each in header.fields(block)):
                return True
        for part in summary.parts[1:]:
            end = min(part.end, part.body + MAX_TEXT)
            stretch = await self._read(row, part.start, part.body)
            moved = Part(part.path, 0, len(stretch), end - part.start)
            if content.type_of(stretch, moved).type != b"text":
                continue
            stretch += await self._read(row, part.body, end)
            text = await asyncio.to_thread(content.text_of, stretch, moved)
            if text is not None and holds(text, needles):
                return True
        return False

    async def _header(self, row: Message, summary: Summary) -> bytes:
        kept = summary.header_block()
        return await self._read(row, 0, summary.parts[0].inner) if kept is None else kept

    async def _read(self, row: Message, start: int, end: int) -> bytes:
        if start >= end:
            return b""
        return await self.session.services.store.messages.read(row.blob_id, start, end - start)


def wanted_forms(text: str) -> Forms:
    """The forms of a wanted text that count as found: as given, and with the domain in it as people write it."""
    folded = _folded(text)
    return (folded, _readable(folded)) if "xn--" in folded else (folded,)


def holds(text: str, forms: Forms) -> bool:
    """Whether a text holds one of the forms; a domain in A-labels is also looked at as people write it."""
    folded = _folded(text)
    if "xn--" in folded:
        folded = f"{folded}\n{_readable(folded)}"
    return any(form in folded for form in forms)


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text).casefold()


def _readable(text: str) -> str:
    return _ALABEL.sub(lambda found: domain.to_unicode(found[0]), text)


_SUMMARISED: Mapping[str, Callable[[Summary], str]] = {
    "from": lambda summary: summary.senders,
    "to": lambda summary: summary.to,
    "cc": lambda summary: summary.cc,
    "bcc": lambda summary: summary.bcc,
    "subject": lambda summary: summary.subject,
}


def _cost(key: Key) -> int:
    """How dear a key is to answer: nothing read, rows, summaries, bodies."""
    match key:
        case criteria.And(keys):
            return max(map(_cost, keys))
        case criteria.Or(one, other):
            return max(_cost(one), _cost(other))
        case criteria.Not(inner):
            return _cost(inner)
        case criteria.Content():
            return 3
        case criteria.Header():
            return 2
        case criteria.Day() | criteria.Size() | criteria.Age() | criteria.ModSeq() | criteria.EmailId():
            return 1
        case _:
            return 0


def _row_matches(key: Key, row: Message, now: int) -> bool:
    match key:
        case criteria.Day(kind, relation, day):
            at = dates.moment(row.internal_at if kind == "internal" else row.saved_at).astimezone(UTC)
            return _relation(relation, at.date(), day)
        case criteria.Size("larger", octets):
            return row.size > octets
        case criteria.Size("smaller", octets):
            return row.size < octets
        case criteria.Age("younger", seconds):
            return row.internal_at >= now - seconds * 1_000_000
        case criteria.Age("older", seconds):
            return row.internal_at <= now - seconds * 1_000_000
        case criteria.ModSeq(modseq):
            return row.modseq >= modseq
        case criteria.EmailId(email_id):
            return row.email_id == email_id
        case _:
            return False


def _sent(key: criteria.Day, summary: Summary) -> bool:
    """Compares the date as its sender wrote it (RFC 9051: disregarding time and zone)."""
    if summary.sent_at is None:
        return False
    written = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=summary.sent_at, minutes=summary.sent_zone)
    return _relation(key.relation, written.date(), key.day)


def _relation(relation: str, at: date, day: date) -> bool:
    return {"before": at < day, "on": at == day, "since": at >= day}[relation]


def _runs(positions: Positions) -> list[range]:
    runs: list[range] = []
    for at in positions:
        if runs and runs[-1].stop == at:
            runs[-1] = range(runs[-1].start, at + 1)
        else:
            runs.append(range(at, at + 1))
    return runs
