"""The summary: complete in both languages, in step with the settings, lined up with wide letters."""

from __future__ import annotations

import ast
import dataclasses
import string
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tasks import summary
from tasks.settings import Settings, load
from tasks.summary import Certificate, Check, Record, Report
from tasks.table import quoted_strings, table, width
from tasks.translation import catalogue

TASKS = Path(summary.__file__).parent
KEY = "v=DKIM1; k=rsa; p=" + "A" * 392


def settings(**changes: Any) -> Settings:
    domain = {"name": "테스트.net", "aliases": ["테스트.co.kr"], "accounts": [{"address": "id"}]}
    return load({"domains": [domain], "public_ipv4": "192.0.2.25"} | changes)


REPORT = Report(
    records=(
        Record("xn--9t4b11yi5a.net", "MX", "xn--9t4b11yi5a.net", "smtp.xn--9t4b11yi5a.net", 10, "missing"),
        Record("xn--9t4b11yi5a.net", "TXT", "s1._domainkey.xn--9t4b11yi5a.net", KEY, state="different", found="v=DKIM"),
        Record("xn--9t4b11yi5a.net", "PTR", "25.2.0.192.in-addr.arpa", "smtp.xn--9t4b11yi5a.net", state="missing"),
    ),
    certificates=(
        Certificate("smtp.xn--9t4b11yi5a.net", days=61),
        Certificate("smtp.xn--9t4b11yi5a.co.kr", pending="no A record"),
    ),
    checks=(Check("host", "SMTP 25", fine=True), Check("controller", "IMAP 993", fine=False, detail="timed out")),
    first_passwords=True,
)


def text(**changes: Any) -> str:
    return summary.text(settings(**changes), REPORT, "server")


def messages() -> set[str]:
    """Every message in the code that goes through ``_`` or is a settings error, and the two tables of words."""
    found = set(summary.STATES.values()) | set(summary.PURPOSES.values())
    for file in TASKS.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("_", "marked"):
                assert isinstance(node.args[0], ast.Constant | ast.Subscript | ast.Attribute | ast.Call), ast.unparse(
                    node
                )
                if isinstance(node.args[0], ast.Constant):
                    found.add(node.args[0].value)
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "SettingsError":
                said = [argument for argument in node.args[1:] if not isinstance(argument, ast.Name)]
                assert all(isinstance(argument, ast.Constant) for argument in said), ast.unparse(node)
                found.update(argument.value for argument in said if isinstance(argument, ast.Constant))
    return found


def test_every_message_has_a_korean_translation_and_none_is_left_over() -> None:
    assert set(catalogue("ko")) == messages()


def places(text: str) -> list[str]:
    """What is filled in, by name and form."""
    return sorted(f"{name}:{form}" for _, name, form, _ in string.Formatter().parse(text) if name)


def test_translations_have_the_same_places_to_fill() -> None:
    for message, translated in catalogue("ko").items():
        assert set(places(translated)) == set(places(message)), message


@pytest.mark.parametrize("language", ["en", "ko"])
def test_the_summary_tells_all_that_is_left_to_do(language: str) -> None:
    said = text(language=language)
    for needed in (
        "25", "465", "587", "993", "10", "@", "s1._domainkey", "smtp.테스트.net (smtp.xn--9t4b11yi5a.net)",
        "테스트.net (xn--9t4b11yi5a.net)", "25.2.0.192.in-addr.arpa", "61", "no A record", "id@테스트.net",
        "C:/Mailhost/private/first-passwords.txt", "C:/Mailhost/logs", "timed out", KEY, quoted_strings(KEY), "v=DKIM",
    ):  # fmt: skip
        assert needed in said, needed


def test_korean_readers_find_the_words_of_the_tutorial() -> None:
    said = text(language="ko")
    for word in (
        "타입",
        "호스트",
        "값",
        "우선순위",
        "상태",
        "역방향 DNS(PTR record)",
        "인바운드 규칙",
        "SSL 필요",
        "받는 전자 메일 서버",
    ):
        assert word in said, word


def test_the_lab_is_called_a_lab_and_says_which_database_it_has() -> None:
    said = text(lab_port_base=20000)
    assert "no real Windows was touched" in said
    assert "25 (20025)" in said
    assert "Its drive C: is the folder /home/k/.lab/c here." in text(lab_port_base=20000, lab_drive="/home/k/.lab/c")
    assert "drive C:" not in text(lab_drive="/home/k/.lab/c")
    assert "MariaDB of this machine" in said
    assert "SQLite file" in text(lab_port_base=20000, database={"engine": "sqlite"})


def test_a_long_record_is_shown_on_one_line_and_in_strings_of_255() -> None:
    strings = quoted_strings(KEY).split(' "')
    assert max(len(part.strip('"')) for part in strings) == 255
    assert "".join(part.strip('"') for part in strings) == KEY


@given(st.lists(st.lists(st.text("가나ab é", max_size=8), min_size=3, max_size=3), min_size=1, max_size=5))
def test_columns_line_up_whatever_the_letters_are(rows: list[list[str]]) -> None:
    lines = table(["타입", "b", "c"], rows)
    assert len({width(line.split("|")[0]) for line in (lines[0], *lines[2:])}) == 1


@pytest.mark.parametrize(("text", "columns"), [("타입", 4), ("Type", 4), ("e\u0301", 1), ("", 0), ("가a", 3)])
def test_a_korean_syllable_is_two_columns_wide(text: str, columns: int) -> None:
    assert width(text) == columns


@pytest.mark.parametrize(("backup", "word"), [({"recipient": "age1x"}, "encrypted to your key"), ({}, "not encrypted")])
def test_the_backup_from_before_an_upgrade_is_named_with_who_can_read_it(backup: dict[str, str], word: str) -> None:
    found = replace(REPORT, upgrade_backup="C:/Mailhost/backups/before-upgrade.age")
    (line,) = [
        each for each in summary.text(settings(backup=backup), found, "server").splitlines() if "before-upg" in each
    ]
    assert word in line
    assert "before-upgrade" not in text(backup=backup)


def test_that_dane_is_off_is_said_once_and_only_while_it_is() -> None:
    assert text().count("DANE off: no validating resolver") == 1
    assert text(language="ko").count("DANE을 쓰지 않습니다") == 1
    assert "DANE" not in text(dns_servers=["192.0.2.53"], dns_validating=True)


def test_passwords_that_lie_nowhere_are_not_said_to_be_given() -> None:
    handed_out = dataclasses.replace(REPORT, first_passwords=False)
    said = summary.text(settings(), handed_out, "server")
    assert "none is kept on the server; for a new one: maild account password ADDRESS" in said
    assert "first-passwords.txt" not in said
