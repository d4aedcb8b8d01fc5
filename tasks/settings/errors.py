"""The one family of errors that settings raise: where, what, and what to do, in the language of whoever reads it."""

from __future__ import annotations

import re
from collections.abc import Mapping

from tasks.translation import Translate, advice, marked

# msgspec speaks of JSON; these are its sentences, and the words of a Python file for what it names.
_WORDS = {"object": "{...}", "array": "[...]", "null": "None"}
_PROBLEMS = (
    (re.compile(r"Expected `(?P<wanted>[^`]+)`, got `(?P<given>[^`]+)`"), marked("expected `{wanted}`, got `{given}`")),
    (re.compile(r"Object missing required field `(?P<name>[^`]+)`"), marked("the field `{name}` is missing")),
    (re.compile(r"Expected `\w+` (?P<bound>[<>]=? \S+)"), marked("the value must be {bound}")),
    (re.compile(r"Invalid enum value (?P<given>.+)"), marked("invalid enum value {given}")),
)


class SettingsError(ValueError):
    """A setting that cannot be used. ``key`` is written as a reader finds it in ``group_data``.

    ``what`` and ``todo`` are messages of the catalogues, and ``values`` what is put into both.
    """

    def __init__(self, key: str, what: str, todo: str = "", **values: object) -> None:
        self.key = key
        self.what = what
        self.todo = todo
        self.values = values
        super().__init__(self.said(str))

    def said(self, _: Translate) -> str:
        """The error as a sentence."""
        sentence = advice(_, self.what, self.todo) if self.todo else _(self.what)
        return f"{self.key}: {sentence.format_map(self.values)}"


def of_msgspec(sentence: str) -> tuple[str, Mapping[str, str]]:
    """What msgspec says of a value, as a message and what is put into it."""
    for pattern, message in _PROBLEMS:
        if found := pattern.fullmatch(sentence):
            return message, {name: _in_python(value) for name, value in found.groupdict().items()}
    return "{problem}", {"problem": sentence[:1].lower() + sentence[1:]}


def _in_python(kind: str) -> str:
    return " | ".join(_WORDS.get(word, word) for word in kind.split(" | "))
