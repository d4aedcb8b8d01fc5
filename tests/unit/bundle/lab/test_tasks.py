from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import pytest

from lab.model import tasks
from lab.model.errors import HostError
from lab.model.host import Host
from tests.lib.labhost import bare_host

XML = """<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <Triggers><CalendarTrigger><StartBoundary>2026-01-01T03:10:00</StartBoundary>
    <ScheduleByDay><DaysInterval>1</DaysInterval></ScheduleByDay></CalendarTrigger></Triggers>
  <Principals><Principal id="Author"><UserId>{user}</UserId></Principal></Principals>
  <Actions Context="Author"><Exec><Command>C:\\App\\python.exe</Command>
    <Arguments>-c "import os; print(sorted(os.environ)); raise SystemExit({code})"</Arguments></Exec></Actions>
</Task>"""
PATH = "\\Mailhost\\갱신"


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    with bare_host(tmp_path / "lab") as host:
        host.programs.make_interpreter("C:\\App")
        yield host


@pytest.mark.parametrize("user", ["SYSTEM", "NT AUTHORITY\\SYSTEM", "S-1-5-18"])
def test_a_definition_reads_back_with_sid_and_uri_however_the_account_was_named(host: Host, user: str):
    host.tasks.register(PATH, XML.format(user=user, code=0))
    xml = host.tasks.xml("\\MAILHOST\\갱신")
    assert xml is not None
    assert "<UserId>S-1-5-18</UserId>" in xml
    assert f"<URI>{PATH}</URI>" in xml


def test_registering_what_reads_back_is_no_change(host: Host):
    host.tasks.register(PATH, XML.format(user="SYSTEM", code=0))
    before = len(host.journal.entries())
    host.tasks.register(PATH, host.tasks.xml(PATH) or "")
    assert len(host.journal.entries()) == before


def test_a_task_runs_its_own_command_line_in_a_bare_environment(host: Host, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LEAK", "1")
    host.tasks.register(PATH, XML.format(user="SYSTEM", code=3))
    assert host.tasks.info(PATH)["last_result"] == tasks.NEVER_RAN
    ran = host.tasks.run(PATH)
    assert ran["rc"] == 3
    assert "LEAK" not in ran["out"]
    assert host.tasks.info(PATH)["last_result"] == 3


def test_a_task_whose_account_has_no_access_does_not_run(host: Host):
    host.tasks.register(PATH, XML.format(user="S-1-5-19", code=0))
    host.files.set_sddl("C:\\App", "D:PAI(A;OICI;FA;;;BA)")
    with pytest.raises(HostError) as refused:
        host.tasks.run(PATH)
    assert refused.value.win32 == 5


@pytest.mark.parametrize(
    "xml",
    [
        "",
        "<Task/>",
        '<?xml version="1.0" encoding="UTF-8"?>' + XML,
        XML.replace("Actions", "Nothing"),
        XML.replace("<Exec>", ""),
    ],
)
def test_what_the_service_would_not_take_is_refused(host: Host, xml: str):
    with pytest.raises(HostError):
        host.tasks.register(PATH, xml)


def test_an_account_that_nobody_has_is_refused(host: Host):
    with pytest.raises(HostError):
        host.tasks.register(PATH, XML.format(user="nobody", code=0))


@pytest.mark.parametrize(
    ("since", "until", "fires"),
    [
        ("2026-02-01T03:09:00", "2026-02-01T03:10:00", True),
        ("2026-02-01T03:10:00", "2026-02-01T04:00:00", False),
        ("2025-01-01T00:00:00", "2025-12-31T00:00:00", False),
        ("2026-02-01T00:00:00", "2026-02-03T00:00:00", True),
    ],
)
def test_a_daily_trigger_is_due_when_its_time_lies_in_between(since: str, until: str, fires: bool):
    xml = tasks.normalised(XML.format(user="x", code=0), PATH, lambda _: "S-1-5-18")
    assert tasks.due(xml, datetime.fromisoformat(since), datetime.fromisoformat(until)) == [fires]
