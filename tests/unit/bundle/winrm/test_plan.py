"""The plan's verdict and its lines, from what a dry run left."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from pyinfra_winrm.drift import Drift
from pyinfra_winrm.lock import Holder
from pyinfra_winrm.plan import HostPlan, exit_status, render
from pyinfra_winrm.resource import Difference
from pyinfra_winrm.wording import Words

PORT = Drift("@winrm/a", "firewall", "firewall_group", "Mailhost/smtp", Difference("port", 25, 587))
IN_STEP = HostPlan("@winrm/a", None, ())
DRIFTED = HostPlan("@winrm/b", None, (PORT,))
FAILED = HostPlan("@winrm/c", "c: nothing listens", (PORT,))


@pytest.mark.parametrize(
    ("plans", "status"),
    [
        ([IN_STEP], 0),
        ([IN_STEP, DRIFTED], 2),
        ([DRIFTED, FAILED, IN_STEP], 1),
        ([FAILED], 1),
        ([], 1),
    ],
)
def test_an_error_anywhere_is_an_error_and_drift_anywhere_is_drift(plans: list[HostPlan], status: int) -> None:
    assert exit_status(plans) == status


def test_lines_for_people_name_the_host_only_when_there_are_several() -> None:
    assert list(render([DRIFTED], as_json=False)) == [
        "firewall / firewall_group Mailhost/smtp: port: 25 -> 587",
        "1 difference",
    ]
    assert list(render([IN_STEP, FAILED], as_json=False)) == [
        "[@winrm/a] in step",
        "[@winrm/c] firewall / firewall_group Mailhost/smtp: port: 25 -> 587",
        "[@winrm/c] error: c: nothing listens",
    ]


def test_a_deploy_gives_the_words_of_its_reader_and_programs_read_the_same_as_ever() -> None:
    words = Words("변경 없음", "1개", "{count}개", "오류: {error}", "{user} {since}")
    plans = [replace(plan, words=words) for plan in (IN_STEP, DRIFTED, replace(DRIFTED, drift=(PORT, PORT)), FAILED)]
    assert [line for line in render(plans, as_json=False) if "firewall" not in line] == [
        "[@winrm/a] 변경 없음",
        "[@winrm/b] 1개",
        "[@winrm/b] 2개",
        "[@winrm/c] 오류: c: nothing listens",
    ]
    held = replace(plans[0], holder=Holder("r1", "kim@desk", "03:00"))
    assert list(render([held], as_json=False)) == ["kim@desk 03:00", "변경 없음"]
    assert list(render(plans[:1], as_json=True)) == list(render([IN_STEP], as_json=True))


def test_json_has_one_object_a_field_and_one_that_closes_each_host() -> None:
    assert [json.loads(line) for line in render([DRIFTED, FAILED], as_json=True)] == [
        PORT.as_json(),
        {"host": "@winrm/b", "status": "drift", "differences": 1},
        PORT.as_json(),
        {"host": "@winrm/c", "status": "error", "differences": 1, "error": "c: nothing listens"},
    ]


def test_a_run_that_holds_the_lock_is_named_and_changes_no_verdict() -> None:
    held = replace(DRIFTED, holder=Holder("r1", "kim@desk", "2026-11-25T03:00:00+00:00"))
    assert exit_status([held]) == exit_status([DRIFTED])
    lines = list(render([held, IN_STEP], as_json=False))
    assert lines[1] == "[@winrm/b] a run by kim@desk since 2026-11-25T03:00:00+00:00 holds the lock"
    assert sum("holds the lock" in line for line in lines) == 1
    closing = json.loads(list(render([held], as_json=True))[-1])
    assert closing["lock"] == {"run": "r1", "user": "kim@desk", "since": "2026-11-25T03:00:00+00:00"}


def test_what_a_deploy_notes_of_a_host_is_said_and_is_no_drift() -> None:
    noted = replace(IN_STEP, notes=("참고: DANE",))
    assert exit_status([noted]) == 0
    assert list(render([noted], as_json=False)) == ["참고: DANE", "in step"]
    closing = json.loads(list(render([noted], as_json=True))[-1])
    assert closing == {"host": "@winrm/a", "status": "in step", "differences": 0, "notes": ["참고: DANE"]}
