"""Backups listed on the command line: where the settings keep them, and beside no settings at all."""

from __future__ import annotations

import json
from pathlib import Path

import pyrage
import pytest

from maild.cli.__main__ import main
from tests.lib.cli_server import settings_of_a_korean_server

NAME = "smtp.a.net-20261128T090000Z.maild.age"
FETCHED = "before-upgrade-smtp.a.net-20261128T100000Z.tar"


def test_the_backups_of_the_settings_are_listed_without_naming_the_folder(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = settings_of_a_korean_server(tmp_path)
    assert main(["backup", "list", "--settings", str(settings)]) == 0
    assert capsys.readouterr() == ("", f"백업이 없습니다: {tmp_path / 'backups'}\n")
    (tmp_path / "backups" / "packs").mkdir(parents=True)
    (tmp_path / "backups" / f"{NAME}.packs").write_text("")
    (tmp_path / "backups" / FETCHED).write_bytes(b"")
    file = tmp_path / "backups" / NAME
    file.write_bytes(bytes(3 << 20))
    assert main(["backup", "list", "--settings", str(settings)]) == 0
    assert capsys.readouterr() == (f"{FETCHED}\t0.0 MiB\n{NAME}\t3.0 MiB\n", "")
    assert main(["backup", "list", "--settings", str(settings), "--json"]) == 0
    assert json.loads(capsys.readouterr().out.splitlines()[1]) == {"file": str(file), "size": 3 << 20}


def test_the_backups_of_a_named_folder_are_listed_without_settings(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / NAME).write_bytes(b"")
    nowhere = str(tmp_path / "none.toml")
    assert main(["backup", "list", "--to", str(tmp_path), "--settings", nowhere]) == 0
    assert capsys.readouterr() == (f"{NAME}\t0.0 MiB\n", "")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["verify"], "백업과 그것을 여는 키를 적으십시오: --from FILE --identity FILE"),
        (["verify", "--from", NAME], "암호화된 백업입니다. 백업을 여는 age 키 파일을 적으십시오: {file}"),
        (["verify", "--from", NAME, "--identity", "maild.toml"], "age 키(AGE-SECRET-KEY-1...)가 아닙니다: invalid"),
    ],
)
def test_a_backup_that_cannot_be_read_is_told_in_the_language_of_the_settings(
    arguments: list[str], said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_of_a_korean_server(tmp_path)
    (tmp_path / NAME).write_bytes(b"age-encryption.org/v1\n")
    monkeypatch.chdir(tmp_path)
    assert main(["backup", *arguments, "--settings", str(settings)]) == 1
    assert capsys.readouterr().err.startswith(f"maild: {said.format(file=NAME)}")


def test_a_key_that_is_not_the_backups_is_told_as_such(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = settings_of_a_korean_server(tmp_path)
    made_for, other = pyrage.x25519.Identity.generate(), pyrage.x25519.Identity.generate()
    (tmp_path / NAME).write_bytes(pyrage.encrypt(b"", [made_for.to_public()]))
    (tmp_path / "key").write_text(str(other), encoding="utf-8")
    arguments = ("--from", str(tmp_path / NAME), "--identity", str(tmp_path / "key"), "--settings", str(settings))
    assert main(["backup", "verify", *arguments]) == 1
    assert "다른 키로 암호화된 백업입니다" in capsys.readouterr().err
