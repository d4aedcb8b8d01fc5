"""Certificates that come from elsewhere: ``certs status`` tells what lies there, ``prepare`` that nothing does."""

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


def prepare(settings: Path, desired: dict[str, object], *arguments: str) -> int:
    asked = settings.parent / "desired.json"
    asked.write_text(json.dumps(desired), encoding="utf-8")
    return main(["prepare", "--json", "--desired", str(asked), "--settings", str(settings), *arguments])


@pytest.mark.parametrize("arguments", [[], ["--dry"]], ids=["made", "asked"])
def test_a_folder_without_the_promised_files_is_named_before_anything_starts(
    settings: Path, arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert prepare(settings, {"names": [], "files": True}, *arguments) == 1
    assert str(settings.parent / "tls") in capsys.readouterr().err
    write_pair(settings.parent / "tls", "any", (NAME,))
    (settings.parent / "tls" / "any-key.pem").unlink()
    assert prepare(settings, {"names": [], "files": True}, *arguments) == 1


def test_files_that_are_there_are_enough_and_none_is_made(settings: Path) -> None:
    write_pair(settings.parent / "tls", "any", (NAME,))
    assert prepare(settings, {"names": [], "files": True}) == 0
    assert len(list((settings.parent / "tls").iterdir())) == 2
