"""The benchmark of acceptance beside Postfix, held to its targets; what misses one must be told in docs/speed.md.

Only the full size, on a machine that does nothing else, is judged. A row that misses its target is no failure when the
document has it in its list of missed targets, with the profile and what was tried; loop lag has no such way out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import smtp

ABOUT = "4 KB at 5x and 1.3x of Postfix, 100 KB at 1.5x, MySQL at 0.8 of its storage; loop lag; memory a session"

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "speed.md"
MISSED = "## Missed targets"
"""The document's heading over them: a table of ``| row | engine | ...`` lines."""
SERVERS = {"postfix", "sqlite", "mariadb", "mysql"}
MOST_LAG_MS = 20
OF_STORAGE = 0.8


@dataclass(frozen=True)
class Target:
    """One figure of the benchmark and what it should be at least."""

    row: str
    engine: str
    figure: str
    least: float
    got: float

    @property
    def met(self) -> bool:
        return self.got >= self.least


def run(size: str) -> dict[str, object]:
    """The figures, and at full size which targets they miss."""
    figures: dict[str, Any] = smtp.run(size)
    evidence: dict[str, object] = {"cases": len(smtp.ROWS), **figures}
    if size == "full":
        absent = {name: sorted(SERVERS - row.keys()) for name, row in figures["rows"].items() if SERVERS - row.keys()}
        assert not absent, f"not measured: {absent}"
        evidence["missed"] = judged(figures, DOCUMENT.read_text(encoding="utf-8"))
    return evidence


def judged(figures: dict[str, Any], document: str) -> list[str]:
    """The targets that are missed; raises ``AssertionError`` for one that the document does not tell of."""
    lag = figures["loop_lag"]["p99_ms"]
    assert lag <= MOST_LAG_MS, f"loop lag: p99 {lag} ms, at most {MOST_LAG_MS} wanted"
    missed = [target for target in _targets(figures["rows"]) if not target.met]
    _, _, told = document.partition(MISSED)
    told = told.partition("\n## ")[0]
    unaccounted = [target for target in missed if f"| {target.row} | {target.engine} |" not in told]
    assert not unaccounted, unaccounted
    return [f"{each.row}, {each.engine}: {each.figure} {each.got} of {each.least}" for each in missed]


def _targets(rows: dict[str, Any]) -> Iterator[Target]:
    for row in smtp.ROWS:
        for engine, found in rows[row.name].items():
            if engine == "postfix":
                continue
            figure = "of_storage" if engine == "mysql" and row.size > smtp.STORAGE_ABOVE else "ratio"
            yield Target(row.name, engine, figure, _least(row, figure), found[figure])


def _least(row: smtp.Row, figure: str) -> float:
    if figure == "of_storage":
        return OF_STORAGE
    if row.size > smtp.STORAGE_ABOVE:
        return 1.5
    return 5.0 if row.sessions > 1 else 1.3
