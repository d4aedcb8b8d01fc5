"""Our client against another server's implementation (aiosmtpd) and against servers that misbehave."""

from __future__ import annotations

import asyncio
import hashlib
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from aiosmtpd.controller import Controller
from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from maild.delivery.attempt import Courier, Said
from maild.delivery.next_hop import Addressee, Capabilities, Endpoint, HopError, Login, Security, TLSRule, Transaction
from maild.dns import TLSA
from maild.log import Log
from maild.smtp.client import Client
from maild.smtp.client_tls import Trust
from maild.store import QueueItem, RecipientRow, RecipientState
from tests.lib.certificates import write_pair
from tests.lib.ports import free_port

MESSAGE = "From: id@테스트.net\r\nSubject: 안녕\r\n\r\n.점으로 시작\r\n..둘\r\n\r\n".encode()


class Keeper:
    """An aiosmtpd handler that keeps what came."""

    def __init__(self) -> None:
        self.got: list[tuple[str, list[str], bytes]] = []

    async def handle_DATA(self, server: object, session: object, envelope) -> str:  # type: ignore[no-untyped-def] # noqa: ARG002, N802
        self.got.append((envelope.mail_from, list(envelope.rcpt_tos), envelope.original_content))
        return "250 2.0.0 kept"

    async def handle_RCPT(self, server, session, envelope, address: str, options) -> str:  # type: ignore[no-untyped-def] # noqa: ARG002, N802
        if address.startswith("nobody"):
            return "550 5.1.1 no such user"
        if address.startswith("busy"):
            return "451 4.2.1 try later"
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 fine"


@contextmanager
def peer(tls: Path | None = None, **options: object) -> Iterator[tuple[Keeper, int]]:
    keeper = Keeper()
    context = None
    if tls is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(tls / "mx-chain.pem", tls / "mx-key.pem")
    controller = Controller(
        keeper,
        hostname="127.0.0.1",
        port=free_port(),
        tls_context=context,
        decode_data=False,
        ready_timeout=60,
        **{"enable_SMTPUTF8": True, **options},
    )
    controller.start()
    try:
        yield keeper, controller.port
    finally:
        controller.stop()


async def whole(_: Capabilities) -> bytes:
    return MESSAGE


def transaction(*recipients: str, **changes: object) -> Transaction:
    plain = Transaction(
        sender="id@xn--9t4b11yi5a.net", recipients=tuple(Addressee(address=each) for each in recipients), body=whole
    )
    return replace(plain, **changes)  # type: ignore[arg-type]


def endpoint(port: int, rule: TLSRule | None = None, **changes: object) -> Endpoint:
    plain = Endpoint(host="mx.example.org", address="127.0.0.1", port=port, rule=rule or TLSRule())
    return replace(plain, **changes)  # type: ignore[arg-type]


def client(records: list[object] | None = None, authorities: Path | None = None) -> Client:
    return Client("smtp.example.kr", Trust(authorities), Log.to(records if records is not None else []))  # type: ignore[arg-type]


def send(to: Endpoint, job: Transaction, **options: object) -> list[str]:
    async def run() -> list[str]:
        session = await client(**options)(to)  # type: ignore[arg-type]
        replies = await session.send(job)
        await session.close()
        return [str(reply) for reply in replies]

    return asyncio.run(run())


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


@asynccontextmanager
async def scripted(*lines: bytes, drop_after: int | None = None) -> AsyncIterator[tuple[int, list[bytes]]]:
    """Says the first line, then one line for each that it is sent, then nothing more or the end of the connection."""
    heard: list[bytes] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(lines[0])
        for line in lines[1:]:
            heard.append(await reader.readline())
            writer.write(line)
        if drop_after is not None:
            await reader.readline()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], heard
    finally:
        server.close()


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


def queue_item(*addresses: str) -> QueueItem:
    rows = tuple(
        RecipientRow(id=number, address=address, original="", notify="", state=RecipientState.WAITING)
        for number, address in enumerate(addresses)
    )
    return QueueItem(
        id=1, blob_id=b"", destination="mx:example.org", sender="a@example.kr", size=1, envelope_id="", dsn_return="",
        smtputf8=False, eight_bit=False, require_tls=False, origin="", created_at=0, expires_at=1, next_at=0,
        attempts=0, held=False, delay_notified=False, leased_by="", lease_until=0, recipients=rows,
    )  # fmt: skip


async def carry(endpoints: list[Endpoint], *items: QueueItem) -> list[list[Said]]:
    async def body(_: QueueItem, __: Capabilities) -> bytes:
        return MESSAGE

    courier = Courier(endpoints, client(), body)
    try:
        return [await courier.carry(item) for item in items]
    finally:
        await courier.close()


def test_dead_exchanger_leads_to_the_next_and_one_session_carries_all() -> None:
    with peer() as (keeper, port):
        said = asyncio.run(
            carry([endpoint(1), endpoint(port)], queue_item("a@example.org"), queue_item("b@example.org"))
        )
    assert [[each.reply.code for each in one] for one in said] == [[250], [250]]
    assert [each[1] for each in keeper.got] == [["a@example.org"], ["b@example.org"]]


def test_recipient_that_needs_smtputf8_does_not_cost_the_others_their_mail() -> None:
    with peer(enable_SMTPUTF8=False) as (keeper, port):
        (said,) = asyncio.run(carry([endpoint(port)], queue_item("a@example.org", "주문@example.org", "b@example.org")))
    assert {each.row.address: (each.reply.code, each.reply.enhanced) for each in said} == {
        "a@example.org": (250, "2.0.0"),
        "b@example.org": (250, "2.0.0"),
        "주문@example.org": (550, "5.6.7"),
    }
    assert [each[1] for each in keeper.got] == [["a@example.org", "b@example.org"]]


ORDINARY = "From: id@example.kr\r\nSubject: =?utf-8?B?7JWI64WV?=\r\n\r\n본문\r\n".encode()
WIDE_PART = (
    b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Disposition: attachment; "
    + "filename=계약서.hwp\r\n\r\nx\r\n--b--\r\n".encode()
)


@pytest.mark.parametrize(
    ("message", "code"), [(ORDINARY, 250), (MESSAGE, 550), (WIDE_PART, 550)], ids=["ordinary", "header", "part"]
)
def test_message_sent_with_smtputf8_goes_without_it_where_it_is_not_needed(message: bytes, code: int) -> None:
    async def body(_: Capabilities) -> bytes:
        return message

    job = transaction("a@example.org", came_with_smtputf8=True, body=body)
    with peer(enable_SMTPUTF8=False) as (keeper, port):
        (reply,) = send(endpoint(port), job)
    assert reply.startswith("250" if code == 250 else "550 5.6.7")
    assert [content for _, _, content in keeper.got] == ([message] if code == 250 else [])


def test_broken_opportunistic_tls_is_tried_again_in_clear() -> None:
    async def run() -> list[str]:
        heard: list[str] = []

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            writer.write(b"220 x\r\n")
            while line := await reader.readline():
                heard.append(line[:4].decode("ascii", "replace").strip())
                writer.write({b"EHLO": b"250-x\r\n250 STARTTLS\r\n", b"STAR": b"220 go\r\n", b"DATA": b"354 go\r\n"}
                             .get(line[:4], b"250 ok\r\n"))  # fmt: skip
                if line.startswith(b"STAR"):
                    writer.write(b"this is no TLS at all, not even nearly\r\n" * 3)
                    writer.close()
                    return
                if line.startswith(b"DATA"):
                    await reader.readuntil(b"\r\n.\r\n")
                    writer.write(b"250 kept\r\n")

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        said = await carry([endpoint(port)], queue_item("a@example.org"))
        assert said[0][0].reply.text == "kept"
        server.close()
        return heard

    heard = asyncio.run(run())
    assert heard[:2] == ["EHLO", "STAR"]
    assert "DATA" in heard


def test_recipients_are_split_as_the_peer_limits_them() -> None:
    with peer() as (keeper, port):
        asyncio.run(carry([endpoint(port)], queue_item(*(f"p{number}@example.org" for number in range(250)))))
    assert [len(recipients) for _, recipients, _ in keeper.got] == [100, 100, 50]


@asynccontextmanager
async def limited(
    accepts: int, after: bytes = b"", connections: int = 1000
) -> AsyncIterator[tuple[int, list[list[str]]]]:
    """Takes that many messages a connection, then says ``after`` to MAIL and ends it; so many connections at all."""
    kept: list[list[str]] = []
    opened = 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal opened
        opened += 1
        taken, recipients = 0, list[str]()
        if opened > connections:
            writer.write(b"421 4.3.2 too many connections\r\n")
        else:
            writer.write(b"220 x\r\n")
            while line := await reader.readline():
                verb = line[:4]
                if verb == b"MAIL" and taken == accepts:
                    writer.write(after)
                    break
                if verb == b"RCPT":
                    recipients.append(line.split(b"<")[1].split(b">")[0].decode())
                writer.write(b"354 go\r\n" if verb == b"DATA" else b"250 ok\r\n")
                if verb == b"DATA":
                    await reader.readuntil(b"\r\n.\r\n")
                    kept.append(recipients)
                    taken, recipients = taken + 1, []
                    writer.write(b"250 kept\r\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1], kept
    finally:
        server.close()


@pytest.mark.parametrize("after", [b"", b"421 4.4.5 too many messages in this session\r\n"])
def test_peer_that_ends_its_session_after_some_messages_gets_the_rest_in_another(after: bytes) -> None:
    async def run() -> tuple[list[list[Said]], list[list[str]]]:
        async with limited(2, after) as (port, kept):
            return await carry([endpoint(port)], *(queue_item(f"p{number}@example.org") for number in range(5))), kept

    said, kept = asyncio.run(run())
    assert [each.reply.code for one in said for each in one] == [250] * 5
    assert kept == [[f"p{number}@example.org"] for number in range(5)]


def test_recipients_that_were_served_keep_their_answer_when_the_session_breaks_for_the_others() -> None:
    async def run() -> tuple[list[Said], list[list[str]]]:
        async with limited(1, connections=1) as (port, kept):
            (said,) = await carry([endpoint(port)], queue_item(*(f"p{number}@example.org" for number in range(150))))
            return said, kept

    said, kept = asyncio.run(run())
    assert [each.reply.code for each in said] == [250] * 100 + [421] * 50
    assert len(kept) == 1


def test_peer_that_breaks_off_each_time_is_not_tried_for_ever() -> None:
    async def run() -> list[list[str]]:
        async with limited(0) as (port, kept):
            with pytest.raises(HopError, match="ended the connection"):
                await carry([endpoint(port)], queue_item("a@example.org"))
            return kept

    assert asyncio.run(run()) == []
