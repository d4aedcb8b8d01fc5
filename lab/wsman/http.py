"""HTTP/1.1 as far as WinRM needs it: one request after the other on a kept connection, bodies of a known length.

Anything else is answered with the status that says so, and the connection ends.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from io import BufferedReader

LONGEST_LINE = 16 * 1024  # bytes; a Negotiate token is the longest header there is
MOST_HEADERS = 64
LARGEST_BODY = 4 * 1024 * 1024  # bytes; an encrypted envelope of the largest size that an operator may configure
STATUS = {
    200: "OK", 400: "Bad Request", 401: "Unauthorized", 404: "Not Found", 405: "Method Not Allowed",
    411: "Length Required", 413: "Payload Too Large", 500: "Internal Server Error", 503: "Service Unavailable",
}  # fmt: skip


class RequestError(Exception):
    """A request that cannot be answered but with a status."""

    def __init__(self, status: int) -> None:
        super().__init__(STATUS[status])
        self.status = status


@dataclass(frozen=True, slots=True)
class HttpRequest:
    """Method, path, headers by lower-case name, body."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def keep_alive(self) -> bool:
        """Whether the client wants the connection kept."""
        return self.headers.get("connection", "").lower() != "close"


@dataclass(frozen=True, slots=True)
class HttpResponse:
    """Status, headers, body; ``sent`` is the part of all that goes out before the connection breaks."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()
    close: bool = False
    sent: float = 1.0

    def head(self) -> bytes:
        """Everything before the body."""
        lines = [f"HTTP/1.1 {self.status} {STATUS[self.status]}", "Server: Microsoft-HTTPAPI/2.0"]
        lines += [f"{name}: {value}" for name, value in self.headers]
        lines += [f"Content-Length: {len(self.body)}", *(["Connection: close"] if self.close else [])]
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


def read_request(reader: BufferedReader) -> HttpRequest | None:
    """The next request, None when the client has closed."""
    line = _line(reader)
    if not line:
        return None
    parts = line.split(" ")
    if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
        raise RequestError(400)
    headers: dict[str, str] = {}
    while True:
        text = _line(reader)
        if not text:
            break
        name, colon, value = text.partition(":")
        if not colon or len(headers) >= MOST_HEADERS:
            raise RequestError(400)
        headers[name.strip().lower()] = value.strip()
    return HttpRequest(parts[0], parts[1], headers, _body(reader, headers))


def _line(reader: BufferedReader) -> str:
    line = reader.readline(LONGEST_LINE)
    if line and not line.endswith(b"\n"):
        raise RequestError(400)
    return line.rstrip(b"\r\n").decode("latin-1")


def _body(reader: BufferedReader, headers: Mapping[str, str]) -> bytes:
    if "transfer-encoding" in headers:
        raise RequestError(411)
    length = headers.get("content-length", "0")
    if not length.isdigit():
        raise RequestError(400)
    if int(length) > LARGEST_BODY:
        raise RequestError(413)
    body = reader.read(int(length))
    if len(body) < int(length):
        raise ConnectionError("the client closed inside a body")
    return body
