"""One attempt at a destination: which host is tried, what goes into one session, who has which answer."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from maild.delivery.attempt import Courier, Said
from maild.delivery.next_hop import Capabilities, Endpoint, HopError
from maild.store import QueueItem
from tests.lib.next_hop import MESSAGE, client, endpoint, peer, queue_item, send, transaction


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
