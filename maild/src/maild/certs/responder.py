"""Answers HTTP-01 challenges (RFC 8555 section 8.3): by a listener of our own, or by files another server serves.

Both are open only while something is ordered or checked. The listener knows its tokens and nothing else.
"""

from __future__ import annotations

import contextlib
import re
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Protocol

from maild.certs.errors import ResponderError
from maild.net.listener import open_socket

PATH = "/.well-known/acme-challenge/"
_TOKEN = re.compile(r"[A-Za-z0-9_-]{1,256}")
REQUEST_SECONDS = 10
"""Time a client of the listener has for its request."""


class Responder(Protocol):
    """Shows a text under a token."""

    def show(self, token: str, text: str) -> None:
        """From now on."""
        ...

    def hide(self, token: str) -> None:
        """No longer."""
        ...


@contextlib.contextmanager
def responding(webroot: Path | None, bind: str, port: int) -> Iterator[Responder]:
    """A responder for the time of the block; raises ``ResponderError`` when it cannot work."""
    if webroot is not None:
        yield Webroot(webroot)
        return
    listener = _Listener(bind, port)
    try:
        yield listener
    finally:
        listener.close()


@dataclass(frozen=True, slots=True)
class Webroot:
    """Files in a folder that another web server serves at the path of challenges."""

    folder: Path

    def show(self, token: str, text: str) -> None:
        """Writes the file of a token."""
        try:
            self.folder.mkdir(parents=True, exist_ok=True)
            (self.folder / _checked(token)).write_bytes(text.encode("ascii"))
        except OSError as error:
            raise ResponderError(f"acme.webroot {self.folder}: {error.strerror or error}") from error

    def hide(self, token: str) -> None:
        """Removes it."""
        with contextlib.suppress(OSError):
            (self.folder / _checked(token)).unlink()


@dataclass(slots=True)
class _Shown:
    texts: dict[str, str] = field(default_factory=dict)


class _Listener:
    """A small HTTP server in a thread."""

    def __init__(self, bind: str, port: int) -> None:
        self._shown = _Shown()
        shown = self._shown

        class Handler(BaseHTTPRequestHandler):
            """Answers one request."""

            timeout = REQUEST_SECONDS

            def do_GET(self) -> None:
                """Shows the text of a token, 404 for anything else."""
                text = shown.texts.get(self.path.removeprefix(PATH)) if self.path.startswith(PATH) else None
                body = (text or "There is nothing here but ACME challenges.\n").encode("ascii")
                self.send_response(404 if text is None else 200)
                self.send_header("Content-Type", "application/octet-stream" if text else "text/plain")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """Says nothing: whoever ordered reports."""

        try:
            listening = open_socket(bind, port)
        except OSError as error:
            raise ResponderError(
                f"port {port} is needed for ACME challenges and cannot be opened ({error.strerror or error}); "
                "when a web server has it, set acme.webroot to a folder it serves"
            ) from error
        self._server = ThreadingHTTPServer(("", 0), Handler, bind_and_activate=False)
        self._server.socket.close()
        self._server.socket = listening
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.1,), daemon=True)
        self._thread.start()

    def show(self, token: str, text: str) -> None:
        """From now on."""
        self._shown.texts[_checked(token)] = text

    def hide(self, token: str) -> None:
        """No longer."""
        self._shown.texts.pop(token, None)

    def close(self) -> None:
        """Closes the port."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _checked(token: str) -> str:
    """A token that is safe as a file name (RFC 8555 section 8.3: base64url)."""
    if not _TOKEN.fullmatch(token):
        raise ResponderError("the ACME server sent a token that is none")
    return token
