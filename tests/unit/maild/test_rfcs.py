"""The page of RFCs names every one that the source cites, and every word that the servers announce."""

from __future__ import annotations

import inspect
import re

from maild.imap import capabilities
from maild.pop3 import commands
from maild.smtp.dialogue import Dialogue
from tests.lib.programs import ROOT

CITED = re.compile(r"RFC (\d{3,5})")
QUOTED = re.compile(r'"([^"]*)"')
FILLED = re.compile(r"=?(?:\{.*?\}|%[bd])")
WORD = re.compile(r"[A-Z0-9]{2}[\w+=-]*")
ANNOUNCE = {
    "EHLO": inspect.getsource(Dialogue._extensions),
    "CAPABILITY": inspect.getsource(capabilities).partition("def greeting")[0],
    "CAPA": inspect.getsource(commands._capa),
}
NO_EXTENSIONS = {"CAPABILITY", "MAILMAX", "RCPTMAX", "NEVER"}
"""Parameters, and the name of the command."""


def page() -> str:
    return (ROOT / "docs" / "rfcs.md").read_text(encoding="utf-8")


def rows() -> list[tuple[list[str], list[str]]]:
    """Numbers and cells of each row of the tables."""
    found = [[cell.strip() for cell in line.strip("|").split("|")] for line in page().splitlines() if line[:1] == "|"]
    return [(re.findall(r"\d{3,5}", cells[0]), cells) for cells in found if cells[0][:1].isdigit()]


def test_every_cited_rfc_stands_on_the_page() -> None:
    named = set(re.findall(r"\b\d{3,5}\b", page()))
    cited = {
        number
        for path in (ROOT / "maild" / "src").rglob("*.py")
        for number in CITED.findall(path.read_text(encoding="utf-8"))
    }
    assert cited <= named, sorted(cited - named)


def test_every_word_announced_stands_on_the_page_as_done() -> None:
    done = set()
    for _, cells in rows():
        if cells[2]:
            done |= {word for cell in (cells[1], cells[3]) for word in re.findall(r"`([^`]+)`", cell)}
    done |= {word.split()[0] for word in done}
    for name, source in ANNOUNCE.items():
        texts = [FILLED.sub("", text) for text in QUOTED.findall(source)]
        announced = {word for text in texts for word in text.split() if WORD.fullmatch(word)} - NO_EXTENSIONS
        assert len(announced) > 8, name
        assert announced <= done, (name, sorted(announced - done))


def test_an_rfc_has_one_row_and_one_that_is_not_done_no_package() -> None:
    numbers = [number for found, _ in rows() for number in found]
    assert len(numbers) == len(set(numbers)), sorted(number for number in numbers if numbers.count(number) > 1)
    for found, cells in rows():
        assert bool(cells[2]) != cells[3].startswith("no"), found
