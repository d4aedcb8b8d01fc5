"""Listeners and connections on real sockets: TLS in both ways, SNI, reload, floods of resets, limits."""

from __future__ import annotations

import asyncio
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path

import pytest
from cryptography import x509

from maild.log import Log, Record
from maild.net import Admission, Bounds, Certificates, FairQueue, Server, Shared, Stream, StreamTimeout, read_buffer
from maild.settings import Listener
from tests.lib.certificates import write_pair

ROOMY = Bounds(100, 100, 0)
LOOPS = [asyncio.new_event_loop]
if find_spec("uvloop"):
    LOOPS.append(import_module("uvloop").new_event_loop)


class House:
    """A server of a small line protocol: it echoes lines, ``STARTTLS`` starts TLS, ``BIG n`` answers n bytes."""

    def __init__(self, folder: Path, listeners: tuple[Listener, ...], bounds: Bounds = ROOMY) -> None:
        self.records: list[Record] = []
        self.certificates = Certificates(folder, "one.test")
        self.certificates.reload()
        self.handshakes = FairQueue("tls", threads=2, waiting=100)
        shared = Shared(Log.to(self.records), self.certificates, self.handshakes, 5, read_buffer())
        admission = Admission(bounds, asyncio.get_running_loop().time, lambda *_: None, lambda _: None)
        self.server = Server(
            shared, admission, {"imap": lambda _: Stream(self.talk, 1000)}, {"imap": b"* BYE full\r\n"}
        )
        assert self.server.listen(listeners) == []

    async def talk(self, stream: Stream) -> None:
        stream.write(b"hello\r\n")
        while True:
            try:
                line = await stream.line(5)
            except StreamTimeout:
                return
            if line == b"STARTTLS":
                stream.write(b"go\r\n")
                await stream.start_tls()
            elif line.startswith(b"BIG "):
                stream.write(b"x" * int(line[4:]) + b"\r\n")
                await stream.drain()
            else:
                stream.write(line + b"\r\n")

    def port(self, name: str) -> int:
        return self.server.ports[name]

    async def close(self) -> None:
        await self.server.close(0.1)
        self.handshakes.close()

    def said(self) -> str:
        return "\n".join(record.text for record in self.records)


def listener(name: str, tls: str) -> Listener:
    return Listener(name=name, protocol="imap", port=1, bind="127.0.0.1", bind_port=0, tls=tls)  # type: ignore[arg-type]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    write_pair(tmp_path, "one", ("one.test",))
    write_pair(tmp_path, "two", ("two.test", "*.two.test"))
    monkeypatch.setattr(Listener, "real_port", property(lambda _: 0))
    return tmp_path


def run(test: Callable[[], Awaitable[None]], new_loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    with asyncio.Runner(loop_factory=new_loop) as runner:
        runner.run(asyncio.wait_for(test(), 30))


def client_context() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


async def serial(port: int, host: str) -> int:
    reader, writer = await asyncio.open_connection("127.0.0.1", port, ssl=client_context(), server_hostname=host)
    shown = writer.get_extra_info("ssl_object").getpeercert(binary_form=True)
    writer.close()
    del reader
    return x509.load_der_x509_certificate(shown).serial_number


@pytest.mark.parametrize("new_loop", LOOPS)
def test_implicit_tls_echoes_and_is_logged(folder: Path, new_loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    async def test() -> None:
        house = House(folder, (listener("a", "implicit"),))
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", house.port("a"), ssl=client_context(), server_hostname="one.test"
        )
        assert await reader.readline() == b"hello\r\n"
        writer.write(b"hi\r\nBIG 3000000\r\n")
        assert await reader.readline() == b"hi\r\n"
        assert len(await reader.readexactly(3_000_002)) == 3_000_002
        writer.close()
        await house.close()
        assert "TLS/SSL handshake completed. Session Id: 1, Remote IP: 127.0.0.1, Version: TLSv1.3" in house.said()

    run(test, new_loop)


@pytest.mark.parametrize("new_loop", LOOPS)
def test_starttls_forgets_what_was_sent_ahead(folder: Path, new_loop: Callable[[], asyncio.AbstractEventLoop]) -> None:
    async def test() -> None:
        house = House(folder, (listener("a", "starttls"),))
        reader, writer = await asyncio.open_connection("127.0.0.1", house.port("a"))
        assert await reader.readline() == b"hello\r\n"
        writer.write(b"STARTTLS\r\ninjected\r\n")
        assert await reader.readline() == b"go\r\n"
        await writer.start_tls(client_context(), server_hostname="one.test")
        writer.write(b"after\r\n")
        assert await reader.readline() == b"after\r\n"
        writer.close()
        await house.close()

    run(test, new_loop)


@pytest.mark.parametrize("new_loop", LOOPS)
def test_sni_chooses_and_a_reload_replaces_the_certificate(
    folder: Path, new_loop: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    async def test() -> None:
        house = House(folder, (listener("a", "implicit"),))
        serials = {each.name: each.serial for each in house.certificates.all}
        port = house.port("a")
        assert await serial(port, "two.test") == serials["two"]
        assert await serial(port, "mail.two.test") == serials["two"]
        assert await serial(port, "stranger.test") == serials["one"]
        reader, writer = await asyncio.open_connection(
            "127.0.0.1", port, ssl=client_context(), server_hostname="two.test"
        )
        await reader.readline()
        renewed = write_pair(folder, "two", ("two.test",))
        assert house.certificates.reload() == ()
        assert await serial(port, "two.test") == renewed
        writer.write(b"still here\r\n")
        assert await reader.readline() == b"still here\r\n"
        writer.close()
        await house.close()

    run(test, new_loop)


@pytest.mark.parametrize("new_loop", LOOPS)
def test_clients_that_reset_at_once_do_not_stop_the_listener(
    folder: Path, new_loop: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    async def test() -> None:
        house = House(folder, (listener("a", "starttls"),), Bounds(1000, 1000, 0))
        for _ in range(200):
            client = socket.create_connection(("127.0.0.1", house.port("a")))
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client.close()
        await asyncio.sleep(0.2)
        reader, writer = await asyncio.open_connection("127.0.0.1", house.port("a"))
        assert await reader.readline() == b"hello\r\n"
        writer.close()
        await house.server.empty()
        await house.close()

    run(test, new_loop)


@pytest.mark.parametrize("new_loop", LOOPS)
def test_rubbish_instead_of_a_handshake_is_one_log_line(
    folder: Path, new_loop: Callable[[], asyncio.AbstractEventLoop]
) -> None:
    async def test() -> None:
        house = House(folder, (listener("a", "implicit"),))
        reader, writer = await asyncio.open_connection("127.0.0.1", house.port("a"))
        writer.write(b"EHLO plain\r\n")
        await reader.read()
        writer.close()
        await house.close()
        assert house.said().count("TLS/SSL handshake failed. Session Id: 1") == 1

    run(test, new_loop)


def test_beyond_the_bound_a_client_is_told_and_the_place_comes_free(folder: Path) -> None:
    async def test() -> None:
        house = House(folder, (listener("a", "starttls"),), Bounds(100, 1, 0))
        reader, writer = await asyncio.open_connection("127.0.0.1", house.port("a"))
        assert await reader.readline() == b"hello\r\n"
        second, other = await asyncio.open_connection("127.0.0.1", house.port("a"))
        assert await second.read() == b"* BYE full\r\n"
        other.close()
        writer.close()
        await house.server.empty()
        third, last = await asyncio.open_connection("127.0.0.1", house.port("a"))
        assert await third.readline() == b"hello\r\n"
        last.close()
        await house.close()

    run(test, asyncio.new_event_loop)


def test_a_listener_is_opened_and_closed_while_connections_go_on(folder: Path) -> None:
    async def test() -> None:
        house = House(folder, (listener("a", "starttls"),))
        reader, writer = await asyncio.open_connection("127.0.0.1", house.port("a"))
        assert await reader.readline() == b"hello\r\n"
        gone = house.port("a")
        assert house.server.listen((listener("b", "starttls"),)) == []
        assert set(house.server.ports) == {"b"}
        with pytest.raises(OSError, match="Connect"):
            await asyncio.open_connection("127.0.0.1", gone)
        writer.write(b"still here\r\n")
        assert await reader.readline() == b"still here\r\n"
        writer.close()
        await house.close()

    run(test, asyncio.new_event_loop)


def test_a_wildcard_listener_takes_both_families(folder: Path) -> None:
    async def test() -> None:
        both = Listener(name="a", protocol="imap", port=1, tls="starttls", bind="::")
        house = House(folder, (both,))
        for host in ("127.0.0.1", "::1"):
            reader, writer = await asyncio.open_connection(host, house.port("a"))
            assert await reader.readline() == b"hello\r\n"
            writer.close()
        await house.close()
        assert "TCP - 127.0.0.1 connected to" in house.said()

    run(test, asyncio.new_event_loop)


def test_a_port_in_use_is_named_and_the_others_open(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async def test() -> None:
        with socket.create_server(("127.0.0.1", 0)) as taken:
            port = taken.getsockname()[1]
            monkeypatch.setattr(Listener, "real_port", property(lambda self: port if self.name == "b" else 0))
            house = House(folder, (listener("a", "starttls"),))
            problems = house.server.listen((listener("a", "starttls"), listener("b", "implicit")))
            assert len(problems) == 1
            assert f"port {port}" in problems[0]
            assert set(house.server.ports) == {"a"}
            await house.close()

    run(test, asyncio.new_event_loop)
