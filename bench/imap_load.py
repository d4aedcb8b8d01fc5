"""The client of the IMAP benchmark, a process of its own: one row against one port, figures as JSON on stdout."""

from __future__ import annotations

import json
import re
import socket
import ssl
import statistics
import sys
import time
from collections.abc import Callable

from bench.dovecot import STRANGERS

ROUNDS = 5
"""Times a step of the large mailbox is measured; the median counts, the first one apart."""
APPENDED = b"From: a@bench.example\r\nSubject: appended\r\n\r\n" + b"x" * 4000 + b"\r\n"


def context() -> ssl.SSLContext:
    """TLS without verification: what is measured is the server."""
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
    return made


class Client:
    """A connection that sends commands and reads to their tagged answers."""

    def __init__(self, port: int, tls: ssl.SSLContext) -> None:
        plain = socket.create_connection(("127.0.0.1", port), timeout=120)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._stream = tls.wrap_socket(plain)
        self._stream.recv(4096)

    def ask(self, command: bytes) -> bytes:
        """Everything up to the tagged answer, which must be OK."""
        self._stream.sendall(b"t " + command + b"\r\n")
        return self.read(b"t ")

    def read(self, start: bytes) -> bytes:
        """Everything up to the line that begins so."""
        data = bytearray()
        tail = re.compile(rb"(?:^|\n)" + re.escape(start) + rb"[^\n]*\r\n$")
        while (found := tail.search(data, max(0, len(data) - 4096))) is None:
            piece = self._stream.recv(1 << 18)
            if not piece:
                raise ConnectionError(bytes(data[-500:]))
            data += piece
        if start == b"t " and not found[0].lstrip(b"\n").startswith(b"t OK"):
            raise ValueError(found[0])
        return bytes(data)

    def send(self, data: bytes) -> None:
        """Bytes."""
        self._stream.sendall(data)

    def login(self, user: str, password: str) -> None:
        """Logs in."""
        self.ask(f'LOGIN "{user}" "{password}"'.encode())

    def close(self) -> None:
        """Ends it."""
        self._stream.close()


def rate(work: Callable[[], None], seconds: float) -> dict[str, float]:
    """How often a second the work is done."""
    work()
    count, started = 0, time.perf_counter()
    while (spent := time.perf_counter() - started) < seconds:
        work()
        count += 1
    return {"rate": round(count / spent, 1)}


def main(port: int, row: str, amount: float, user: str, password: str) -> dict[str, float]:
    """The figures of one row."""
    tls = context()

    def logged_in() -> Client:
        client = Client(port, tls)
        client.login(user, password)
        return client

    def session() -> None:
        client = logged_in()
        client.ask(b"SELECT INBOX")
        client.ask(b"FETCH 1:50 (FLAGS BODY.PEEK[HEADER])")
        client.close()

    if row == "session":
        return rate(session, amount)
    if row == "cold":
        return cold(port, tls, user, password, amount)
    if row == "idle":
        return idle(logged_in, int(amount))
    client = logged_in()
    if row == "large":
        return large(client)
    if row == "headers":
        client.ask(b"SELECT INBOX")
        return rate(lambda: void(client.ask(b"FETCH 1:50 (FLAGS ENVELOPE BODY.PEEK[HEADER])")), amount)
    client.ask(b"CREATE Bench")
    return rate(lambda: void(client.ask(b"APPEND Bench {%d+}\r\n%b" % (len(APPENDED), APPENDED))), amount)


def cold(port: int, tls: ssl.SSLContext, user: str, password: str, seconds: float) -> dict[str, float]:
    """Logins of users who have not logged in before."""
    local, _, domain = user.partition("@")
    numbers = iter(range(STRANGERS))

    def login() -> None:
        client = Client(port, tls)
        client.login(f"{local}{next(numbers)}@{domain}", password)
        client.close()

    return rate(login, seconds)


def void(_: object) -> None:
    """Throws a result away."""


def large(client: Client) -> dict[str, float]:
    """Milliseconds of each step in a large mailbox: the first SELECT, and the median of the warm ones."""
    answer = client.ask(b"STATUS INBOX (MESSAGES)")
    found = re.search(rb"MESSAGES (\d+)", answer)
    assert found
    half = int(found[1]) // 2
    steps = {
        "select": b"SELECT INBOX",
        "fetch_last": b"FETCH * (UID)",
        "search_unseen": b"UID SEARCH UNSEEN",
        "fetch_half": b"FETCH %d (FLAGS)" % half,
    }
    figures: dict[str, float] = {}
    for round_ in range(ROUNDS + 1):
        for name, command in steps.items():
            started = time.perf_counter()
            client.ask(command)
            milliseconds = (time.perf_counter() - started) * 1000
            figures[f"{name}_{round_}"] = milliseconds
    shown = {"select_cold": round(figures["select_0"], 1)}
    for name in steps:
        shown[name] = round(statistics.median(figures[f"{name}_{n}"] for n in range(1, ROUNDS + 1)), 2)
    return shown


def idle(logged_in: Callable[[], Client], count: int) -> dict[str, float]:
    """Holds connections in IDLE until a line comes on stdin."""
    held = []
    for _ in range(count):
        client = logged_in()
        client.ask(b"SELECT INBOX")
        client.send(b"i IDLE\r\n")
        client.read(b"+ ")
        held.append(client)
    print("ready", flush=True)
    sys.stdin.readline()
    return {"held": len(held)}


if __name__ == "__main__":
    arguments = sys.argv[1:]
    print(json.dumps(main(int(arguments[0]), arguments[1], float(arguments[2]), arguments[3], arguments[4])))
