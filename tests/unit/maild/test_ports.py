"""Ports for test servers: never the same twice, whoever asks, and never one that is taken."""

from __future__ import annotations

import socket
import tempfile
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

from tests.lib.ports import free_port

ASKERS, EACH = 4, 50
OURS = range(6_700, 7_000)
"""Beside the ports that other tests are given meanwhile."""


@pytest.fixture(autouse=True)
def counter_of_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    yield
    tempfile.tempdir = None


def ask(times: int) -> list[int]:
    return [free_port(OURS) for _ in range(times)]


def test_processes_that_ask_at_once_are_given_different_ports() -> None:
    with ProcessPoolExecutor(ASKERS, mp_context=get_context("spawn")) as pool:
        given = [port for each in pool.map(ask, [EACH] * ASKERS) for port in each]
    assert len(set(given)) == ASKERS * EACH
    assert set(given) <= set(OURS)


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_a_port_that_somebody_has_is_passed_over(kind: socket.SocketKind) -> None:
    first = free_port(OURS)
    with socket.socket(socket.AF_INET, kind) as taken:
        taken.bind(("127.0.0.1", first + 1))
        if kind == socket.SOCK_STREAM:
            taken.listen()
        assert free_port(OURS) > first + 1


def test_no_free_port_is_an_error_and_not_a_port() -> None:
    port = free_port(OURS)
    with socket.create_server(("127.0.0.1", port)), pytest.raises(OSError, match="no free port"):
        free_port(range(port, port + 1))
