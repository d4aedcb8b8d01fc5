"""What the machine that deploys sees of the server: a greeting on each open port, through TLS where TLS comes first.

Certificates are shown by the server itself later on and not judged here; a self-signed one is the normal first state.
"""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator

from tasks.settings import Listener, Settings
from tasks.summary import Check

PATIENCE = 5.0  # seconds for a connection and its greeting
GREETINGS = {"smtp": b"220 ", "imap": b"* OK", "pop3": b"+OK", "http": b"HTTP/1.1 "}
ASKED = {"http": b"HEAD / HTTP/1.1\r\nHost: localhost\r\n\r\n"}  # what a client says first, where it does


def checks(settings: Settings, address: str) -> Iterator[Check]:
    """One line for each open listener."""
    for _, listener in settings.listeners.enabled():
        what = f"{listener.protocol.upper()} {listener.port}"
        failure = _failure(address, settings.bound_port(listener), listener)
        yield Check("controller", what, fine=not failure, detail=failure)


def _failure(address: str, port: int, listener: Listener) -> str:
    """Why the port does not greet as it should; empty when it does."""
    try:
        with socket.create_connection((address, port), PATIENCE) as plain:
            if listener.tls != "implicit":
                return _greeting(plain, listener)
            with _unchecked().wrap_socket(plain) as secured:
                return _greeting(secured, listener)
    except OSError as error:
        return str(error.strerror or error)


def _greeting(connection: socket.socket, listener: Listener) -> str:
    connection.sendall(ASKED.get(listener.protocol, b""))
    said = connection.recv(512)
    return "" if said.startswith(GREETINGS[listener.protocol]) else f"it says {said[:60]!r}"


def _unchecked() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context
