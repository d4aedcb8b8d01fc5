"""What the command says before a command group has its settings: mistakes in them, and help."""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from maild import locale
from maild.cli.__main__ import main, parser
from maild.cli._help import columns, wrapped
from maild.settings.language import VARIABLES, language_of


def settings(folder: Path, text: str) -> Path:
    file = folder / "maild.toml"
    file.write_text(text, encoding="utf-8")
    return file


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('hostnam = "a.b"\n', "`hostnam`: 그런 설정은 없습니다. 혹시 `hostname`입니까?"),
        ('hostname = "a.b"\n[limits]\nmessage_bytes = "x"\n', "`limits.message_bytes`: 값의 형식이 틀렸습니다"),
        (
            'hostname = "a.b"\n[auto_ban]\nfailures = 0\n',
            "`auto_ban.failures`: 값이 범위를 벗어났습니다(허용 범위: >= 1)",
        ),
        ('hostname = "a.b"\npublic_ipv4 = "::1"\n', "public_ipv4: IPv4 주소가 아닙니다: `::1`"),
        ("hostname =\n", "TOML 문법에 맞지 않습니다"),
    ],
)
def test_a_mistake_in_the_settings_is_told_in_their_language(
    text: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = settings(tmp_path, f'language = "ko"\n{text}')
    assert main(["settings", "check", "--settings", str(file)]) == 78
    assert said in capsys.readouterr().err
    file = settings(tmp_path, f'language = "en"\n{text}')
    assert main(["settings", "check", "--settings", str(file)]) == 78
    assert capsys.readouterr().err.isascii()


def test_a_missing_settings_file_is_told_in_the_language_of_the_locale(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "maild.toml"
    monkeypatch.setenv("LC_ALL", "ko_KR.UTF-8")
    assert main(["settings", "check", "--settings", str(file)]) == 78
    assert capsys.readouterr().err == f"maild: 설정 파일이 없습니다: {file}\n"
    monkeypatch.setenv("LC_ALL", "C.UTF-8")
    assert main(["settings", "check", "--settings", str(file)]) == 78
    assert capsys.readouterr().err == f"maild: there is no settings file {file}\n"


def test_the_language_is_that_of_the_file_before_that_of_the_locale(tmp_path: Path) -> None:
    file = settings(tmp_path, "hostname = 'a.b'\n  language='ko'\n[broken")
    assert language_of(file, {"LANG": "en_US.UTF-8"}) == "ko"
    assert language_of(tmp_path / "none", {"LANG": "ko_KR.UTF-8"}) == "ko"
    for name in VARIABLES:
        assert language_of(tmp_path, {name: "en_US.UTF-8", "LANGUAGE": "ko"}) == "en"


def texts(command: argparse.ArgumentParser) -> Iterator[str]:
    """All that the help of a command and of the commands below it says."""
    yield from (" ".join(part.split()) for part in (command.description or "").strip().split("\n\n") if part)
    yield from (group.title for group in command._action_groups if group.title)
    for action in command._actions:
        if action.help:
            yield action.help
        if isinstance(action, argparse._SubParsersAction):
            yield from (choice.help for choice in action._choices_actions if choice.help)
            for below in action.choices.values():
                yield from texts(below)


def test_all_help_is_there_in_korean() -> None:
    catalog = locale.translator("ko").catalog
    assert not {text for text in texts(parser()) if text not in catalog}


def test_help_is_in_the_language_of_the_settings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAILD_SETTINGS", str(settings(tmp_path, 'language = "ko"\n')))
    for arguments, said in (
        (["--help"], "자동-차단 보기와 풀기"),
        (["ban", "add", "--help"], "차단할 시간(분), 0은 무기한 (기본값: 60)"),
    ):
        with pytest.raises(SystemExit) as ended:
            main(arguments)
        out = capsys.readouterr().out
        assert ended.value.code == 0
        assert out.startswith("사용법: maild")
        assert said in out
        assert "show this help" not in out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["ban", "add"], "maild ban add: 빠진 것이 있습니다: NETWORK"),
        (["ban", "add", "nonsense"], "maild ban add: NETWORK: 올바른 값이 아닙니다: 'nonsense'"),
        (["ban", "list", "--nonsense"], "maild: 알 수 없는 인수입니다: --nonsense"),
        (["credential", "add", "--only", "ftp"], "maild credential add: --only: 쓸 수 없는 값입니다: 'ftp'"),
        (["account", "list", "--domain"], "maild account list: --domain: 값이 빠졌습니다"),
        (["log", "--tls", "--user", "a"], "maild log: --user: --tls 옵션과 함께 쓸 수 없습니다"),
    ],
)
def test_wrong_usage_is_told_in_the_language_of_the_settings(
    arguments: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAILD_SETTINGS", str(settings(tmp_path, 'language = "ko"\n')))
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 64
    assert capsys.readouterr().err.splitlines()[-1].startswith(said)


@given(st.text("가 a", max_size=200), st.integers(4, 30))
def test_lines_of_help_fit_the_terminal_and_lose_no_word(text: str, width: int) -> None:
    lines = wrapped(text, width)
    assert " ".join(lines).split() == text.split()
    assert all(columns(line) <= width for line in lines if " " in line)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["account", "show", "없음@테스트.net"], "그런 계정이 없습니다: 없음@테스트.net"),
        (["account", "add", "이름"], "메일 주소가 아닙니다: 이름"),
        (["domain", "remove", "없는.net"], "그런 도메인이 없습니다: 없는.net"),
        (["domain", "alias", "셋.net", "없는.net"], "그런 도메인이 없습니다: 없는.net"),
        (["domain", "add", "."], "도메인 이름이 아닙니다: ."),
        (["domain", "add", "테스트.net"], "같은 이름이 이미 있습니다. 테스트.net"),
        (["dmarc", "import", "/none.xml"], "파일을 읽지 못했습니다: /none.xml: No such file or directory"),
    ],
)
def test_what_a_command_cannot_do_is_one_sentence_in_the_language_of_the_settings(
    arguments: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAILD_SETTINGS", str(settings(tmp_path, 'hostname = "smtp.a.net"\nlanguage = "ko"\n')))
    assert main(["domain", "add", "테스트.net"]) == 0
    assert main(arguments) == 1
    assert capsys.readouterr().err == f"maild: {said}\n"


def test_a_reader_that_has_seen_enough_ends_no_command_with_a_traceback(tmp_path: Path) -> None:
    file = settings(tmp_path, 'hostname = "smtp.a.net"\n')
    command = [sys.executable, "-m", "maild.cli", "settings", "check", "--settings", str(file)]
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True, check=False)
    os.close(write)
    assert done.stderr == ""
