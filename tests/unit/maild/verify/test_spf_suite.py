"""The RFC 7208 test suite of openspf.org (2014.04), every case: result, and explanation where one is given."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from maild.dns import MX, Answer, NoData, NoName, Record, Timeout
from maild.verify.spf import check_sender

SUITE = Path(__file__).parents[3] / "data" / "spf" / "rfc7208-tests.yml"


class SuiteZone:
    """The suite's zone data: SPF entries stand for TXT ones unless those are given; TIMEOUT is a fault."""

    def __init__(self, data: dict[str, list[Any]]) -> None:
        self.names = {name.lower(): list(_records(entries)) for name, entries in data.items()}

    async def query(self, name: str, rdtype: str) -> Answer:
        for _ in range(8):
            entries = self.names.get(name.lower().removesuffix("."))
            if entries is None:
                raise NoName(name, rdtype)
            found = tuple(value for kind, value in entries if kind == rdtype)
            if found:
                return Answer(found)
            if any(kind == "TIMEOUT" and value in ("", rdtype) for kind, value in entries):
                raise Timeout(name, rdtype)
            alias = next((str(value) for kind, value in entries if kind == "CNAME"), None)
            if alias is None:
                raise NoData(name, rdtype)
            name = alias
        raise Timeout(name, rdtype)


def _records(entries: list[Any]) -> Iterator[tuple[str, Record]]:
    has_txt = any(isinstance(entry, dict) and "TXT" in entry for entry in entries)
    for entry in entries:
        if not isinstance(entry, dict):
            yield "TIMEOUT", ""
            continue
        for kind, value in entry.items():
            if value == "TIMEOUT":
                yield "TIMEOUT", kind
            elif kind == "MX":
                yield kind, MX(value[0], value[1] or ".")
            elif kind == "TXT" or (kind == "SPF" and not has_txt):
                if value != "NONE":
                    text = value if isinstance(value, str) else "".join(value)
                    yield "TXT", text.encode("utf-8" if kind == "TXT" else "latin-1", "surrogateescape")
            else:
                yield kind, str(value)


def cases() -> Iterator[Any]:
    for scenario in yaml.safe_load_all(SUITE.read_text(encoding="utf-8")):
        for name, case in scenario["tests"].items():
            yield pytest.param(scenario["zonedata"], case, scenario.get("explanation"), id=name)


@pytest.mark.parametrize(("zone", "case", "default"), list(cases()))
def test_case(zone: dict[str, list[Any]], case: dict[str, Any], default: str | None) -> None:
    assert default is None or isinstance(default, str)
    outcome = asyncio.run(check_sender(SuiteZone(zone), case["host"], case["mailfrom"], case["helo"]))
    wanted = case["result"] if isinstance(case["result"], list) else [case["result"]]
    assert outcome.result in wanted, outcome
    explanation = case.get("explanation")
    if explanation and explanation != "DEFAULT":
        assert outcome.explanation == explanation
    elif explanation == "DEFAULT":
        assert outcome.explanation == ""
