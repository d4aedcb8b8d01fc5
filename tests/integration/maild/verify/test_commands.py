"""``maild explain``, ``maild dkim``, ``maild dmarc`` as an administrator runs them, on a private name server."""

from __future__ import annotations

import asyncio
import base64
import gzip
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from maild.cli.__main__ import main
from maild.dns.names import reverse
from maild.settings import load
from maild.store import Account, Delivery, Domain, Incoming, new_id, open_store
from maild.verify.keyring import StoredKeys
from maild.wrapping import read_wrap_key
from tests.lib.nameserver import NameServer
from tests.unit.maild.verify.test_reports import OLD, SAMPLES

NET = "xn--9t4b11yi5a.net"
IP = "127.0.0.9"
OLD_KEYS = ("dkim", "dkim-ed")


@pytest.fixture
def server() -> Iterator[NameServer]:
    made = NameServer()
    yield made
    made.close()


@pytest.fixture
def settings(tmp_path: Path, server: NameServer) -> Path:
    path = tmp_path / "maild.toml"
    path.write_text(
        f'hostname = "smtp.{NET}"\npublic_ipv4 = "{IP}"\nlanguage = "ko"\n'
        f'[dns]\nservers = ["127.0.0.1#{server.port}"]\ntimeout_seconds = 0.5\n'
    )
    asyncio.run(_fill(path))
    return path


async def _fill(path: Path) -> None:
    loaded = load(path)
    store = await open_store(loaded.database)
    try:
        await store.directory.save_domain(Domain(name=NET))
        await StoredKeys(store.keys, read_wrap_key(loaded.dkim.wrap_key_file, create=True)).ensure(NET)
    finally:
        await store.close()


def publish(settings: Path, server: NameServer, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["dns", "records", "--zone", "--settings", str(settings)]) == 0
    zone = capsys.readouterr().out
    server.zone(NET, "".join(f"{line}\n" for line in zone.splitlines() if not line.startswith(";")))
    server.zone("127.in-addr.arpa", f"{reverse(IP)}. 60 IN PTR smtp.{NET}.\n")


def test_what_we_would_send_is_explained_before_and_after_the_records_are_there(
    settings: Path, server: NameServer, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["explain", "--from", "주문@테스트.net", "--settings", str(settings)]
    server.zone(NET, "x 60 IN A 127.0.0.1\n")
    server.zone("127.in-addr.arpa", "x 60 IN A 127.0.0.1\n")
    server.zone("net", "x 60 IN A 127.0.0.1\n")
    assert main(command) == 2
    shown = capsys.readouterr().out
    assert f"TXT | 테스트.net ({NET}) | v=spf1 ip4:{IP} -all" in shown
    assert "[문제] DKIM" in shown
    assert f"TXT | _dmarc.테스트.net (_dmarc.{NET}) | v=DMARC1; p=reject" in shown
    publish(settings, server, capsys)
    assert main([*command, "--as", "gmail", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["ip"], told["sender"]) == (IP, f"주문@{NET}")
    assert [line["level"] for line in told["lines"] if line["topic"] in {"SPF", "DKIM", "DMARC", "PTR"}] == ["good"] * 5
    assert {line["topic"] for line in told["lines"]} >= {"Gmail"}


def test_a_received_file_is_explained_from_its_trace(
    settings: Path, server: NameServer, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    publish(settings, server, capsys)
    file = tmp_path / "받은편지.eml"
    file.write_bytes(
        f"Return-Path: <x@{NET}>\nReceived: from evil ([198.51.100.7])\n\tby us with ESMTP id 1; x\n"
        f"From: <id@{NET}>\nSubject: x\n\nhello\n".encode()
    )
    assert main(["explain", str(file), "--language", "en", "--settings", str(settings)]) == 2
    shown = capsys.readouterr().out
    assert "[FAIL] SPF: 198.51.100.7 may not send for" in shown
    assert "asks receivers to: reject" in shown
    file.write_bytes(b"From: a@b.example\n\nx\n")
    assert main(["explain", str(file), "--settings", str(settings)]) == 1
    assert main(["explain", "no-such-file", "--settings", str(settings)]) == 1


def test_keys_are_listed_and_a_rotation_is_told_step_by_step(
    settings: Path, server: NameServer, capsys: pytest.CaptureFixture[str]
) -> None:
    publish(settings, server, capsys)
    assert main(["dkim", "list", "--settings", str(settings)]) == 0
    assert "dkim rsa-sha256 2048 사용 중" in capsys.readouterr().out
    assert main(["dkim", "rotate", "테스트.net", "--settings", str(settings)]) == 0
    assert "레코드를 입력하십시오" in capsys.readouterr().out
    assert main(["dkim", "rotate", "테스트.net", "--settings", str(settings)]) == 1
    capsys.readouterr()
    advance = [
        "dkim",
        "advance",
        "--settings",
        str(settings),
        "--port",
        str(server.port),
        "--settle",
        "0",
        "--linger",
        "0",
    ]
    assert main(advance) == 0
    assert "레코드를 입력하십시오" in capsys.readouterr().out
    publish(settings, server, capsys)
    for words in ("곧 새 키로 바꿉니다", "이제 새 키로 서명합니다", "옛 레코드를 지워도 됩니다"):
        assert main(advance) == 0
        shown = capsys.readouterr().out
        assert words in shown
    old = f"TXT | dkim._domainkey.테스트.net (dkim._domainkey.{NET}) | v=DKIM1"
    assert old in shown
    told_to_remove(settings, server, capsys, old)
    server.zone(NET, "x 60 IN A 127.0.0.1\n")
    assert main(advance) == 0
    assert "키 교체가 끝났습니다" in capsys.readouterr().out


def told_to_remove(settings: Path, server: NameServer, capsys: pytest.CaptureFixture[str], old: str) -> None:
    """Both commands that look at the zone say that the old record is to go, and none asks to keep it."""
    check = ["dns", "check", "--port", str(server.port), "--settings", str(settings)]
    assert main(check) == 2
    shown = capsys.readouterr().out
    assert old in shown
    assert main([*check, "--json"]) == 2
    told = json.loads(capsys.readouterr().out)
    owners = {row["host"] for row in told["records"]}
    assert {row["host"] for row in told["rotations"][0]["remove"]} == {f"{name}._domainkey.{NET}" for name in OLD_KEYS}
    assert not owners & {f"{name}._domainkey.{NET}" for name in OLD_KEYS}
    places = ["--dns-port", str(server.port), "--outside", "nowhere.invalid", "--settings", str(settings)]
    main(["diagnose", *places])
    assert old in capsys.readouterr().out


def test_a_key_that_was_taken_over_and_is_short_is_warned_of(
    settings: Path, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    short = rsa.generate_private_key(65537, 1024)  # noqa: S505 - the tutorial's size
    file = tmp_path / "dkim_private.pem"
    file.write_bytes(short.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption()))
    rsa_key = {"selector": "dkim", "algorithm": "rsa-sha256", "key_file": str(file)}
    desired = tmp_path / "desired.json"
    desired.write_text(
        json.dumps(
            {
                "alias_domains": [{"name": "테스트.co.kr", "domain": "테스트.net"}],
                "dkim": [{"domain": "테스트.co.kr"} | rsa_key],
            }
        )
    )
    assert main(["reconcile", "--desired", str(desired), "--settings", str(settings)]) == 0
    assert main(["reconcile", "--dry", "--desired", str(desired), "--settings", str(settings)]) == 0
    capsys.readouterr()
    main(["diagnose", "--offline", "--settings", str(settings)])
    assert "dkim._domainkey.테스트.co.kr (xn--9t4b11yi5a.co.kr) 키가 1024비트뿐입니다" in capsys.readouterr().out
    assert main(["dkim", "list", "--settings", str(settings)]) == 0
    shown = capsys.readouterr().out
    public = short.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert f"v=DKIM1; k=rsa; p={base64.b64encode(public).decode()}" in shown
    assert "2048비트" in shown


def test_reports_are_taken_in_and_summed_up(settings: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "google.xml.gz"
    file.write_bytes(gzip.compress(OLD))
    broken = tmp_path / "broken.gz"
    broken.write_bytes(b"\x1f\x8bx")
    assert main(["dmarc", "import", str(file), "--settings", str(settings)]) == 0
    assert main(["dmarc", "import", str(broken), "--settings", str(settings)]) == 1
    capsys.readouterr()
    assert main(["dmarc", "report", "--days", "9999", "--settings", str(settings)]) == 2
    shown = capsys.readouterr().out
    assert "15통 중 12통 통과, 보고한 곳: google.com" in shown
    assert "198.51.100.7: 3통 중 3통 실패, 그중 3통은 거부되거나 스팸으로 처리됨" in shown
    assert "3 x spam.example의 SPF 레코드에 이 주소가 없습니다(softfail)" in shown
    assert "3 x DKIM 서명이 없습니다" in shown
    assert "위조된 메일이며, 정책이 제 역할을 한 것입니다" in shown


def test_reports_that_came_by_mail_are_summed_up_in_both_languages(
    settings: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.write_text(settings.read_text().replace(IP, "192.0.2.25"))
    asyncio.run(_deliver(settings))
    command = ["dmarc", "report", "--days", "9999", "--settings", str(settings)]
    assert main([*command, "--language", "en"]) == 2
    shown = capsys.readouterr().out
    assert "5 new reports taken in" in shown
    assert "UID 4: the report unpacks to more than" in shown
    for line in (
        "49 of 72 messages passed, reported by google.com, Enterprise Outlook, Yahoo, 한국 메일",
        "198.51.100.77: 17 messages, 17 failed, 17 of them were refused or filed as spam",
        f"17 x the SPF record of 테스트.net ({NET}) does not name this address",
        "4 x signed by esp.example, which is not the domain of the author",
        "2 x a rule of the receiver let it pass",
        "192.0.2.25 (this server): 49 messages, all passed",
        "TLS: 118 sessions succeeded, 3 failed",
        f"2 x smtp.테스트.net (smtp.{NET}): the certificate has expired",
    ):
        assert line in shown, (line, shown)
    assert main(command) == 2
    shown = capsys.readouterr().out
    assert "새 보고서 0건을 저장했습니다" in shown
    for line in (
        "72통 중 49통 통과",
        "192.0.2.25 (이 서버): 49통, 모두 통과",
        "17 x 테스트.net",
        "2 x 받는 쪽의 자체 규칙으로 통과되었습니다",
        f"2 x smtp.테스트.net (smtp.{NET}): 인증서가 만료되었습니다",
    ):
        assert line in shown, (line, shown)
    assert main([*command, "--json"]) == 2
    (told,) = json.loads(capsys.readouterr().out)
    assert told["sources"][0]["causes"][0]["count"] == 17
    assert told["tls"]["kinds"][0]["kind"] == "certificate-expired"


async def _deliver(settings: Path) -> None:
    """The samples into the mailbox for reports, as they would come."""
    store = await open_store(load(settings).database)
    try:
        account = await store.directory.save_account(Account(domain=NET, local="dmarc-reports"))
        for name in (
            "google-zip.eml", "microsoft-gzip.eml", "yahoo-octet-stream.eml", "zip-bomb.eml", "rfc9990-plain.eml",
            "google-tls.eml",
        ):  # fmt: skip
            body = (SAMPLES / name).read_bytes()
            await store.accept(Incoming(id=new_id(), body=body, deliveries=(Delivery(mailbox_id=account.inbox_id),)))
    finally:
        await store.close()
