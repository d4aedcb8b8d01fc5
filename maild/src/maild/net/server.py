"""All listeners of the daemon: opens them, lets clients in, makes their sessions, and ends them in order.

Listeners can be added and removed while connections go on, which is how a reload changes ports. Which session a
listener makes is its ``make``; nothing here knows a protocol.
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import socket
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

from maild.net.admission import Admission
from maild.net.connection import READ_BUFFER, Connection
from maild.net.errors import ListenError
from maild.net.listener import AcceptThread, open_socket
from maild.net.peer import Peer, address_of
from maild.net.session import Session, Shared
from maild.settings import Listener

MakeSession = Callable[[Listener], Session]


@dataclass(slots=True)
class _Open:
    listener: Listener
    thread: AcceptThread
    arrivals: deque[socket.socket] = field(default_factory=deque)


class Server:
    """The open listeners and connections of one loop."""

    def __init__(
        self,
        shared: Shared,
        admission: Admission,
        make: Mapping[str, MakeSession],
        turned_away: Mapping[str, bytes] | None = None,
        numbers: Iterator[int] | None = None,
    ) -> None:
        self._shared = shared
        self._admission = admission
        self._make = make
        self._turned_away = turned_away or {}
        self._numbers = numbers or itertools.count(1)
        self._open: dict[str, _Open] = {}
        self._connections: dict[int, tuple[Connection, Session]] = {}
        self._starting: set[asyncio.Task[None]] = set()
        self._empty: asyncio.Event | None = None
        self._loop = asyncio.get_running_loop()

    @property
    def ports(self) -> dict[str, int]:
        """The bound port of each open listener by name."""
        return {name: each.thread.port for name, each in self._open.items()}

    @property
    def connections(self) -> int:
        """Connections that are open."""
        return len(self._connections)

    def listen(self, listeners: tuple[Listener, ...]) -> list[str]:
        """Opens and closes ports until exactly these are open; returns what could not be opened."""
        wanted = {each.name: each for each in listeners}
        for name in [name for name, each in self._open.items() if wanted.get(name) != each.listener]:
            self._open.pop(name).thread.close()
        problems: list[str] = []
        for name, listener in wanted.items():
            if name not in self._open:
                try:
                    self._listen(listener)
                except ListenError as error:
                    problems.append(str(error))
        return problems

    async def empty(self) -> None:
        """Returns when no connection is open."""
        if self._connections:
            self._empty = asyncio.Event()
            await self._empty.wait()

    async def close(self, drain_seconds: float) -> None:
        """Closes the ports, asks sessions to end, cuts those that do not in time."""
        for each in self._open.values():
            each.thread.close()
        self._open.clear()
        for _, session in list(self._connections.values()):
            session.stopping()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(drain_seconds):
                await self.empty()
        for connection, _ in list(self._connections.values()):
            connection.abort()
        await asyncio.sleep(0)

    def _listen(self, listener: Listener) -> None:
        try:
            listening = open_socket(listener.bind, listener.real_port)
        except OSError as error:
            raise ListenError(
                f"listener {listener.name}: {listener.bind} port {listener.real_port}: {error.strerror or error}"
            ) from error
        arrivals: deque[socket.socket] = deque()

        def take(accepted: socket.socket) -> None:
            arrivals.append(accepted)
            self._loop.call_soon_threadsafe(self._arrived, opened)

        opened = _Open(listener, AcceptThread(listener.name, listening, take), arrivals)
        self._open[listener.name] = opened
        opened.thread.start()
        self._shared.log.application(f"Listening on {listener.bind}:{opened.thread.port} ({listener.name})")

    def _arrived(self, opened: _Open) -> None:
        while opened.arrivals:
            accepted = opened.arrivals.popleft()
            try:
                there, here = accepted.getpeername(), accepted.getsockname()
                peer = Peer(address_of(there[0]), int(there[1]))
                local = Peer(address_of(here[0]), int(here[1]))
            except OSError:
                accepted.close()
                continue
            self._let_in(opened.listener, accepted, peer, local)

    def _let_in(self, listener: Listener, accepted: socket.socket, peer: Peer, local: Peer) -> None:
        reason = self._admission.refuse(peer, listener.protocol)
        if reason is not None:
            self._shared.log.tcpip(
                f"Client connection from {peer.text} was not accepted on {local.text}:{listener.port}: {reason}.",
                address=peer.text,
            )
            if not reason.startswith("banned") and listener.tls != "implicit":
                with contextlib.suppress(OSError):
                    accepted.send(self._turned_away.get(listener.protocol, b""))
            accepted.close()
            return
        number = next(self._numbers)
        self._shared.log.tcpip(
            f"TCP - {peer.text} connected to {local.text}:{listener.port}. Session Id: {number}",
            session=number,
            address=peer.text,
            listener=listener.name,
        )
        session = self._make[listener.protocol](listener)
        connection = Connection(
            self._shared,
            number,
            peer,
            local,
            session,
            implicit_tls=listener.tls == "implicit",
            on_end=self._ended,
        )
        self._connections[number] = (connection, session)
        task = self._loop.create_task(self._start(accepted, connection))
        self._starting.add(task)
        task.add_done_callback(self._starting.discard)

    async def _start(self, accepted: socket.socket, connection: Connection) -> None:
        try:
            await self._loop.connect_accepted_socket(lambda: connection, accepted)
        except OSError:
            accepted.close()
            self._ended(connection)

    def _ended(self, connection: Connection) -> None:
        if self._connections.pop(connection.id, None) is not None:
            self._admission.left(connection.peer)
        if self._empty is not None and not self._connections:
            self._empty.set()


def read_buffer() -> memoryview:
    """The buffer that all connections of a loop read through."""
    return memoryview(bytearray(READ_BUFFER))
