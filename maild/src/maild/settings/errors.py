"""What is wrong with a settings file, in one sentence and in the language of whoever reads it.

The sentence is kept apart from the names and values in it, so that it can be said in another language than English.
msgspec's own sentences are taken apart here for the same end; one that is not known stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable


class SettingsError(Exception):
    """The settings cannot be used; the text says why, for the administrator, its ``{name}`` taken from ``values``."""

    def __init__(self, text: str, /, **values: object) -> None:
        self.text = text
        self.values = values
        super().__init__(text.format_map(values))

    def said(self, say: Callable[..., str]) -> str:
        """The sentence as a translator says it."""
        values = {
            name: value.said(say) if isinstance(value, SettingsError) else value for name, value in self.values.items()
        }
        return say(self.text, **values)


_PROBLEMS = tuple(
    (re.compile(pattern), text)
    for pattern, text in (
        (r"Object missing required field `(?P<name>.+)`", "the key `{name}` is missing"),
        (r"Expected `(?P<wanted>\w+)`, got `(?P<given>\w+)`", "expected `{wanted}`, got `{given}`"),
        (r"Expected `\w+` (?P<bound>[<>]=? \S+)", "the value must be {bound}"),
        (r"Expected `\w+` of length (?P<bound>[<>]=? \d+)", "the length must be {bound}"),
        (r"Expected `str` matching regex (?P<pattern>.+)", "the value does not match {pattern}"),
        (r"a text is wanted, not (?P<value>.+)", "a text is wanted, not {value}"),
        (r"Invalid enum value (?P<given>.+)", "{given} is none of the values of this key"),
    )
)


def of_msgspec(sentence: str) -> SettingsError:
    """What msgspec says of a value, such as ``Expected `int`, got `str` - at `$.limits.message_bytes```."""
    what, _, place = sentence.partition(" - at `$")
    for pattern, text in _PROBLEMS:
        if found := pattern.fullmatch(what):
            problem = SettingsError(text, **found.groupdict())
            break
    else:
        problem = SettingsError("{problem}", problem=what)
    if not place:
        return problem
    return SettingsError("`{key}`: {problem}", key=place.strip("`").removeprefix("."), problem=problem)
