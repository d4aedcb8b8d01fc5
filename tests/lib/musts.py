"""The RFC tables: what a standard demands in its own words (``tests/data/rfc``), and the probes that show we do it.

A table has one row for each MUST, MUST NOT and SHALL of its RFC: either ``probe`` names what a test module does for it,
or ``why`` says whose demand it is. ``python -m tests.lib.musts FOLDER`` holds the words against the RFCs' plain texts
(``rfc7208.txt`` and so on; Debian's doc-rfc packages have them up to 2022) and lists demands without a row. It is run
by hand: the texts are not kept here.
"""

from __future__ import annotations

import re
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

DATA = Path(__file__).resolve().parent.parent / "data" / "rfc"
Probes = Mapping[str, tuple[Callable[[], object], object]]
"""What is done, and what must come out."""
_KEYWORD = re.compile(r"\b(?:MUST|SHALL)\b")
_HEADING = re.compile(r"((?:\d+|[A-Z])(?:\.\d+)*)\.\s+\S")
_PAGE = re.compile(r"\S.*\[Page \d+\]|RFC \d+ .*\d{4}|\f.*")
_END = re.compile(r"(?<=[.:;]) (?=[A-Z\"(*])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Must:
    """One demand."""

    rfc: int
    section: str
    words: str
    probe: str = ""
    why: str = ""

    def __str__(self) -> str:
        return f"{self.rfc}-{self.section}-{self.probe}"


def read(name: str) -> list[Must]:
    """The rows of one table."""
    return [Must(**row) for row in tomllib.loads((DATA / f"{name}.toml").read_text(encoding="utf-8"))["must"]]


def probed(table: Sequence[Must], probes: Probes) -> list[Must]:
    """The rows that these probes show."""
    return [row for row in table if row.probe in probes]


def flat(text: str) -> str:
    """Text on one line; words that a line's end has cut at a hyphen or a slash stand together again."""
    return re.sub(r"(?<=\w[-/]) (?=[A-Za-z0-9])", "", " ".join(text.split()))


def sections(text: str) -> dict[str, str]:
    """The text of each section of an RFC, flat."""
    lines = "\n".join(line for line in text.splitlines() if not _PAGE.fullmatch(line))
    number, found = "", dict[str, str]()
    for paragraph in re.split(r"\n\s*\n", re.sub(r"\n{3,}", "\n\n", lines)):
        heading = _HEADING.match(paragraph)
        if heading and ". . ." not in paragraph and "...." not in paragraph:
            number = heading[1]
        found[number] = flat(f"{found.get(number, '')} {paragraph}")
    return found


def faults(rows: Sequence[Must], text: str) -> Iterator[str]:
    """Rows whose words do not stand in their section, and demands of the text without a row."""
    found = sections(text)
    for row in rows:
        if flat(row.words) not in found.get(row.section, ""):
            yield f"RFC {row.rfc} section {row.section} does not say: {row.words}"
    for number, whole in found.items():
        mine = [flat(row.words) for row in rows if row.section == number]
        for sentence in _END.split(whole):
            if not _KEYWORD.search(sentence) or "to be interpreted as described" in sentence:
                continue
            if not any(words in sentence or sentence in words for words in mine):
                yield f"RFC {rows[0].rfc} section {number} has no row: {sentence.strip()}"


def main(folder: Path) -> int:
    """Prints the faults; 0 when there are none."""
    rows = [row for path in sorted(DATA.glob("*.toml")) for row in read(path.stem)]
    count, missing = 0, []
    for rfc in sorted({row.rfc for row in rows}):
        path = folder / f"rfc{rfc}.txt"
        if not path.is_file():
            missing.append(rfc)
            continue
        for fault in faults([row for row in rows if row.rfc == rfc], path.read_text("utf-8", "replace")):
            print(fault)
            count += 1
    print(f"{len(rows)} rows, {count} faults, no text of {missing}")
    return bool(count)


if __name__ == "__main__":
    raise SystemExit(main(Path(sys.argv[1])))
