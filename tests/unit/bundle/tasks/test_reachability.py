"""What the controller sees: a greeting, something else, nothing; never a reason to fail a deploy."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from tasks import reachability
from tasks.settings import Settings, load


@contextmanager
def greeting(text: bytes) -> Iterator[int]:
    """A server that says one line to whoever comes."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection:
            connection.sendall(text)
            connection.recv(1)

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield listener.getsockname()[1]
    finally:
        listener.close()


def settings(port: int) -> Settings:
    off = {name: {"enabled": False} for name in ("submissions", "submission", "imaps")}
    return load({"domains": [{"name": "테스트.net"}], "listeners": {"smtp": {"port": port}, **off}})


def seen(port: int) -> tuple[str, str, bool]:
    (check,) = reachability.checks(settings(port), "127.0.0.1")
    return check.origin, check.detail, check.fine


def test_a_port_that_greets_is_fine() -> None:
    with greeting(b"220 smtp.xn--9t4b11yi5a.net ESMTP\r\n") as port:
        assert seen(port) == ("controller", "", True)


def test_what_a_port_says_instead_is_shown() -> None:
    with greeting(b"421 4.3.2 later\r\n") as port:
        origin, detail, fine = seen(port)
    assert (origin, fine) == ("controller", False)
    assert "421 4.3.2" in detail


def test_a_closed_port_is_told_with_its_reason() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    _, detail, fine = seen(port)
    assert not fine
    assert "refused" in detail
