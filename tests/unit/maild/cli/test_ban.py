"""Bans shown and changed on the command line; an empty list says so beside what programs read."""

from __future__ import annotations

from pathlib import Path

import pytest

from maild.cli.__main__ import main
from tests.lib.cli_server import settings_of_a_korean_server


@pytest.mark.parametrize(
    ("command", "said"), [("ban", "차단된 주소가 없습니다."), ("queue", "발송을 기다리는 메일이 없습니다.")]
)
def test_an_empty_list_says_so_beside_the_output(
    command: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = settings_of_a_korean_server(tmp_path)
    assert main(["ban", "list", "--settings", str(settings)]) == 0  # makes the database
    capsys.readouterr()
    assert main([command, "list", "--settings", str(settings)]) == 0
    assert capsys.readouterr() == ("", f"{said}\n")


def test_a_ban_is_listed_and_nothing_is_said_beside_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = settings_of_a_korean_server(tmp_path)
    assert main(["ban", "add", "203.0.113.9", "--minutes", "0", "--settings", str(settings)]) == 0
    assert main(["ban", "list", "--settings", str(settings)]) == 0
    out, err = capsys.readouterr()
    assert out.split("\t")[0] == "203.0.113.9/32"
    assert err == ""


def test_a_ban_of_an_ipv6_address_is_that_of_its_client_and_is_lifted_by_the_address(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = settings_of_a_korean_server(tmp_path)
    assert main(["ban", "add", "2001:db8::5", "--settings", str(settings)]) == 0
    assert main(["ban", "list", "--settings", str(settings)]) == 0
    assert capsys.readouterr().out.split("\t")[0] == "2001:db8::/64"
    assert main(["ban", "remove", "2001:db8::7", "--settings", str(settings)]) == 0
    assert main(["ban", "remove", "2001:db8::7", "--settings", str(settings)]) == 1
    assert capsys.readouterr() == ("", "maild: 차단되어 있지 않습니다: 2001:db8::/64\n")


@pytest.mark.parametrize("address", ["10.1.2.3", "10.1.2.0/24"])
def test_a_ban_that_would_have_no_effect_is_refused(
    address: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings = tmp_path / "maild.toml"
    text = 'hostname = "smtp.a.net"\nlanguage = "ko"\n[auto_ban]\nnever = ["::1/128", "10.1.0.0/16"]\n'
    settings.write_text(text, encoding="utf-8")
    assert main(["ban", "add", address, "--settings", str(settings)]) == 1
    assert "차단하지 않도록 설정된 주소입니다" in capsys.readouterr().err
    assert main(["ban", "add", "10.0.0.0/8", "--settings", str(settings)]) == 0


def test_a_ban_of_less_than_no_time_is_wrong_usage(tmp_path: Path) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["ban", "add", "203.0.113.9", "--minutes", "-5", "--settings", str(tmp_path / "maild.toml")])
    assert ended.value.code == 64
