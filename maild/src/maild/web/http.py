"""One HTTP exchange a connection: a request is read by h11 within bounds, answered, and the connection ends.

Guarantees that every request is answered or its connection closed, and that no client holds one longer than
``REQUEST_SECONDS``. What an answer says is for ``maild.web.leave`` to decide.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from http import HTTPStatus

import h11

from maild.net import Stream, StreamStopped, StreamTimeout
from maild.store.errors import StoreError

MAX_HEAD = 16 * 1024
"""Octets of a request's line and header fields."""
MAX_BODY = 16 * 1024
"""Octets of a request's body: a form of one field."""
REQUEST_SECONDS = 20
"""Time a client has for its whole request."""
_METHODS = frozenset({"GET", "HEAD", "POST"})


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked. ``path`` is without a query; ``language`` is what Accept-Language names first, or empty."""

    method: str
    path: str
    body: bytes = b""
    language: str = ""


@dataclass(frozen=True, slots=True)
class Page:
    """What is answered, as HTML."""

    status: HTTPStatus
    html: str = ""


Answer = Callable[[Request], Awaitable[Page]]


async def exchange(stream: Stream, answer: Answer) -> None:
    """Serves one request; raises ``StreamClosed`` for a client that is gone."""
    protocol = h11.Connection(h11.SERVER, max_incomplete_event_size=MAX_HEAD)
    request: Request | None = None
    try:
        async with asyncio.timeout(REQUEST_SECONDS):
            request = await _request(stream, protocol)
        page = await answer(request)
    except _RefusedError as error:
        page = Page(error.status)
    except h11.RemoteProtocolError as error:
        page = Page(HTTPStatus(error.error_status_hint))
    except (TimeoutError, StreamTimeout):
        page = Page(HTTPStatus.REQUEST_TIMEOUT)
    except (StoreError, StreamStopped):
        page = Page(HTTPStatus.SERVICE_UNAVAILABLE)
    _note(stream, request, page)
    stream.write(_response(protocol, page, body=request is None or request.method != "HEAD"))


class _RefusedError(Exception):
    """The request is well formed and not taken."""

    def __init__(self, status: HTTPStatus) -> None:
        super().__init__(status.phrase)
        self.status = status


async def _request(stream: Stream, protocol: h11.Connection) -> Request:
    head: h11.Request | None = None
    body = b""
    while True:
        event = protocol.next_event()
        if event is h11.NEED_DATA:
            if protocol.they_are_waiting_for_100_continue:
                stream.write(protocol.send(h11.InformationalResponse(status_code=100, headers=[])) or b"")
            protocol.receive_data(await stream.some(REQUEST_SECONDS))
        elif isinstance(event, h11.Request):
            head = event
        elif isinstance(event, h11.Data):
            body += event.data
            if len(body) > MAX_BODY:
                raise _RefusedError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        elif head is None or not isinstance(event, h11.EndOfMessage):
            raise _RefusedError(HTTPStatus.BAD_REQUEST)
        else:
            return _read(head, body)


def _read(head: h11.Request, body: bytes) -> Request:
    method = head.method.decode("ascii")
    if method not in _METHODS:
        raise _RefusedError(HTTPStatus.NOT_IMPLEMENTED)
    languages = next((value for name, value in head.headers if name == b"accept-language"), b"").decode("latin-1")
    path = head.target.partition(b"?")[0].decode("latin-1")
    return Request(method, path, body, languages.partition(",")[0].partition(";")[0].partition("-")[0].strip().lower())


def _response(protocol: h11.Connection, page: Page, *, body: bool) -> bytes:
    content = page.html.encode() or f"{page.status.value} {page.status.phrase}\n".encode()
    kind = "text/html; charset=utf-8" if page.html else "text/plain; charset=utf-8"
    headers = [
        ("Content-Type", kind),
        ("Content-Length", str(len(content))),
        ("Connection", "close"),
        ("Cache-Control", "no-store"),
        ("Content-Security-Policy", "default-src 'none'; form-action 'self'; frame-ancestors 'none'"),
        ("Referrer-Policy", "no-referrer"),
        ("X-Content-Type-Options", "nosniff"),
    ]
    protocol = protocol if protocol.our_state in {h11.IDLE, h11.SEND_RESPONSE} else h11.Connection(h11.SERVER)
    start = protocol.send(h11.Response(status_code=page.status.value, reason=page.status.phrase, headers=headers))
    return (start or b"") + (content if body else b"")


def _note(stream: Stream, request: Request | None, page: Page) -> None:
    """What was asked, but for the last part of its path: that is a member's key."""
    connection = stream.connection
    asked = f"{request.method} {request.path.rpartition('/')[0]}/***" if request else "no request"
    connection.log.received("HTTPD", connection.id, connection.peer.text, asked[:500])
    connection.log.sent("HTTPD", connection.id, connection.peer.text, f"{page.status.value} {page.status.phrase}")
