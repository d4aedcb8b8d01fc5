"""The page of RFCs names every one that the source cites."""

from __future__ import annotations

import re

from tests.lib.programs import ROOT

CITED = re.compile(r"RFC (\d{3,5})")


def test_every_cited_rfc_stands_on_the_page() -> None:
    page = set(re.findall(r"\b\d{3,5}\b", (ROOT / "docs" / "rfcs.md").read_text(encoding="utf-8")))
    cited = {
        number
        for path in (ROOT / "maild" / "src").rglob("*.py")
        for number in CITED.findall(path.read_text(encoding="utf-8"))
    }
    assert cited <= page, sorted(cited - page)
