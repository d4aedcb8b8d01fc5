"""The model engine's answers: whatever happens in a kind's handler, the request is answered and the session goes on."""

from __future__ import annotations

import errno
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab.engine import requests
from lab.engine.model import ModelEngine
from lab.engine.runlock import RunLock
from lab.kinds import file
from lab.model.host import Host
from lab.wsman.shells import CommandLine, Output
from pyinfra_winrm.errors import RequestFailedError
from pyinfra_winrm.kinds import KINDS, File
from pyinfra_winrm.scripts import command_line
from tests.lib.kindhost import KindHost, RefusedError
from tests.lib.labhost import bare_host

FILE = File(path="C:/Mail/설정.txt", content="글")


@pytest.fixture
def session(tmp_path: Path) -> Iterator[KindHost]:
    with bare_host(tmp_path / "lab") as host:
        output = Output()
        engine = ModelEngine(host, RunLock(host.files), dict)
        process = engine.start(CommandLine(command_line(), 65001, {}, None, False), output)
        yield KindHost(host, process, output)
        process.terminate()


def failing(monkeypatch: pytest.MonkeyPatch, verb: str, error: BaseException) -> None:
    def fails(_host: Host, _request: requests.Request) -> requests.Reply:
        raise error

    monkeypatch.setattr(file, verb, fails)


@pytest.mark.parametrize(
    ("number", "code", "advice"),
    [
        (errno.ENOSPC, "disk-full", "free space on that drive"),
        (errno.EACCES, "access-denied", "connect as a member of Administrators"),
        (errno.ENOENT, "not-found", "check the path or name"),
        (errno.ETXTBSY, "sharing-violation", "close the program"),
        (errno.EIO, "other", ""),
    ],
)
def test_an_error_of_the_system_names_host_cause_and_what_to_do(
    session: KindHost, monkeypatch: pytest.MonkeyPatch, number: int, code: str, advice: str
) -> None:
    real = str(session.host.drive.root / "Mail" / "설정.txt")
    failing(monkeypatch, "apply", OSError(number, os.strerror(number), real))
    with pytest.raises(RefusedError) as refused:
        session.apply(FILE)
    failure = refused.value.failure
    assert failure is not None
    assert (failure.code, failure.what) == (code, "C:\\Mail\\설정.txt")
    text = str(RequestFailedError("mail.example", failure, "file C:/Mail/설정.txt"))
    assert text.startswith("mail.example: ")
    assert "C:\\Mail\\설정.txt" in text
    assert advice in text
    assert session.ask("ping").ok


@pytest.mark.parametrize(
    "error",
    [RuntimeError("broken"), AttributeError("x"), subprocess.TimeoutExpired("mysqld", 5), ZeroDivisionError()],
    ids=lambda error: type(error).__name__,
)
def test_any_other_failure_of_a_handler_is_answered_too(
    session: KindHost, monkeypatch: pytest.MonkeyPatch, error: Exception
) -> None:
    failing(monkeypatch, "apply", error)
    with pytest.raises(RefusedError, match=type(error).__name__):
        session.apply(FILE)
    assert session.ask("ping").ok


def test_an_item_that_cannot_be_read_leaves_the_others_readable(
    session: KindHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing(monkeypatch, "read", OSError(errno.EIO, os.strerror(errno.EIO)))
    session.load("file", "directory")
    items = [{"kind": kind, "key": KINDS["file"].key(FILE)} for kind in ("file", "directory")]
    answers = session.ask("read", items=items).fields["items"]
    assert [answer["state"] for answer in answers] == ["unknown", "absent"]
    assert os.strerror(errno.EIO) in answers[0]["reason"]
