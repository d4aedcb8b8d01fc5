"""Changing the listener that a run came in by: the session ends first, another one confirms, the inventory is told."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from pyinfra_winrm.carrier import DELAY, WAIT, carries, change_carrier
from pyinfra_winrm.errors import HostError
from pyinfra_winrm.kinds import KINDS, WinRMListener
from pyinfra_winrm.lock import RunLock
from pyinfra_winrm.run import HostRun
from pyinfra_winrm.settings import Connection
from tests.lib.scriptedhost import ScriptedHost, ScriptedLink, Ticking, settings

OLD, NEW = "a" * 64, "b" * 64
ONE, OTHER = "1" * 40, "2" * 40
LISTENER = WinRMListener(hostname="server", thumbprint=OTHER)


class Door:
    """A host whose listener changes some time after it was told to."""

    def __init__(self, *, takes: float = DELAY) -> None:
        self.clock = Ticking()
        self.takes = takes
        self.now = {"port": 5986, "hostname": "server", "thumbprint": ONE}
        self.told: dict[str, Any] | None = None
        self.told_at = 0.0
        self.host = ScriptedHost(self.answer)
        self.reports: list[str] = []

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        match request["verb"]:
            case "read":
                return {"items": [{"state": "present", "value": dict(self.now)}]}
            case "apply":
                assert request["key"]["thumbprint"] == OTHER
                self.told, self.told_at = request["desired"], self.clock.now
                return {"state": {"state": "present", "value": dict(self.now), "fingerprint": NEW}}
            case _:
                return {}

    def link(self, way: Connection) -> ScriptedLink:
        if self.told is not None and self.clock.now >= self.told_at + self.takes:
            self.now = {name: self.told[name] for name in self.now}
        shown = NEW if self.now["thumbprint"] == OTHER else OLD
        if way.port != self.now["port"]:
            raise requests.ConnectionError("nobody there") from ConnectionRefusedError()
        if way.fingerprint not in (None, shown):
            message = f'Fingerprints did not match. Expected "{way.fingerprint}", got "{shown}"'
            raise requests.exceptions.SSLError(message)
        return ScriptedLink(self.host)

    def run(self, **changed: Any) -> HostRun:
        run = HostRun(
            "@winrm/server", settings(**{"winrm_fingerprint": OLD} | changed), dict(KINDS), self.reports.append
        )
        run.session.link = Link(self).open
        run.lock = RunLock(run.session, 5, 60, self.reports.append)
        return run

    def change(self, run: HostRun, listener: WinRMListener = LISTENER) -> None:
        change_carrier(run, listener, 0, clock=self.clock, sleep=self.clock.sleep)


class Link:
    """Opens nothing before it is asked to, as a ``Wire`` does."""

    def __init__(self, door: Door) -> None:
        self.door = door

    def open(self, way: Connection) -> Any:
        door = self.door

        class Late(ScriptedLink):
            def open(self, command_line: str) -> None:
                door.link(way)
                super().open(command_line)

        return Late(door.host)


def test_only_the_transport_that_the_run_uses_carries_it() -> None:
    run = Door().run()
    assert carries(run, LISTENER)
    assert not carries(run, WinRMListener(transport="HTTP", port=5985))


def test_the_session_ends_before_the_change_and_the_run_goes_on_with_the_new_certificate() -> None:
    door = Door()
    run = door.run()
    assert run.begin_change()
    door.change(run)
    assert door.told is not None
    assert door.told["later"] == DELAY
    assert door.host.closed >= 1
    assert run.session.settings.fingerprint == NEW
    assert run.differences(LISTENER, run.readings.states([LISTENER])[0]) == ()
    assert run.begin_change(), "the lock went with the session"
    assert door.reports == [f'reached again; put winrm_fingerprint = "{NEW}" into the inventory']


def test_a_listener_that_moved_is_found_at_its_new_port() -> None:
    door = Door()
    run = door.run()
    door.change(run, WinRMListener(hostname="server", thumbprint=OTHER, port=15986))
    assert run.session.settings.port == 15986
    assert [line.partition(" into")[0] for line in door.reports] == [
        "reached again; put winrm_port = 15986",
        f'reached again; put winrm_fingerprint = "{NEW}"',
    ]


def test_without_a_pin_nothing_but_the_authority_decides_and_nothing_is_told() -> None:
    door = Door()
    run = door.run(winrm_fingerprint=None)
    door.change(run)
    assert run.session.settings == run.settings
    assert door.reports == []


def test_a_slow_host_is_waited_for() -> None:
    door = Door(takes=WAIT / 2)
    door.change(door.run())
    assert door.now["thumbprint"] == OTHER


def test_a_change_that_is_never_made_is_an_error_that_says_what_the_host_still_has() -> None:
    door = Door(takes=10 * WAIT)
    run = door.run(winrm_fingerprint=None)
    with pytest.raises(HostError, match=f"server: winrm_listener HTTPS .*still has thumbprint: {ONE} -> {OTHER}"):
        door.change(run)
    assert run.session.settings == run.settings


def test_removing_the_way_in_is_refused_before_anything_is_asked() -> None:
    door = Door()
    run = door.run()
    with pytest.raises(HostError, match="would leave no way back: connect with the other winrm_scheme"):
        door.change(run, WinRMListener(state="absent"))
    assert door.host.verbs() == []
