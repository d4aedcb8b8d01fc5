"""A run on one host: read, lock, read again, change, read back, compare; and what is printed about it."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyinfra_winrm.drift import Drift, DriftRecord
from pyinfra_winrm.errors import HostError
from pyinfra_winrm.lock import RunLock
from pyinfra_winrm.resource import Absent, Difference, Kind, Present, State, Unknown
from pyinfra_winrm.run import HostRun
from pyinfra_winrm.secret import Secret
from tests.lib.scriptedhost import ScriptedHost, Ticking, failure, settings


@dataclass(frozen=True, kw_only=True)
class Note:
    kind: ClassVar[str] = "note"
    name: str
    text: str
    stubborn: bool = False

    @property
    def label(self) -> str:
        return self.name


def differences(note: Note, state: State) -> tuple[Difference, ...]:
    match state:
        case Present(value) if value["text"] != note.text:
            return (Difference("text", value["text"], note.text),)
        case Absent():
            return (Difference("state", "absent", "present"),)
        case _:
            return ()


NOTE = Kind(
    "note", Note, Path(__file__), lambda note: {"name": note.name},
    lambda note: {"state": "present", "name": note.name, "text": note.text, "stubborn": note.stubborn}, differences,
)  # fmt: skip


class Wall:
    """A host with notes on it."""

    def __init__(self) -> None:
        self.notes: dict[str, str] = {}
        self.holder: dict[str, str] | None = None
        self.host = ScriptedHost(self.answer)
        self.reports: list[str] = []

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        match request["verb"]:
            case "read":
                return {"items": [self.state(item["key"]["name"]) for item in request["items"]]}
            case "apply":
                wanted = request["desired"]
                if not wanted["stubborn"]:
                    self.notes[wanted["name"]] = wanted["text"]
                return {"state": self.state(wanted["name"])}
            case "lock" if self.holder:
                return {"held": self.holder}
            case _:
                return {}

    def state(self, name: str) -> Mapping[str, Any]:
        if name == "hidden":
            return {"state": "unknown", "reason": "the lamp is off"}
        return {"state": "present", "value": {"text": self.notes[name]}} if name in self.notes else {"state": "absent"}

    def run(self) -> HostRun:
        run = HostRun("@winrm/server", settings(), {"note": NOTE}, self.reports.append)
        run.session = self.host.session()
        run.lock = RunLock(run.session, 5, 60, self.reports.append)
        run.readings._session = run.session
        return run


def reads(host: ScriptedHost) -> list[list[str]]:
    return [[item["key"]["name"] for item in asked["items"]] for asked in host.asked if asked["verb"] == "read"]


A, B, C = (Note(name=name, text=f"text of {name}") for name in "abc")


def test_announced_resources_are_read_in_one_request_and_again_after_a_change() -> None:
    wall = Wall()
    run = wall.run()
    run.readings.announce([A, B, C])
    assert run.drifting("one", [A])[0] == [A]
    assert run.drifting("two", [B, C])[0] == [B, C]
    assert reads(wall.host) == [["a", "b", "c"]]
    run.apply(A, 0)
    run.readings.finish([A])
    assert run.drifting("two", [B])[0] == [B]
    assert run.drifting("three", [C])[0] == [C]
    assert reads(wall.host)[1:] == [["b", "c"]]


def test_lock_is_taken_before_the_first_change_only_and_what_was_read_is_dropped() -> None:
    wall = Wall()
    run = wall.run()
    run.drifting("one", [A])
    assert run.begin_change()
    assert run.drifting("one", [A])[0] == [A]
    assert not run.begin_change()
    run.apply(A, 0)
    assert wall.host.verbs().count("lock") == 1
    assert len(reads(wall.host)) == 2
    run.close()
    assert wall.host.verbs()[-1] == "unlock"


def test_lock_is_kept_by_signs_of_life_and_can_be_taken_again() -> None:
    wall = Wall()
    run = wall.run()
    run.lock.lease = 0
    for _ in range(2):
        assert run.begin_change()
        until = time.monotonic() + 60
        while "ping" not in wall.host.verbs() and time.monotonic() < until:
            time.sleep(0.01)
        assert "ping" in wall.host.verbs()
        run.close()
        wall.host.asked.clear()


def test_plan_only_reads() -> None:
    wall = Wall()
    run = wall.run()
    run.drifting("one", [A, B])
    run.close()
    assert set(wall.host.verbs()) == {"load", "facts", "read"}


def test_second_run_waits_then_names_the_holder() -> None:
    wall = Wall()
    wall.holder = {"run": "r1", "user": "kim@desk", "start": "2026-11-25T03:00:00+00:00"}
    run = wall.run()
    clock = Ticking()
    run.lock.clock, run.lock.sleep = clock, clock.sleep
    with pytest.raises(HostError, match=r"run r1 of kim@desk, started 2026-11-25T03:00:00\+00:00, is changing this"):
        run.begin_change()
    assert wall.reports == [
        "waiting for run r1 of kim@desk, started 2026-11-25T03:00:00+00:00, which is changing this host"
    ]
    assert "apply" not in wall.host.verbs()


def test_change_that_the_host_does_not_confirm_fails_naming_the_fields() -> None:
    wall = Wall()
    run = wall.run()
    wall.notes["a"] = "old"
    with pytest.raises(HostError, match="note a: changed, but the host still has text: old -> new"):
        run.apply(Note(name="a", text="new", stubborn=True), 0)


@pytest.mark.parametrize("held_for", [5.0, 60.0])
def test_file_held_open_is_waited_for_but_not_for_ever(held_for: float) -> None:
    wall = Wall()
    run = wall.run()
    clock = Ticking()
    run.clock, run.sleep = clock, clock.sleep
    plain = wall.host.answer

    def held(request: dict[str, Any]) -> dict[str, Any] | None:
        if request["verb"] == "apply" and clock.now < held_for:
            return dict(failure("sharing-violation", "in use", "C:\\note"))
        return plain(request)

    wall.host.answer = held
    if held_for > 30:
        with pytest.raises(HostError, match="close the program that holds it open"):
            run.apply(A, 0)
    else:
        run.apply(A, 0)
        assert wall.notes == {"a": A.text}


def test_state_that_cannot_be_told_is_drift() -> None:
    run = Wall().run()
    note = Note(name="hidden", text="")
    drifting, new = run.drifting("one", [note])
    assert drifting == [note]
    assert [drift.line() for drift in new] == ["one / note hidden: state: unknown (the lamp is off) -> known"]
    assert run.differences(A, Unknown("x"))


def test_field_is_reported_once_a_run() -> None:
    wall = Wall()
    run = wall.run()
    assert len(run.drifting("one", [A, B])[1]) == 2
    assert run.drifting("one", [A, B])[1] == []
    assert len(run.drift.found) == 2


@given(st.text(min_size=4), st.booleans())
def test_secret_never_reaches_a_line(text: str, flagged: bool) -> None:
    text = f"canary-{text}-canary"
    value: Any = text if flagged else {"password": Secret(text)}
    difference = Difference("password", value, value, secret=flagged)
    drift = Drift("h", "task", "account", "id@테스트.net", difference)
    assert text not in drift.line()
    assert text not in str(drift.as_json())


def test_lines_show_values_as_people_write_them() -> None:
    record = DriftRecord("h")
    found = record.add("t", "k", "l", (Difference("port", 25, 587), Difference("names", ("a",), ["a", "테스트"])))
    assert [drift.field_line() for drift in found] == ["port: 25 -> 587", 'names: ["a"] -> ["a", "테스트"]']
    long = record.add("t", "k", "l", (Difference("x", "y" * 500, None),))[0].field_line()
    assert len(long) < 150
