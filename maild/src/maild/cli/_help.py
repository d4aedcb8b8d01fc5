"""Help and wrong usage in the language of the reader, in paragraphs that fit the terminal.

argparse's own words are translated where it gives a hook for them, which are the names it has for its subclasses; a
Korean letter counts as two columns, so lines end where the terminal does. What there is to say stands in the groups.
"""

from __future__ import annotations

import argparse
import re
import sys
import unicodedata
from functools import partial
from typing import Any, NoReturn

from maild.cli import Exit
from maild.locale import Translator, translator

_USAGE_ERRORS = (
    (r"the following arguments are required: (?P<names>.+)", "the following arguments are required: {names}"),
    (r"unrecognized arguments: (?P<names>.+)", "unrecognized arguments: {names}"),
    (
        r"argument (?P<name>[^:]+): invalid choice: (?P<value>.+) \(choose from (?P<choices>.+)\)",
        "argument {name}: invalid choice: {value} (choose from {choices})",
    ),
    (r"argument (?P<name>[^:]+): invalid \w+ value: (?P<value>.+)", "argument {name}: {value} is not valid"),
    (r"argument (?P<name>[^:]+): expected (?:one|at least one) argument", "argument {name}: a value is missing"),
    (
        r"argument (?P<name>[^:]+): not allowed with argument (?P<other>.+)",
        "argument {name}: not allowed with argument {other}",
    ),
)


def columns(text: str) -> int:
    """The columns a text takes in a terminal."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def wrapped(text: str, width: int) -> list[str]:
    """The words of a text in lines of at most so many columns; a longer word has its own line."""
    lines: list[str] = []
    for word in text.split():
        if lines and columns(lines[-1]) + 1 + columns(word) <= width:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


class Formatter(argparse.HelpFormatter):
    """argparse's help, said by a translator."""

    def __init__(self, prog: str, say: Translator) -> None:
        super().__init__(prog)
        self._say = say

    def add_usage(self, usage: Any, actions: Any, groups: Any, prefix: str | None = None) -> None:
        """The usage, its first word translated."""
        super().add_usage(usage, actions, groups, self._say("usage: ") if prefix is None else prefix)

    def start_section(self, heading: str | None) -> None:
        """A section under its translated title."""
        super().start_section(heading and self._say(heading))

    def add_text(self, text: str | None) -> None:
        """A docstring: each of its paragraphs is a text of the catalogue."""
        for paragraph in text.strip().split("\n\n") if text else ():
            super().add_text(self._say(" ".join(paragraph.split())).replace("``", "`"))

    def _get_help_string(self, action: argparse.Action) -> str | None:
        return action.help and self._say(action.help)

    def _split_lines(self, text: str, width: int) -> list[str]:
        return wrapped(text, width)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n".join(indent + line for line in wrapped(text, width - len(indent)))


class Parser(argparse.ArgumentParser):
    """An argument parser that speaks the reader's language, its subparsers too, and leaves with EX_USAGE."""

    def __init__(self, *arguments: Any, say: Translator | None = None, **options: Any) -> None:
        self._say = say or translator("en")
        super().__init__(*arguments, **{"formatter_class": partial(Formatter, say=self._say), **options})

    def add_subparsers(self, **options: Any) -> Any:
        """See argparse; the parsers of commands speak as this one does."""
        return super().add_subparsers(**{"parser_class": partial(Parser, say=self._say), **options})

    def error(self, message: str) -> NoReturn:
        """Prints the usage and the message."""
        self.print_usage(sys.stderr)
        self.exit(Exit.USAGE, f"{self.prog}: {_said(message, self._say)}\n")


def _said(message: str, say: Translator) -> str:
    """A complaint of argparse's; one that is not known stays as it is."""
    for pattern, text in _USAGE_ERRORS:
        if found := re.fullmatch(pattern, message, re.DOTALL):
            return say(text, **found.groupdict())
    return message
