"""Texts for people in English and Korean: gettext catalogs, chosen by a translator that is passed in.

The English text is the key. Each package has its own ``ko/NAME.po``; they are read once and joined. A text without a
translation is shown in English, and a test sees that none is left without.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from importlib.resources import files

_ENTRY = re.compile(
    r'(?m)^msgid ((?:"[^\n]*"\n)+)(?:msgid_plural ((?:"[^\n]*"\n)+))?((?:msgstr(?:\[\d\])? (?:"[^\n]*"\n)+)+)'
)
_STRING = re.compile(r'(?m)^msgstr(?:\[\d\])? ((?:"[^\n]*"\n)+)')
_PIECE = re.compile(r'"((?:[^"\\\n]|\\.)*)"')
_ESCAPED = {r"\n": "\n", r"\t": "\t", r"\"": '"', r"\\": "\\"}


@dataclass(frozen=True, slots=True)
class Translator:
    """Turns an English text into the language of whoever reads it."""

    language: str = "en"
    catalog: Mapping[str, str] = field(default_factory=dict, repr=False)

    def __call__(self, text: str, /, **values: object) -> str:
        """The text in this language, ``{name}`` replaced by the value of that name."""
        shown = self.catalog.get(text, text)
        return shown.format_map(values) if values else shown

    def plural(self, one: str, many: str, count: int, **values: object) -> str:
        """The text for a number of things; ``{count}`` is that number."""
        key = one if count == 1 or self.language == "ko" else many
        return self(key, count=count, **values)


def translator(language: str) -> Translator:
    """The translator for a language; English for one that there is not."""
    return Translator("ko", _catalog()) if language == "ko" else Translator()


@lru_cache(maxsize=1)
def _catalog() -> Mapping[str, str]:
    joined: dict[str, str] = {}
    for file in sorted(files(__name__).joinpath("ko").iterdir(), key=lambda found: found.name):
        if file.name.endswith(".po"):
            joined |= read(file.read_text(encoding="utf-8"))
    return joined


def read(text: str) -> dict[str, str]:
    """The translations of a .po text; those marked fuzzy or left empty are no translations."""
    found: dict[str, str] = {}
    for block in re.split(r"\n\s*\n", text):
        entry = _ENTRY.search(block + "\n")
        if not entry or re.search(r"(?m)^#,.*\bfuzzy\b", block):
            continue
        translated = _STRING.search(entry[3])
        if translated and _joined(entry[1]) and _joined(translated[1]):
            found[_joined(entry[1])] = _joined(translated[1])
    return found


def _joined(strings: str) -> str:
    return "".join(
        re.sub(r"\\.", lambda match: _ESCAPED.get(match[0], match[0]), piece) for piece in _PIECE.findall(strings)
    )
