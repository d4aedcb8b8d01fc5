from __future__ import annotations

import errno
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import seam
from lab.model.errors import HostError
from lab.model.host import Host
from tests.lib.labhost import bare_host


@pytest.fixture
def served(tmp_path: Path) -> Iterator[tuple[Host, seam.Seam]]:
    with bare_host(tmp_path / "lab") as host:
        made = seam.Seam(seam.calls(host), "token")
        threading.Thread(target=made.serve, daemon=True).start()
        yield host, made
        made.close()


def test_calls_reach_the_primitives_and_bytes_travel(served: tuple[Host, seam.Seam]):
    host, made = served
    seam.call(made.port, "token", "files.write", {"path": "C:\\한글", "data": b"\x00\xff"})
    assert host.files.read("C:\\한글") == b"\x00\xff"
    assert seam.call(made.port, "token", "files.read", {"path": "C:\\한글"}) == b"\x00\xff"


def test_a_refusal_arrives_with_code_and_number(served: tuple[Host, seam.Seam]):
    with pytest.raises(HostError) as refused:
        seam.call(served[1].port, "token", "files.read", {"path": "C:\\missing"})
    assert (refused.value.code, refused.value.win32) == ("not-found", 2)


def test_another_token_is_refused(served: tuple[Host, seam.Seam]):
    with pytest.raises(HostError) as refused:
        seam.call(served[1].port, "guess", "system.facts")
    assert refused.value.code == "access-denied"


@pytest.mark.parametrize(
    "line",
    [b"", b"{", b"[]", b"null", b'{"token":"token"}', b'{"token":"token","call":"files.stat","args":{"x":1}}',
     b'{"token":"token","call":"state.section","args":{}}', b'{"token":"token","call":"files.stat","args":[1]}'],
)  # fmt: skip
def test_what_is_no_call_is_answered_as_an_error(served: tuple[Host, seam.Seam], line: bytes):
    reply = served[1].answer(line)
    assert reply["ok"] is False
    json.dumps(reply)


def test_an_error_of_the_system_is_answered_and_the_connection_stays(served: tuple[Host, seam.Seam]):
    host, made = served
    made._offered = {**made._offered, "files.read": full}  # type: ignore[dict-item]
    for _ in range(2):
        with pytest.raises(HostError) as refused:
            seam.call(made.port, "token", "files.read", {"path": "C:\\x"})
        assert (refused.value.code, refused.value.win32) == ("disk-full", 112)
    assert host.files.stat("C:\\x") is None


def full(**_: object) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
