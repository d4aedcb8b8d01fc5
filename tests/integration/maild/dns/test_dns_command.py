"""``maild dns`` as an administrator runs it, against a private authoritative server: exit statuses, words, JSON."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from maild.cli.__main__ import main
from maild.dns.zone import quoted
from maild.settings import load
from maild.store import AliasDomain, Domain, open_store
from maild.verify.keyring import StoredKeys
from maild.wrapping import read_wrap_key
from tests.lib.nameserver import NameServer

NET, KR = "xn--9t4b11yi5a.net", "xn--9t4b11yi5a.co.kr"


@pytest.fixture
def server() -> Iterator[NameServer]:
    made = NameServer()
    yield made
    made.close()


@pytest.fixture
def settings(tmp_path: Path, server: NameServer) -> Path:
    path = tmp_path / "maild.toml"
    path.write_text(
        f'hostname = "smtp.{NET}"\npublic_ipv4 = "127.0.0.9"\nlanguage = "ko"\n'
        f'[dns]\nservers = ["127.0.0.1#{server.port}"]\ntimeout_seconds = 0.5\n',
        encoding="utf-8",
    )
    asyncio.run(fill(path))
    return path


async def fill(path: Path) -> None:
    loaded = load(path)
    store = await open_store(loaded.database)
    try:
        await store.directory.save_domain(Domain(name=NET))
        await store.directory.save_alias_domain(AliasDomain(name=KR, domain=NET))
        ring = StoredKeys(store.keys, read_wrap_key(loaded.dkim.wrap_key_file, create=True))
        for name in (NET, KR):
            await ring.ensure(name)
    finally:
        await store.close()


def serve(server: NameServer, text: str) -> None:
    lines = text.splitlines()
    for name in (NET, KR):
        server.zone(name, "\n".join(line for line in lines if line.partition(" ")[0].endswith(f"{name}.")) + "\n")
    server.zone("127.in-addr.arpa", f"9.0.0.127.in-addr.arpa. 60 IN PTR smtp.{NET}.\n")


def test_the_records_it_prints_make_the_check_pass(
    settings: Path, server: NameServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["dns", "records", "--zone", "--settings", str(settings)]) == 0
    zone = capsys.readouterr().out
    serve(server, zone)
    assert main(["dns", "check", "--port", str(server.port), "--settings", str(settings)]) == 0
    shown = capsys.readouterr().out
    assert [cell.strip() for cell in shown.splitlines()[0].split("|")] == ["타입", "호스트", "값", "우선순위", "상태"]
    assert shown.count("정상") == 13
    server.zone(
        NET, "".join(f"{line}\n".replace("-all", "+all") for line in zone.splitlines() if f"{NET}." in line[:80])
    )
    assert main(["dns", "check", "--json", "--port", str(server.port), "--settings", str(settings)]) == 2
    told = json.loads(capsys.readouterr().out)
    bad = [row for row in told["records"] if not row["fine"]]
    assert [(row["purpose"], row["domain"], row["state"]) for row in bad] == [("spf", NET, "different")]
    assert bad[0]["found"] == ["v=spf1 ip4:127.0.0.9 +all"]
    assert {note["fault"] for note in told["spf"]} == {"allows-all"}


def test_drift_is_told_with_the_record_to_enter(
    settings: Path, server: NameServer, capsys: pytest.CaptureFixture[str]
) -> None:
    serve(server, "")
    assert main(["dns", "check", "--port", str(server.port), "--settings", str(settings)]) == 2
    shown = capsys.readouterr().out
    assert "도메인 등록기관의 도메인설정 페이지에서 입력하십시오" in shown
    assert f"TXT | 테스트.net ({NET}) | v=spf1 ip4:127.0.0.9 -all" in shown
    assert "255자" in shown


def test_without_a_name_server_it_is_an_error_and_offline_is_said(
    settings: Path, server: NameServer, capsys: pytest.CaptureFixture[str]
) -> None:
    server.fault("*", rcode="SERVFAIL")
    assert main(["dns", "check", "--port", str(server.port), "--settings", str(settings)]) == 1
    assert main(["dns", "check", "--offline", "--settings", str(settings)]) == 0
    shown = capsys.readouterr().out
    assert "오프라인" in shown
    assert "확인 안 함" in shown
    assert main(["dns", "check", "--offline", "--json", "--settings", str(settings)]) == 0
    assert json.loads(capsys.readouterr().out)["offline"] is True


def test_another_mx_target_is_taken_from_the_desired_state(
    settings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    desired = tmp_path / "desired.json"
    desired.write_text(json.dumps({"mail_hosts": {"테스트.net": "mx.테스트.net"}}), encoding="utf-8")
    assert main(["dns", "records", "--json", "--desired", str(desired), "--settings", str(settings)]) == 0
    records = json.loads(capsys.readouterr().out)["records"]
    assert [row["value"] for row in records if row["type"] == "MX"] == [f"mx.{NET}", f"smtp.{KR}"]


def test_what_is_wrong_with_an_spf_record_is_told_in_words(
    settings: Path, server: NameServer, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["dns", "records", "--zone", "--settings", str(settings)]) == 0
    zone = capsys.readouterr().out
    right = next(line for line in zone.splitlines() if line.startswith(f"{NET}. ") and "spf1" in line)
    command = ["dns", "check", "--language", "en", "--port", str(server.port), "--settings", str(settings)]
    lookups = " ".join(f"a:x{number}.{NET}" for number in range(11))
    hosts = "".join(f"x{number}.{NET}. 60 IN A 198.51.100.{number}\n" for number in range(11))
    for record, sentence in {
        f"v=spf1 ip4:127.0.0.9 {lookups} -all": "needs 11 look-ups, but 10 are allowed",
        "v=spf1 ip4:127.0.0.9 +all": "lets everyone send in this domain's name",
        "v=spf1 ip4:127.0.0.9 ptr -all": "is slow and should not be used",
        "v=spf1 ip4:127.0.0.8 -all": "gives our own address 127.0.0.9 the result fail",
    }.items():
        serve(server, zone.replace(right, f"{NET}. 60 IN TXT {quoted(record)}") + hosts)
        assert main(command) == 2
        shown = capsys.readouterr().out
        assert sentence in shown, (sentence, shown)
        assert f"TXT | 테스트.net ({NET}) | v=spf1 ip4:127.0.0.9 -all" in shown
    serve(server, f'{zone}{NET}. 60 IN TXT "v=spf1 ~all"\n')
    assert main(command) == 2
    assert "has more than one SPF record; then none counts" in capsys.readouterr().out
