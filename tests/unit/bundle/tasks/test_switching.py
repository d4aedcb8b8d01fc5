"""Switching releases: the new one is looked at, the old one runs again when it does not serve, and the run says so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import pytest

from pyinfra_winrm.commands import Arguments
from pyinfra_winrm.errors import HostError, RequestFailedError
from pyinfra_winrm.kinds import File, Service
from pyinfra_winrm.protocol import Failure
from tasks import report
from tasks.rollback import Before
from tasks.settings import load
from tasks.summary import Check, Report
from tasks.switching import PATIENCE, Switch

ARGUMENTS = Arguments(timeout=0, env={}, folder=None, good_statuses=frozenset({0}))
NEW = Service(name="maild", command=("C:/Mailhost/releases/new/python.exe",))
OLD = Service(name="maild", command=("C:/Mailhost/releases/old/python.exe",))
BEFORE = Before(OLD, "C:/Mailhost/etc/maild.toml", "C:/Mailhost/etc/maild-old.toml")


class Host:
    """What a switch needs of a run: resources applied, and a report that may come good."""

    name = "server"

    def __init__(self, fails: bool = False, files: Mapping[str, bytes] | None = None) -> None:
        self.applied: list[str] = []
        self.fails = fails
        self.files = files or {}
        self.readings = self

    def drop(self) -> None:
        """Forgets nothing, there is nothing."""

    def get(self, path: str) -> bytes:
        if path not in self.files:
            raise RequestFailedError("server", Failure("not-found", "Could not find file.", path))
        return self.files[path]

    def apply(self, resource: Service | File, _timeout: int) -> None:
        if isinstance(resource, File):
            self.applied.append(f"{resource.path}: {resource.content!r}")
            return
        self.applied.append(resource.command[0].split("/")[-2])
        if self.fails and resource is NEW:
            raise HostError("server: service maild ended with status 1")


def switch(
    host: Host, monkeypatch: pytest.MonkeyPatch, *, good_after: int, back: Before | None = BEFORE
) -> tuple[bool, list[str]]:
    asked = 0

    def reported(*_: Any) -> Report:
        nonlocal asked
        asked += 1
        return Report(checks=(Check("host", "SMTP 465", fine=asked > good_after, detail="refused"),))

    monkeypatch.setattr(report, "asked", reported)
    now = iter(range(1000))
    settings = load({"domains": [{"name": "테스트.net"}]})
    command = Switch(NEW, settings, back, clock=lambda: float(next(now)), sleep=lambda _: None)
    return command.perform(cast("Any", host), ARGUMENTS).ok, host.applied


def test_a_release_that_serves_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    assert switch(Host(), monkeypatch, good_after=0) == (True, ["new"])


def test_a_release_gets_time_to_open_its_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    assert switch(Host(), monkeypatch, good_after=int(PATIENCE) - 5) == (True, ["new"])


def test_a_release_that_does_not_serve_gives_way_to_the_one_before(monkeypatch: pytest.MonkeyPatch) -> None:
    host = Host()
    with pytest.raises(HostError, match=r"SMTP 465 \(refused\).*old/python\.exe serves again"):
        switch(host, monkeypatch, good_after=10_000)
    assert host.applied == ["new", "old"]


def test_the_release_before_serves_again_on_the_settings_it_knows(monkeypatch: pytest.MonkeyPatch) -> None:
    host = Host(files={BEFORE.kept_path: b"language = 'ko'"})
    with pytest.raises(HostError, match="serves again"):
        switch(host, monkeypatch, good_after=10_000)
    assert host.applied == ["new", "C:/Mailhost/etc/maild.toml: b\"language = 'ko'\"", "old"]


def test_a_release_that_does_not_start_gives_way_too(monkeypatch: pytest.MonkeyPatch) -> None:
    host = Host(fails=True)
    with pytest.raises(HostError, match=r"status 1.*serves again"):
        switch(host, monkeypatch, good_after=0)
    assert host.applied == ["new", "old"]


def test_a_first_release_has_nothing_to_go_back_to(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(HostError, match="the server does not serve: SMTP 465"):
        switch(Host(), monkeypatch, good_after=10_000, back=None)
