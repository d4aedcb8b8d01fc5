"""The listeners of a host: one plain, one TLS, on 127.0.0.1 only; a thread a connection, each request answered in turn.

A ``Gate`` is asked around every request, so that faults are made where their causes are: the connection, not the
answer.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Callable
from io import BufferedReader
from typing import Protocol, cast

from lab.wsman.actions import Actions
from lab.wsman.http import HttpRequest, HttpResponse, RequestError, read_request
from lab.wsman.signon import ENCRYPTED_TYPE, SOAP_TYPE, Credentials, DecryptionError, SignOn
from lab.wsman.soap import Fault, Request, access_denied, fault, read, too_large

HANDSHAKE = 10.0  # seconds for TLS; a client that stalls here holds a thread
IDLE = 120.0  # seconds between two requests of a connection, http.sys's own limit


class CutError(Exception):
    """Ends the connection here and now."""


class Gate(Protocol):
    """Asked around each request; may take its time."""

    def admit(self) -> bool:
        """Whether a new connection is taken."""

    def refuse(self, why: str) -> None:
        """Told of a request that was turned away: ``credentials`` or ``clear text``."""

    def before(self, request: Request) -> None:
        """Before the request has any effect; raises ``CutError``."""

    def after(self, request: Request, answer: bytes) -> float:
        """After its effect: how much of the answer goes out before the connection breaks, 1 for all of it."""


class Server:
    """Serves one host's actions."""

    def __init__(
        self,
        actions: Actions,
        credentials: Credentials,
        tls: ssl.SSLContext,
        certificate_hash: bytes,
        gate: Gate,
        largest: Callable[[], int],
    ) -> None:
        self._actions = actions
        self._credentials = credentials
        self._tls = tls
        self._certificate_hash = certificate_hash
        self._gate = gate
        self._largest = largest
        self._lock = threading.Lock()
        self._listeners: list[socket.socket] = []
        self._connections: dict[socket.socket, bool] = {}
        self._closed: set[bool] = set()

    def serve(self, http: socket.socket, https: socket.socket) -> None:
        """Answers on both listeners."""
        for listener, tls in ((http, False), (https, True)):
            with self._lock:
                self._listeners.append(listener)
            threading.Thread(target=self._accept, args=(listener, tls), daemon=True).start()

    def close(self) -> None:
        """Closes listeners and connections."""
        with self._lock:
            listeners, self._listeners = self._listeners, []
        for listener in listeners:
            with contextlib.suppress(OSError):
                listener.shutdown(socket.SHUT_RDWR)
            listener.close()
        self.cut_all()

    def cut_all(self) -> None:
        """Cuts every connection that there is."""
        for tls in (False, True):
            self._cut(tls)

    def show(self, context: ssl.SSLContext, certificate_hash: bytes) -> None:
        """Has new connections see another certificate."""
        self._tls, self._certificate_hash = context, certificate_hash

    def changed(self, tls: bool, there: bool) -> None:
        """One of the listeners was changed, or removed: it cuts what it carries, as WinRM's does."""
        (self._closed.discard if there else self._closed.add)(tls)
        self._cut(tls)

    def _cut(self, tls: bool) -> None:
        with self._lock:
            connections = [connection for connection, secured in self._connections.items() if secured == tls]
        for connection in connections:
            with contextlib.suppress(OSError):
                # A TLS socket's own would first forget its keys under the thread that reads it.
                socket.socket.shutdown(connection, socket.SHUT_RDWR)

    def _accept(self, listener: socket.socket, tls: bool) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._connection, args=(connection, tls), daemon=True).start()

    def _connection(self, connection: socket.socket, tls: bool) -> None:
        with contextlib.suppress(OSError, ValueError), connection:
            if tls in self._closed or not self._gate.admit():
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if not tls:
                self._known(connection, tls)
                return
            connection.settimeout(HANDSHAKE)
            with self._tls.wrap_socket(connection, server_side=True) as secured:
                self._known(secured, tls)

    def _known(self, connection: socket.socket, tls: bool) -> None:
        """Serves a connection that can be cut meanwhile."""
        with self._lock:
            self._connections[connection] = tls
        try:
            self._serve(connection, tls)
        finally:
            with self._lock:
                del self._connections[connection]

    def _serve(self, connection: socket.socket, tls: bool) -> None:
        connection.settimeout(IDLE)
        sign_on = SignOn(self._credentials, tls, self._certificate_hash if tls else b"")
        with connection.makefile("rb", buffering=256 * 1024) as reader:
            while True:
                try:
                    request = read_request(cast("BufferedReader", reader))
                except RequestError as error:
                    connection.sendall(HttpResponse(error.status, close=True).head())
                    return
                if request is None:
                    return
                try:
                    response = self._respond(request, sign_on, tls)
                except CutError:
                    return
                data = response.head() + response.body
                connection.sendall(data if response.sent >= 1 else data[: int(len(data) * response.sent)])
                if response.sent < 1:
                    return
                if response.close or not request.keep_alive:
                    return

    def _respond(self, request: HttpRequest, sign_on: SignOn, tls: bool) -> HttpResponse:
        if request.path.partition("?")[0].rstrip("/").lower() != "/wsman":
            return HttpResponse(404)
        if request.method != "POST":
            return HttpResponse(405)
        if request.headers.get("wsmanidentify", "").lower() == "unauthenticated":
            return self._identify(request)
        refused = sign_on.check(request)
        if refused is not None:
            if sign_on.failed:
                self._gate.refuse("credentials")
            return refused
        if not request.body:
            return HttpResponse(200)
        try:
            body, encrypted = sign_on.open(request)
        except DecryptionError:
            return HttpResponse(400, close=True)
        if not tls and not encrypted:
            self._gate.refuse("clear text")
            answer, status = fault(access_denied("Unencrypted traffic is disabled on this server."), ""), 500
            return HttpResponse(status, answer, (("Content-Type", SOAP_TYPE),))
        answer, status, sent = self._answer(body)
        if encrypted:
            return HttpResponse(status, sign_on.seal(answer), (("Content-Type", ENCRYPTED_TYPE),), sent=sent)
        return HttpResponse(status, answer, (("Content-Type", SOAP_TYPE),), sent=sent)

    def _answer(self, body: bytes) -> tuple[bytes, int, float]:
        message_id = ""
        try:
            largest = self._largest()
            if len(body) > largest:
                raise too_large(largest)
            request = read(body)
            message_id = request.message_id
            self._gate.before(request)
            answer = self._actions.answer(request)
            return answer, 200, self._gate.after(request, answer)
        except Fault as error:
            return fault(error, message_id), 500, 1.0

    def _identify(self, request: HttpRequest) -> HttpResponse:
        try:
            asked = read(request.body)
            if "Identify" not in "".join(child.tag for child in asked.body):
                raise access_denied("Only Identify is answered without a sign-on.")
            answer, status = self._actions.answer(asked), 200
        except Fault as error:
            answer, status = fault(error, ""), 500
        return HttpResponse(status, answer, (("Content-Type", SOAP_TYPE),))
