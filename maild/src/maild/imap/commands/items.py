"""Writes the items of FETCH answers: rows, structures and octets of one batch of messages.

The line of a message is held until it is whole, so a read that fails is a tagged NO and nothing else. Only what is too
large to hold is sent before its end is known; when it cannot be read any more the connection ends, for there is no way
to say so inside a line.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import reduce
from operator import or_

from maild.imap import sections, summaries
from maild.imap.attributes import Attribute, Section
from maild.imap.errors import Refused
from maild.imap.selected import Positions, Selected
from maild.imap.session import Session
from maild.mail import content, dates, header
from maild.mail.summary import Summary
from maild.mail.syntax import quote
from maild.store import errors as store_errors
from maild.store.records.mail import Message

AT_ONCE = 1 << 20
"""Octets of a section that are read before its length is sent; a longer one goes out piece by piece."""
MAX_DECODED = 64 << 20
"""Octets of a part that BINARY decodes in memory."""
MAX_HELD = 4 << 20
"""Octets of a line that are held before it is sent in pieces."""
_FROM_SUMMARY = frozenset({b"ENVELOPE", b"BODY", b"BODYSTRUCTURE", b"PREVIEW", b"BINARY", b"BINARY.SIZE"})


@dataclass(slots=True)
class Items:
    """What is asked of one batch. ``marked`` are UIDs whose flags this command has changed."""

    session: Session
    selected: Selected
    wanted: list[Attribute]
    marked: frozenset[int]
    _labels: list[bytes] = field(default_factory=list)
    _flags: dict[int, bytes] = field(default_factory=dict)
    """The names of flags that have been written already."""
    _pieces: list[bytes] = field(default_factory=list)
    _held: int = 0
    _begun: bool = False
    """Whether a part of the present line has been sent."""

    async def write(self, batch: Positions) -> bool:
        """Writes the batch; whether some message was gone."""
        store = self.session.services.store.messages
        uids = [self.selected.uids[at] for at in batch]
        rows = {message.uid: message for message in await store.get(self.selected.mailbox.id, uids)}
        await self.session.know_keywords(reduce(or_, (self.selected.flags[at] for at in batch), 0))
        self._labels = [each.label for each in self.wanted]
        found: Mapping[bytes, Summary] = {}
        if any(self._needs_summary(each) for each in self.wanted):
            found = await summaries.of(self.session.services.store, list(rows.values()))
        for at, uid in zip(batch, uids, strict=True):
            message = rows.get(uid)
            if message is not None:
                await self._line(at, message, found.get(message.blob_id))
        return len(rows) < len(uids)

    def _needs_summary(self, attribute: Attribute) -> bool:
        if attribute.name in {b"BODY", b"RFC822"} and attribute.section == Section():
            return False
        return attribute.name in _FROM_SUMMARY or attribute.section is not None

    async def _line(self, at: int, message: Message, summary: Summary | None) -> None:
        self._pieces, self._held, self._begun = [], 0, False
        try:
            await self._message(at, message, summary)
        except (Refused, store_errors.StoreError):
            if self._begun:
                self.session.stream.connection.abort()
            raise
        self.session.send(b"".join(self._pieces))

    async def _put(self, *pieces: bytes) -> None:
        """Adds to the line."""
        self._pieces += pieces
        self._held += sum(map(len, pieces))
        if self._held > MAX_HELD:
            await self._send_held()

    async def _send_held(self) -> None:
        self._begun = True
        self.session.send(*self._pieces)
        self._pieces, self._held = [], 0
        await self.session.drain()

    async def _message(self, at: int, message: Message, summary: Summary | None) -> None:
        flags = self.selected.flags[at]
        self._pieces.append(b"* %d FETCH (" % (at + 1))
        for number, attribute in enumerate(self.wanted):
            value = self._known(attribute, message, flags, summary)
            if value is not None:
                self._pieces.append(b"%b%b %b" % (b" " if number else b"", self._labels[number], value))
                continue
            if number:
                self._pieces.append(b" ")
            await self._to_read(attribute, message, summary)
        if message.uid in self.marked:
            self._pieces.append(self._changed(message, flags))
        self._pieces.append(b")\r\n")

    def _changed(self, message: Message, flags: int) -> bytes:
        r"""What \Seen has changed, where it is not told anyway."""
        names = {each.name for each in self.wanted}
        told = b"" if b"FLAGS" in names else b" FLAGS %b" % self._flag_names(flags)
        if b"CONDSTORE" in self.session.enabled and b"MODSEQ" not in names:
            told += b" MODSEQ (%d)" % message.modseq
        return told

    def _known(self, attribute: Attribute, message: Message, flags: int, summary: Summary | None) -> bytes | None:
        """The value of an item for which nothing has to be read any more, None for the others."""
        if attribute.section is not None:
            return self._kept(attribute, summary) if summary is not None else None
        row = _ROW.get(attribute.name)
        if row is not None:
            return row(message)
        if attribute.name == b"FLAGS":
            return self._flag_names(flags)
        return _SUMMARY[attribute.name](summary) if summary is not None else b"NIL"

    def _flag_names(self, flags: int) -> bytes:
        if flags not in self._flags:
            self._flags[flags] = b"(%b)" % self.session.flag_names(flags)
        return self._flags[flags]

    def _kept(self, attribute: Attribute, summary: Summary) -> bytes | None:
        """A section that lies in the header which is kept with the summary."""
        section = attribute.section
        if section is None or section.part or not section.text.startswith(b"HEADER"):
            return None
        block = summary.header_block()
        if block is None:
            return None
        text = sections.chosen(block, section) if section.names else block
        start, end = sections.part_of((0, len(text)), attribute.partial)
        return b"{%d}\r\n%b" % (end - start, _without_nul(text[start:end]))

    async def _to_read(self, attribute: Attribute, message: Message, summary: Summary | None) -> None:
        if attribute.name == b"BINARY.SIZE" and summary is not None:
            decoded = await self._decoded(attribute, message, summary)
            await self._put(b"%b %d" % (attribute.label, len(decoded)))
        else:
            await self._section(attribute, message, summary)

    async def _section(self, attribute: Attribute, message: Message, summary: Summary | None) -> None:
        section = attribute.section or Section()
        if attribute.name == b"BINARY" and summary is not None and section.part:
            decoded = await self._decoded(attribute, message, summary)
            start, end = sections.part_of((0, len(decoded)), attribute.partial)
            await self._literal(attribute.label, decoded[start:end], binary=True)
            return
        stretch = (0, message.size) if section == Section() else summary and sections.locate(summary, section)
        if not stretch:
            await self._put(b"%b NIL" % attribute.label)
        elif section.names:
            block = await self._read(message, stretch)
            text = sections.chosen(block, section)
            start, end = sections.part_of((0, len(text)), attribute.partial)
            await self._literal(attribute.label, text[start:end])
        else:
            await self._stretch(attribute.label, message, sections.part_of(stretch, attribute.partial))

    async def _stretch(self, label: bytes, message: Message, stretch: sections.Stretch) -> None:
        size = stretch[1] - stretch[0]
        if size <= AT_ONCE:
            await self._literal(label, await self._read(message, stretch))
            return
        await self._put(b"%b {%d}\r\n" % (label, size))
        await self._send_held()
        async for piece in self.session.services.store.messages.chunks(message.blob_id, stretch[0], size):
            self.session.send(_without_nul(piece))
            await self.session.drain()

    async def _literal(self, label: bytes, data: bytes, *, binary: bool = False) -> None:
        if binary and b"\0" in data:
            await self._put(b"%b ~{%d}\r\n" % (label, len(data)), data)
        else:
            await self._put(b"%b {%d}\r\n" % (label, len(data)), _without_nul(data))

    async def _decoded(self, attribute: Attribute, message: Message, summary: Summary) -> bytes:
        """The octets of a part, its transfer encoding undone (RFC 3516)."""
        section = attribute.section or Section()
        part = summary.part(section.part)
        if part is None or part.end - part.body > MAX_DECODED:
            raise Refused("There is no such part to decode", b"UNKNOWN-CTE")
        if not section.part:
            return await self._read(message, (part.body, part.end))
        block = await self._read(message, (part.start, part.body))
        values = header.values(block, "Content-Transfer-Encoding")
        encoding = values[0].decode("ascii", "replace") if values else ""
        data = await self._read(message, (part.body, part.end))
        decoded = await asyncio.to_thread(content.transfer_decoded, data, encoding)
        if decoded is None:
            raise Refused("The transfer encoding of the part is not known", b"UNKNOWN-CTE")
        return decoded

    async def _read(self, message: Message, stretch: sections.Stretch) -> bytes:
        messages = self.session.services.store.messages
        start, size = stretch[0], stretch[1] - stretch[0]
        if not size:
            return b""
        if size <= AT_ONCE:
            return await messages.read(message.blob_id, start, size)
        return b"".join([piece async for piece in messages.chunks(message.blob_id, start, size)])


def _without_nul(data: bytes) -> bytes:
    """NUL, which a literal may not hold, becomes an octet that is no text in any charset."""
    return data.replace(b"\0", b"\x80") if b"\0" in data else data


def _time(microseconds: int) -> bytes:
    return b'"%b"' % dates.write_internal(dates.moment(microseconds)).encode("ascii")


_ROW: Mapping[bytes, Callable[[Message], bytes]] = {
    b"UID": lambda message: b"%d" % message.uid,
    b"RFC822.SIZE": lambda message: b"%d" % message.size,
    b"MODSEQ": lambda message: b"(%d)" % message.modseq,
    b"EMAILID": lambda message: b"(%b)" % message.email_id.encode(),
    b"THREADID": lambda _: b"NIL",
    b"INTERNALDATE": lambda message: _time(message.internal_at),
    b"SAVEDATE": lambda message: _time(message.saved_at),
}
_SUMMARY: Mapping[bytes, Callable[[Summary], bytes]] = {
    b"ENVELOPE": lambda summary: summary.envelope,
    b"BODY": lambda summary: summary.body,
    b"BODYSTRUCTURE": lambda summary: summary.bodystructure,
    b"PREVIEW": lambda summary: quote(summary.preview.encode()),
}
