"""Our client and another server: aiosmtpd with a handler that keeps what came, or a server that says given lines."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import replace
from pathlib import Path

from aiosmtpd.controller import Controller

from maild.delivery.next_hop import Addressee, Capabilities, Endpoint, TLSRule, Transaction
from maild.log import Log
from maild.smtp.client import Client
from maild.smtp.client_tls import Trust
from maild.store import QueueItem, RecipientRow, RecipientState
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


def queue_item(*addresses: str) -> QueueItem:
    """One message for these addresses, as the queue leases it."""
    rows = tuple(
        RecipientRow(id=number, address=address, original="", notify="", state=RecipientState.WAITING)
        for number, address in enumerate(addresses)
    )
    return QueueItem(
        id=1, blob_id=b"", destination="mx:example.org", sender="a@example.kr", size=1, envelope_id="", dsn_return="",
        smtputf8=False, eight_bit=False, require_tls=False, origin="", created_at=0, expires_at=1, next_at=0,
        attempts=0, held=False, delay_notified=False, leased_by="", lease_until=0, recipients=rows,
    )  # fmt: skip


def client(records: list[object] | None = None, authorities: Path | None = None) -> Client:
    return Client("smtp.example.kr", Trust(authorities), Log.to(records if records is not None else []))  # type: ignore[arg-type]


def send(to: Endpoint, job: Transaction, **options: object) -> list[str]:
    async def run() -> list[str]:
        session = await client(**options)(to)  # type: ignore[arg-type]
        replies = await session.send(job)
        await session.close()
        return [str(reply) for reply in replies]

    return asyncio.run(run())


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
