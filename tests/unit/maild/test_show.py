"""What the line of every promise holds."""

from __future__ import annotations

from tests.show import complete


def test_a_line_names_engine_cases_and_seed_whatever_the_promise_has_of_them() -> None:
    assert complete({"cases": 3}) == {"engine": None, "cases": 3, "seed": None}
    assert complete({"engine": "mysql", "seed": 7}) == {"engine": "mysql", "cases": None, "seed": 7}


def test_several_engines_are_named_together() -> None:
    assert complete({"engines": {"sqlite": {}, "mariadb": {}}})["engine"] == "sqlite, mariadb"
