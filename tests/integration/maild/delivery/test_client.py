"""Our client against another server's implementation (aiosmtpd) and against servers that misbehave."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from maild.delivery.next_hop import Addressee, HopError, Login, Security, TLSRule
from maild.dns import TLSA
from maild.smtp.client_tls import Trust
from tests.lib.certificates import write_pair
from tests.lib.next_hop import MESSAGE, client, endpoint, peer, scripted, send, transaction


def test_message_arrives_byte_for_byte_dots_and_korean_included() -> None:
    with peer() as (keeper, port):
        assert send(endpoint(port), transaction("a@example.org", "주문@example.org", smtputf8=True)) == [
            "250 2.0.0 kept",
            "250 2.0.0 kept",
        ]
    assert keeper.got == [("id@xn--9t4b11yi5a.net", ["a@example.org", "주문@example.org"], MESSAGE)]


def test_each_recipient_gets_the_reply_it_was_given() -> None:
    with peer() as (keeper, port):
        replies = send(endpoint(port), transaction("a@example.org", "nobody@example.org", "busy@example.org"))
    assert replies == ["250 2.0.0 kept", "550 5.1.1 no such user", "451 4.2.1 try later"]
    assert keeper.got[0][1] == ["a@example.org"]


def test_message_that_nobody_takes_is_not_sent() -> None:
    with peer() as (keeper, port):
        assert send(endpoint(port), transaction("nobody@example.org")) == ["550 5.1.1 no such user"]
    assert keeper.got == []


def test_too_large_a_message_is_told_before_it_is_sent() -> None:
    with peer(data_size_limit=10) as (keeper, port):
        assert send(endpoint(port), transaction("a@example.org"))[0].startswith("552 5.3.4")
    assert keeper.got == []


@pytest.fixture
def pair(tmp_path: Path) -> Path:
    write_pair(tmp_path, "mx", ("mx.example.org",))
    return tmp_path


def test_tls_is_used_when_it_is_offered_and_logged_with_version_and_cipher(pair: Path) -> None:
    records: list[object] = []
    with peer(pair) as (keeper, port):
        send(endpoint(port), transaction("a@example.org"), records=records)
    assert len(keeper.got) == 1
    lines = [record.text for record in records]  # type: ignore[attr-defined]
    assert any(
        "handshake completed" in line and "Version: TLSv1.3" in line and "Cipher: TLS_" in line for line in lines
    )


def test_verified_rule_takes_a_known_authority_and_the_right_name_alone(pair: Path) -> None:
    authority = pair / "mx-chain.pem"
    right = TLSRule(security=Security.VERIFIED, names=("*.example.org",))
    wrong = TLSRule(security=Security.VERIFIED, names=("mail.example.net",))
    with peer(pair) as (keeper, port):
        send(endpoint(port, right), transaction("a@example.org"), authorities=authority)
        with pytest.raises(HopError, match="not for"):
            send(endpoint(port, wrong), transaction("a@example.org"), authorities=authority)
        with pytest.raises(HopError, match="does not verify"):
            send(endpoint(port, right), transaction("a@example.org"))
    assert len(keeper.got) == 1


def spki(pair: Path) -> bytes:
    certificate = x509.load_pem_x509_certificate((pair / "mx-chain.pem").read_bytes())
    return certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def test_dane_rule_takes_the_named_key_alone(pair: Path) -> None:
    good = TLSA(3, 1, 1, hashlib.sha256(spki(pair)).digest())
    bad = TLSA(3, 1, 1, hashlib.sha256(b"another").digest())
    with peer(pair) as (keeper, port):
        send(endpoint(port, TLSRule(security=Security.DANE, records=(bad, good))), transaction("a@example.org"))
        with pytest.raises(HopError, match="TLSA"):
            send(endpoint(port, TLSRule(security=Security.DANE, records=(bad,))), transaction("a@example.org"))
    assert len(keeper.got) == 1


def test_server_of_an_alias_is_asked_for_the_name_that_its_tlsa_records_stand_at() -> None:
    rule = TLSRule(security=Security.DANE, names=("host.example.net", "mx.example.org"))
    assert Trust().server_name(endpoint(25, rule)) == "host.example.net"
    assert Trust().server_name(endpoint(25)) == "mx.example.org"


@pytest.mark.parametrize("security", [Security.ENCRYPTED, Security.VERIFIED, Security.DANE])
def test_required_tls_never_falls_back_to_clear_text(security: Security) -> None:
    with peer() as (keeper, port), pytest.raises(HopError, match="no STARTTLS") as caught:
        send(endpoint(port, TLSRule(security=security, names=("mx.example.org",))), transaction("a@example.org"))
    assert caught.value.tls
    assert keeper.got == []


def test_password_is_not_sent_without_tls() -> None:
    login = Login(mechanism="PLAIN", user="id", secret="s3cret")
    with peer() as (_, port), pytest.raises(HopError, match="never sent without TLS"):
        send(endpoint(port, login=login), transaction("a@example.org"))


# Servers that misbehave


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ((b"554 5.7.1 go away\r\n",), "go away"),
        ((b"hello\r\n",), "no SMTP reply"),
        ((b"220 x\r\n", b"250 x\r\n"), "ended the connection"),
        ((b"220-a\r\n" * 500,), "more than 200 lines"),
        ((b"220 " + b"x" * 10_000,), "more than 4096 bytes"),
        ((b"",), "ended the connection"),
    ],
)  # fmt: skip
def test_strange_server_ends_in_one_reply(lines: tuple[bytes, ...], says: str) -> None:
    async def run() -> None:
        async with scripted(*lines) as (port, _):
            session = await client()(endpoint(port))
            await session.send(transaction("a@example.org"))

    with pytest.raises(HopError, match=says):
        asyncio.run(run())


def test_original_recipient_goes_in_ascii_to_a_server_without_smtputf8() -> None:
    asked = Addressee(address="a@example.org", notify="FAILURE", original="utf-8;주문@example.kr")

    async def run() -> list[bytes]:
        answers = (b"220 x\r\n", b"250-x\r\n250 DSN\r\n", b"250 ok\r\n", b"550 5.1.1 no\r\n", b"250 ok\r\n")
        async with scripted(*answers) as (port, heard):
            session = await client()(endpoint(port))
            await session.send(transaction(recipients=(asked,)))
            return heard

    heard = asyncio.run(run())
    assert heard[2] == b"RCPT TO:<a@example.org> NOTIFY=FAILURE ORCPT=utf-8;\\x{C8FC}\\x{BB38}@example.kr\r\n"


def test_data_between_starttls_and_the_handshake_is_refused() -> None:
    async def run() -> None:
        async with scripted(b"220 x\r\n", b"250-x\r\n250 STARTTLS\r\n", b"220 go\r\n250 injected\r\n") as (port, _):
            await client()(endpoint(port))

    with pytest.raises(HopError, match="between STARTTLS"):
        asyncio.run(run())


def test_session_that_broke_lets_go_of_its_connection() -> None:
    async def run() -> bytes:
        ended: asyncio.Future[bytes] = asyncio.get_running_loop().create_future()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"220 x\r\n")
            await reader.readline()
            writer.write(b"250 x\r\n")
            await reader.readline()
            writer.write(b"this is no reply\r\n")
            ended.set_result(await reader.read())
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        session = await client()(endpoint(server.sockets[0].getsockname()[1]))
        with pytest.raises(HopError, match="no SMTP reply"):
            await session.send(transaction("a@example.org"))
        async with asyncio.timeout(30):
            rest = await ended
        server.close()
        return rest

    assert asyncio.run(run()) == b""
