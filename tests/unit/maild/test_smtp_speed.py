"""How the speed of acceptance is judged: a missed target must be told of, and slowness of the loop is never excused."""

from __future__ import annotations

from typing import Any

import pytest

from bench import smtp
from tests.promises.smtp_speed import MISSED, judged

SLOW_ROW = smtp.ROWS[0].name
TOLD = f"# Speed\n\n{MISSED}\n\n| row | engine |\n| --- | --- |\n| {SLOW_ROW} | mysql | 2.4 of 5 |\n\n## More\n"


def figures(*, slow: float = 9.0, lag: float = 3.0) -> dict[str, Any]:
    rows = {
        row.name: {
            "postfix": {"rate": 100},
            "sqlite": {"ratio": 9.0, "of_storage": 0.5},
            "mysql": {"ratio": slow if row.name == SLOW_ROW else 9.0, "of_storage": 0.9},
        }
        for row in smtp.ROWS
    }
    return {"rows": rows, "loop_lag": {"p99_ms": lag}}


def test_what_meets_its_target_needs_no_word() -> None:
    assert judged(figures(), "") == []


def test_a_missed_target_that_the_document_tells_of_is_shown() -> None:
    assert judged(figures(slow=2.4), TOLD) == [f"{SLOW_ROW}, mysql: ratio 2.4 of 5.0"]


@pytest.mark.parametrize("document", ["", TOLD.replace("mysql", "mariadb"), f"| {SLOW_ROW} | mysql |\n{MISSED}\n"])
def test_a_missed_target_that_nobody_told_of_is_a_failure(document: str) -> None:
    with pytest.raises(AssertionError, match="mysql"):
        judged(figures(slow=2.4), document)


def test_loop_lag_has_no_excuse() -> None:
    with pytest.raises(AssertionError, match="loop lag"):
        judged(figures(lag=21), TOLD)
