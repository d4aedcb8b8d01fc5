"""A raw SMTP client for tests: sends exactly the bytes it is given and shows each reply."""

from __future__ import annotations

import base64
import socket
import ssl
from types import TracebackType
from typing import Self

PATIENCE = 60
"""Seconds for a reply on a loaded machine; nothing is judged by it."""


def client_context() -> ssl.SSLContext:
    """TLS without looking at the certificate: here it is about SMTP."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


class Wire:
    """One connection; ``source`` is the address it comes from."""

    def __init__(self, port: int, *, tls: bool = False, source: str = "127.0.0.1", host: str = "127.0.0.1") -> None:
        plain = socket.create_connection((host, port), timeout=PATIENCE, source_address=(source, 0))
        self.socket: socket.socket = client_context().wrap_socket(plain) if tls else plain
        self._data = b""
        self.greeting = self.reply()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.socket.close()

    def send(self, data: bytes | str) -> None:
        """Sends bytes as they are; a connection that the server has closed takes them silently."""
        try:
            self.socket.sendall(data.encode() if isinstance(data, str) else data)
        except OSError:
            return

    def reply(self) -> str:
        """The next reply, its lines joined; empty when the connection is closed."""
        lines: list[str] = []
        while True:
            line = self._line()
            if not line:
                return "\n".join(lines)
            lines.append(line)
            if line[3:4] != "-":
                return "\n".join(lines)

    def ask(self, line: bytes | str) -> str:
        """Sends one line and returns its reply."""
        self.send((line.encode() if isinstance(line, str) else line) + b"\r\n")
        return self.reply()

    def start_tls(self) -> str:
        """STARTTLS and EHLO again; returns the second's reply."""
        said = self.ask("STARTTLS")
        assert said.startswith("220"), said
        self.socket = client_context().wrap_socket(self.socket)
        return self.ask("EHLO client.example")

    def log_in(self, user: str, password: str) -> str:
        """AUTH PLAIN."""
        return self.ask(b"AUTH PLAIN " + base64.b64encode(f"\0{user}\0{password}".encode()))

    def _line(self) -> str:
        while b"\n" not in self._data:
            try:
                more = self.socket.recv(65536)
            except OSError:
                more = b""
            if not more:
                rest, self._data = self._data, b""
                return rest.decode("utf-8", "replace")
            self._data += more
        line, _, self._data = self._data.partition(b"\n")
        return line.decode("utf-8", "replace").rstrip("\r")
