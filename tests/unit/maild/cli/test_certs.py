"""``maild certs status`` where no authority is asked: it tells what lies in the TLS folder, whoever put it there."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from maild.cli.__main__ import main
from tests.lib.certificates import write_pair

NAME = "smtp.xn--9t4b11yi5a.net"


@pytest.fixture
def settings(tmp_path: Path) -> Path:
    file = tmp_path / "maild.toml"
    file.write_text(f'hostname = "{NAME}"\nlanguage = "ko"\n\n[tls]\nfolder = "tls"\n', encoding="utf-8")
    (tmp_path / "tls").mkdir()
    return file


def status(settings: Path, *arguments: str) -> int:
    return main(["certs", "status", "--settings", str(settings), *arguments])


def test_a_certificate_that_is_there_is_told_with_its_names_and_end(
    settings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_pair(settings.parent / "tls", NAME, (NAME,))
    assert status(settings) == 0
    out = capsys.readouterr().out
    assert f"{NAME}: 자체 서명" in out
    assert "대상: smtp.테스트.net / 만료:" in out
    assert status(settings, "--json") == 0
    (told,) = json.loads(capsys.readouterr().out)["certificates"]
    assert (told["name"], told["names"], told["self_signed"]) == (NAME, [NAME], True)


def test_one_whose_key_is_missing_is_a_failure(settings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_pair(settings.parent / "tls", NAME, (NAME,))
    (settings.parent / "tls" / f"{NAME}-key.pem").unlink()
    assert status(settings) == 1
    assert f"{NAME}-key.pem is not there" in capsys.readouterr().err


def test_an_ended_one_is_due(settings: Path) -> None:
    write_pair(settings.parent / "tls", NAME, (NAME,), days=0)
    assert status(settings) == 2


def test_an_empty_folder_is_said_to_be_empty(settings: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert status(settings) == 0
    assert "인증서가 없습니다" in capsys.readouterr().out
