"""Findings in words: every state and problem has a text, and every text is there in Korean."""

from __future__ import annotations

from itertools import product

import pytest

from maild.dns import wording
from maild.dns.check import Finding, Problem, State
from maild.dns.records import Expected, Purpose
from maild.locale import translator
from maild.verify.spf.lint import Fault, Note
from maild.verify.spf.record import Result
from maild.verify.spf.wording import note_text

ROWS = [
    Expected(
        purpose=Purpose.MX, domain="a.example", rdtype="MX", owner="a.example", value="smtp.a.example", preference=10
    ),
    Expected(purpose=Purpose.DKIM, domain="a.example", rdtype="TXT", owner="s._domainkey.a.example", value="p" * 400),
    Expected(
        purpose=Purpose.PTR, domain="a.example", rdtype="PTR", owner="1.2.0.192.in-addr.arpa", value="smtp.a.example"
    ),
]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.rdtype)
def test_whatever_is_found_reads_in_both_languages(row: Expected) -> None:
    for state, problem in product(State, Problem):
        finding = Finding(expected=row, state=state, problem=problem, found=("x",), servers=("192.0.2.53",))
        texts = {language: wording.problem(finding, translator(language)) for language in ("en", "ko")}
        assert bool(texts["en"]) is (not finding.fine or problem is Problem.NOT_AUTHORITATIVE)
        if texts["en"]:
            assert texts["ko"] != texts["en"]
        assert wording.state(finding, translator("ko")) != wording.state(finding, translator("en"))


def test_without_the_name_servers_it_says_what_the_resolver_knows() -> None:
    say = translator("en")
    old = Finding(expected=ROWS[0], state=State.DIFFERENT, problem=Problem.NOT_AUTHORITATIVE, found=("mx.old.example",))
    assert "the resolver knows mx.old.example. Enter the value below." in wording.problem(old, say)
    none = Finding(expected=ROWS[0], state=State.MISSING, problem=Problem.NOT_AUTHORITATIVE)
    assert "the resolver knows no such record." in wording.problem(none, say)


def test_the_reverse_name_is_asked_for_in_both_of_its_forms() -> None:
    row = Expected(
        purpose=Purpose.PTR,
        domain="xn--9t4b11yi5a.net",
        rdtype="PTR",
        owner="1.2.0.192.in-addr.arpa",
        value="smtp.xn--9t4b11yi5a.net",
    )
    said = wording.problem(Finding(expected=row, state=State.MISSING), translator("ko"))
    assert "smtp.테스트.net (smtp.xn--9t4b11yi5a.net)입니다" in said


def test_the_headings_are_the_ones_a_korean_administrator_knows() -> None:
    assert wording.headings(translator("ko")) == ("타입", "호스트", "값", "우선순위", "상태")


def test_a_long_value_is_entered_on_one_line_or_in_strings() -> None:
    one, other = wording.entry(ROWS[1], translator("ko"))
    assert one == "TXT | s._domainkey.a.example | " + "p" * 400
    assert '"' + "p" * 255 + '" "' + "p" * 145 + '"' in other


@pytest.mark.parametrize("fault", list(Fault))
def test_every_note_of_the_linter_reads_in_both_languages(fault: Fault) -> None:
    note = Note(fault, "TERM", Result.FAIL)
    assert note_text(note, translator("en")) != note_text(note, translator("ko"))
