"""What the command says before a command group has its settings: mistakes in them, and help."""

from __future__ import annotations

from pathlib import Path

import pytest

from maild.cli.__main__ import main
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
