"""Character sets as mail names them, decoded as senders mean them: Korean labels stand for CP949, their superset.

``decode`` never raises; ``known`` tells a server whether it can search in a charset. Codecs that are no character set
of mail (escapes, IDNA, compression) are not reachable by a label in a message.
"""

from __future__ import annotations

import codecs
import re

_LABEL = re.compile(r"[A-Za-z0-9_:+.-]{1,40}")
_KOREAN = ("euckr", "cp949", "ms949", "uhc", "ksc56011987", "ksc5601", "ksx1001", "xwindows949", "windows949", "korean")
_MEANT = dict.fromkeys(_KOREAN, "cp949") | {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "iso88591": "cp1252",  # what browsers and every mail client take it for
    "usascii": "utf-8",
    "ascii": "utf-8",
    "unknown8bit": "utf-8",
    "8bit": "utf-8",
    "utf8": "utf-8",
}
_NOT_MAIL = frozenset({"idna", "punycode", "unicode-escape", "raw-unicode-escape", "undefined", "mbcs", "oem"})


def known(label: str) -> bool:
    """Whether text in this charset can be decoded."""
    return codec(label) is not None


def codec(label: str) -> str | None:
    """The Python codec for a label, None when there is none."""
    if not _LABEL.fullmatch(label):
        return None
    meant = _MEANT.get(re.sub(r"[^a-z0-9]", "", label.lower()), label)
    try:
        found = codecs.lookup(meant)
        "".encode(found.name)
    except (LookupError, UnicodeError):
        return None
    return None if found.name in _NOT_MAIL else found.name


def decode(data: bytes, label: str | None = None) -> str:
    """The text of bytes said to be in a charset; what does not decode as said is taken for what it looks like."""
    name = codec(label) if label else None
    for candidate in filter(None, (name, "utf-8", "cp949")):
        try:
            return data.decode(candidate)
        except UnicodeError:
            continue
    return data.decode(name or "utf-8", "replace")
