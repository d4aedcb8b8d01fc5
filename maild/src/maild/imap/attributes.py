"""What a FETCH asks for (RFC 9051 section 6.4.5, RFC 3516, RFC 7162, RFC 8474, RFC 8514, RFC 8970)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from maild.imap.errors import BadCommand
from maild.imap.parser import Parser

_SIMPLE = frozenset(
    {
        b"UID", b"FLAGS", b"INTERNALDATE", b"ENVELOPE", b"BODYSTRUCTURE", b"MODSEQ", b"EMAILID", b"THREADID",
        b"SAVEDATE", b"RFC822.SIZE",
    }
)  # fmt: skip
_MACROS = {
    b"ALL": (b"FLAGS", b"INTERNALDATE", b"RFC822.SIZE", b"ENVELOPE"),
    b"FAST": (b"FLAGS", b"INTERNALDATE", b"RFC822.SIZE"),
    b"FULL": (b"FLAGS", b"INTERNALDATE", b"RFC822.SIZE", b"ENVELOPE", b"BODY"),
}
_NAME = re.compile(rb"[A-Za-z0-9.]+")
_PART = re.compile(rb"(?:[1-9][0-9]{0,9}\.)*[1-9][0-9]{0,9}(?![0-9])")
_PARTIAL = re.compile(rb"<([0-9]{1,19})\.([0-9]{1,19})>")
_TEXTS = (b"HEADER.FIELDS.NOT", b"HEADER.FIELDS", b"HEADER", b"TEXT", b"MIME")


@dataclass(frozen=True, slots=True)
class Section:
    """What stands in the brackets: a part (empty: the message), a text of it, header names."""

    part: str = ""
    text: bytes = b""
    names: tuple[bytes, ...] = ()

    def written(self) -> bytes:
        """The section as responses repeat it."""
        path = self.part.encode()
        name = self.text + (b" (%b)" % b" ".join(map(_astring, self.names)) if self.names else b"")
        return b"%b.%b" % (path, name) if path and name else path or name


@dataclass(frozen=True, slots=True)
class Attribute:
    """One item. ``section`` is there for BODY[...] and BINARY[...]; ``partial`` is offset and length."""

    name: bytes
    section: Section | None = None
    partial: tuple[int, int] | None = None
    seen: bool = False
    r"""Whether fetching it sets \Seen."""

    @property
    def label(self) -> bytes:
        """The item as responses name it."""
        if self.section is None or self.name.startswith(b"RFC822"):
            return self.name
        origin = b"<%d>" % self.partial[0] if self.partial and self.name != b"BINARY.SIZE" else b""
        return b"%b[%b]%b" % (self.name, self.section.written(), origin)


def parse(parser: Parser) -> list[Attribute]:
    """Reads a macro, one item, or a list of items."""
    if parser.looking_at(b"("):
        # One asked for twice is answered once: a line must not grow by repetition.
        return list(dict.fromkeys(parser.in_parentheses(lambda: _attribute(parser))))
    for macro, names in _MACROS.items():
        if parser.take(macro):
            return [Attribute(name) for name in names]
    return [_attribute(parser)]


def _attribute(parser: Parser) -> Attribute:
    name = parser.match(_NAME, "A FETCH item")[0].upper()
    if name in _SIMPLE:
        return Attribute(name)
    if name == b"PREVIEW":
        _pass_lazy(parser)
        return Attribute(name)
    if name in _RFC822:
        return _RFC822[name]
    if name in {b"BODY", b"BODY.PEEK"}:
        if parser.looking_at(b"["):
            section = _section(parser)
            return Attribute(b"BODY", section, _partial(parser), seen=name == b"BODY")
        if name == b"BODY":
            return Attribute(name)
    if name in {b"BINARY", b"BINARY.PEEK", b"BINARY.SIZE"}:
        section = _binary_section(parser)
        if name == b"BINARY.SIZE":
            return Attribute(name, section)
        return Attribute(b"BINARY", section, _partial(parser), seen=name == b"BINARY")
    raise BadCommand(f"There is no FETCH item {name.decode()}")


_RFC822 = {
    b"RFC822": Attribute(b"RFC822", Section(), seen=True),
    b"RFC822.HEADER": Attribute(b"RFC822.HEADER", Section(text=b"HEADER")),
    b"RFC822.TEXT": Attribute(b"RFC822.TEXT", Section(text=b"TEXT"), seen=True),
}


def _pass_lazy(parser: Parser) -> None:
    """Reads PREVIEW's ``(LAZY)``, which leaves a preview to the server's liking (RFC 8970 section 3.1)."""
    if parser.take(b" ("):
        parser.need(b"LAZY")
        parser.need(b")")


def _section(parser: Parser) -> Section:
    parser.need(b"[")
    part = ""
    text = b""
    names: tuple[bytes, ...] = ()
    if not parser.looking_at(b"]"):
        part = _path(parser)
        if not part or parser.take(b"."):
            text = next((word for word in _TEXTS if parser.take(word)), b"")
            if not text or (text == b"MIME" and not part):
                raise parser.fail("A section")
        if text.startswith(b"HEADER.FIELDS"):
            parser.space()
            names = tuple(parser.in_parentheses(parser.astring))
    parser.need(b"]")
    return Section(part, text, names)


def _binary_section(parser: Parser) -> Section:
    parser.need(b"[")
    part = "" if parser.looking_at(b"]") else _path(parser)
    if not part and not parser.looking_at(b"]"):
        raise parser.fail("A part number")
    parser.need(b"]")
    return Section(part)


def _path(parser: Parser) -> str:
    if not parser.looking_at_digit:
        return ""
    return parser.match(_PART, "A part number")[0].decode("ascii")


def _partial(parser: Parser) -> tuple[int, int] | None:
    if not parser.looking_at(b"<"):
        return None
    found = parser.match(_PARTIAL, "A range of octets")
    length = int(found[2])
    if not length:
        raise BadCommand("The length of a range of octets is not 0")
    return int(found[1]), length


def _astring(name: bytes) -> bytes:
    if re.fullmatch(rb"[!#$&'+,./0-9:;<=>?@A-Z^_`a-z|}~-]+", name):
        return name
    if name.isascii() and b"\r" not in name and b"\n" not in name:
        return b'"%b"' % name.replace(b"\\", b"\\\\").replace(b'"', b'\\"')
    return b"{%d}\r\n%b" % (len(name), name)
