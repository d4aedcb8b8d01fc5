from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maild import locale
from maild.store import StoreError

SOURCES = Path("maild/src/maild")
SPEAKERS = {"say", "_", "Reason", "plural", "fine", "finding", "broken", "SettingsError", "RefusedError", "BackupError"}
"""Calls whose first argument, and the one named remedy, is a text for people."""


def texts(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        if name not in SPEAKERS:
            continue
        said = [*node.args[:1], *(each.value for each in node.keywords if each.arg == "remedy")]
        found.update(each.value for each in said if isinstance(each, ast.Constant) and isinstance(each.value, str))
    return found


def test_every_text_has_a_korean_translation() -> None:
    korean = locale.translator("ko")
    wanted = {text for path in SOURCES.rglob("*.py") for text in texts(path)}
    missing = sorted(text for text in wanted if text not in korean.catalog and not re.fullmatch(r"\{\w+\}", text))
    assert not missing


def test_what_the_store_refuses_has_a_korean_translation() -> None:
    def below(kind: type[StoreError]) -> set[str]:
        return {kind.public}.union(*(below(each) for each in kind.__subclasses__()))

    assert not below(StoreError) - set(locale.translator("ko").catalog)


def test_every_translation_has_the_values_of_its_text() -> None:
    for text, translated in locale.translator("ko").catalog.items():
        assert set(re.findall(r"\{(\w+)", translated)) <= set(re.findall(r"\{(\w+)", text)), text


def test_every_translation_is_korean() -> None:
    for text, translated in locale.translator("ko").catalog.items():
        plain = re.sub(r"\{\w+\}", "", text)
        assert re.search("[가-힣]", translated) or not re.search("[a-z]{3}", plain), text


@pytest.mark.parametrize(
    ("language", "count", "shown"),
    [("en", 1, "1 day left"), ("en", 2, "2 days left"), ("ko", 1, "1일 남음"), ("ko", 2, "2일 남음")],
)
def test_plural(language: str, count: int, shown: str) -> None:
    assert locale.translator(language).plural("{count} day left", "{count} days left", count) == shown


def test_unknown_language_and_unknown_text_are_english() -> None:
    assert locale.translator("xx")("in order") == "in order"
    assert locale.translator("ko")("never written {x}", x=1) == "never written 1"


def test_po_syntax_is_read() -> None:
    entries = [
        'msgid ""\nmsgstr "Language: ko"',
        '#, fuzzy\nmsgid "a"\nmsgstr "가"',
        'msgid "b\\n"\n"c"\nmsgstr ""\n"나\\"\\n"\n"다"',
        'msgid "d"\nmsgstr ""',
    ]
    text = "\n\n".join(entries)
    assert locale.read(text) == {"b\nc": '나"\n다'}


@given(st.text(max_size=200))
def test_reading_a_catalog_never_fails(text: str) -> None:
    locale.read(text)
    locale.read(f'msgid "{text}"\nmsgstr "{text}"\n')
