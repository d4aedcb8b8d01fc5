"""One line of an explanation: topic, verdict, reason, and what to do. English texts are keys for translation."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from maild.dns.records import Expected
from maild.dns.wording import entry
from maild.locale import Translator


class Level(StrEnum):
    """How a line stands."""

    GOOD = "good"
    NOTE = "note"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class Words:
    """A text within a text, translated with it."""

    text: str
    values: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line; ``records`` are the exact records to enter."""

    topic: str
    level: Level
    text: str
    values: Mapping[str, object] = field(default_factory=dict)
    remedy: str = ""
    records: tuple[Expected, ...] = ()

    def shown(self, say: Translator) -> str:
        """The line for a terminal, its remedy indented below."""
        marks = {Level.GOOD: "[ OK ]", Level.NOTE: "[NOTE]", Level.BAD: "[FAIL]"}
        lines = [f"{say(marks[self.level])} {say(self.topic)}: {self._said(self.text, say)}"]
        if self.remedy:
            lines.append(f"       -> {self._said(self.remedy, say)}")
        lines += [f"          {text}" for record in self.records for text in entry(record, say)]
        return "\n".join(lines)

    def plain(self, say: Translator) -> dict[str, object]:
        """The line as data, texts translated."""
        return {
            "topic": self.topic,
            "level": self.level,
            "text": self._said(self.text, say),
            "remedy": self._said(self.remedy, say) if self.remedy else "",
            "records": [
                {"type": record.rdtype, "host": record.owner, "value": record.value} for record in self.records
            ],
        }

    def _said(self, text: str, say: Translator) -> str:
        values = {
            name: say(value.text, **value.values) if isinstance(value, Words) else value
            for name, value in self.values.items()
        }
        return say(text, **values)
