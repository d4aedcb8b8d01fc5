"""What kinds refuse and how they say it, on both engines: foreign owners, held files, edited tasks."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from lab.kinds import builtin
from lab.model import tasks
from pyinfra_winrm.kinds import Acl, Allow, Directory, File, FirewallGroup, ScheduledTask, TimeSync
from pyinfra_winrm.kinds.scheduled_task import task_xml
from pyinfra_winrm.resource import Difference, Unknown
from pyinfra_winrm.secret import Secret
from tests.lib.kindhost import KindHost, refused

pytestmark = pytest.mark.pwsh
CLOSED = Acl((Allow("SYSTEM", "full"), Allow("Administrators", "full")))


def test_a_folder_of_another_owner_is_refused_unless_it_is_adopted(host: KindHost) -> None:
    host.host.files.create_directory("C:\\Case\\foreign")
    host.host.files.set_sddl("C:\\Case\\foreign", "O:S-1-5-21-1-2-3-1001D:(A;OICI;FA;;;WD)")
    folder = Directory(path="C:/Case/foreign", acl=CLOSED, adopt=False)
    error = refused(host, folder)
    assert error.failure is not None
    assert error.failure.code == "access-denied"
    assert "S-1-5-21-1-2-3-1001" in error.failure.message
    assert host.apply(replace(folder, adopt=True)) == ()


def test_a_folder_with_something_in_it_is_removed_only_by_purge(host: KindHost) -> None:
    host.apply(Directory(path="C:/Case/full"))
    host.apply(File(path="C:/Case/full/file", content="x"))
    gone = Directory(path="C:/Case/full", state="absent")
    refused(host, gone)
    assert host.apply(replace(gone, purge=True)) == ()


def test_a_file_in_the_place_of_a_folder_is_unknown_and_refused(host: KindHost) -> None:
    host.apply(File(path="C:/Case/either", content="x"))
    assert host.read(Directory(path="C:/Case/either")) == [Unknown("a file is in its place")]
    refused(host, Directory(path="C:/Case/either"))
    refused(host, File(path="C:/Case", content="x"))


def test_a_junction_in_the_place_of_a_folder_or_file_is_refused_and_not_followed(host: KindHost) -> None:
    host.apply(Directory(path="C:/Case/pointed", acl=CLOSED))
    before = host.host.files.sddl("C:\\Case\\pointed")
    host.host.files.create_junction("C:\\Case\\pointing", "C:\\Case\\pointed")
    everybody = Acl((Allow("Users", "full"),))
    for resource in (Directory(path="C:/Case/pointing", acl=everybody), File(path="C:/Case/pointing", content="x")):
        assert host.read(resource) == [Unknown("a junction is in its place")]
        assert "is a junction" in str(refused(host, resource))
    assert host.host.files.sddl("C:\\Case\\pointed") == before
    assert host.host.files.names("C:\\Case\\pointed") == []


def test_a_held_file_is_a_sharing_violation_that_names_it(host: KindHost) -> None:
    host.apply(File(path="C:/Case/held.txt", content="one"))
    script = "import sys, time; held = open(sys.argv[1]); time.sleep(60)"
    real = str(host.host.drive.real("C:\\Case\\held.txt"))
    pid = host.host.processes.start_helper("holder.exe", [script, real])
    try:
        until_held(host, "C:\\Case\\held.txt")
        error = refused(host, File(path="C:/Case/held.txt", content="two"))
    finally:
        end_helper(host, pid)
    assert error.failure is not None
    assert error.failure.code == "sharing-violation"
    assert error.failure.what == "C:\\Case\\held.txt"
    assert host.apply(File(path="C:/Case/held.txt", content="two")) == ()


def until_held(host: KindHost, path: str) -> None:
    while not host.host.files.holders(path):
        pass


def end_helper(host: KindHost, pid: int) -> None:
    for running in host.host.processes.all():
        if running.pid == pid:
            running.process.kill()
            running.process.wait()


def test_names_are_the_same_in_any_case(host: KindHost) -> None:
    host.apply(File(path="C:/Case/Name.txt", content="같은 파일"))
    assert host.differences(File(path="c:/CASE/NAME.TXT", content="같은 파일")) == ()


def test_a_secret_is_in_the_file_and_nowhere_else(host: KindHost) -> None:
    secret = File(path="C:/Case/secret.txt", content=Secret("아주 비밀 4711"), acl=CLOSED)
    host.apply(secret)
    differences = host.differences(replace(secret, content=Secret("other")))
    assert [(line.field, line.secret) for line in differences] == [("content", True)]
    assert host.host.files.read("C:\\Case\\secret.txt").decode() == "아주 비밀 4711"
    recorded = (host.host.root / "journal.jsonl").read_text(encoding="utf-8")
    assert "4711" not in recorded + json.dumps(repr(differences))


def test_text_is_written_without_a_byte_order_mark(host: KindHost) -> None:
    host.apply(File(path="C:/Case/text.txt", content="첫 줄\r\n"))
    assert host.host.files.read("C:\\Case\\text.txt") == "첫 줄\r\n".encode()


def test_a_file_written_once_keeps_what_became_of_it(host: KindHost) -> None:
    once = File(path="C:/Case/once.txt", content="first", once=True)
    host.apply(once)
    host.host.files.write("C:\\Case\\once.txt", b"edited")
    assert host.differences(once) == ()
    host.apply(once)
    assert host.host.files.read("C:\\Case\\once.txt") == b"edited"


def test_a_replaced_file_keeps_its_access_list(host: KindHost) -> None:
    host.apply(File(path="C:/Case/kept.txt", content="one", acl=CLOSED))
    before = host.host.files.sddl("C:\\Case\\kept.txt")
    host.apply(File(path="C:/Case/kept.txt", content="two"))
    assert host.host.files.sddl("C:\\Case\\kept.txt") == before


TASK = ScheduledTask(name="edited", folder="/Case", command=("C:/Windows/x.exe",), description="두  칸")


def edited(host: KindHost, old: str, new: str) -> None:
    """What a person does to the task's definition."""
    xml = host.host.tasks.xml("\\Case\\edited") or ""
    assert old in xml
    host.host.tasks.register("\\Case\\edited", xml.partition("\n")[2].replace(old, new))


def test_a_task_edited_by_hand_shows_whatever_was_edited(host: KindHost) -> None:
    host.apply(TASK)
    edited(host, "</Settings>", "<Hidden>true</Hidden></Settings>")
    assert host.differences(TASK) == (Difference("definition", "edited", "as registered"),)
    assert host.apply(TASK) == ()
    edited(host, "</Settings>", "<RunOnlyIfIdle>true</RunOnlyIfIdle></Settings>")
    edited(host, "두  칸", "세   칸")
    assert [line.field for line in host.differences(TASK)] == ["description"]
    assert host.apply(TASK) == ()


def test_what_windows_makes_of_a_definition_is_no_drift_and_an_edit_after_it_is(
    host: KindHost, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A service that writes one of our fields in other words: a comparison of fields alone would never end."""
    plain = tasks.normalised
    monkeypatch.setattr(tasks, "normalised", lambda *given: plain(*given).replace("두  칸", "두 칸"))
    host.apply(replace(TASK, state="absent"))
    assert host.apply(TASK) == ()
    assert "두 칸" in (host.host.tasks.xml("\\Case\\edited") or "")
    assert host.differences(TASK) == ()
    assert "enabled" in [line.field for line in host.differences(replace(TASK, enabled=False))]
    edited(host, "</Settings>", "<Hidden>true</Hidden></Settings>")
    assert [line.field for line in host.differences(TASK)] == ["description"]
    assert host.apply(TASK) == ()


def test_a_task_that_somebody_else_made_or_an_older_description_is_registered_anew(host: KindHost) -> None:
    host.apply(replace(TASK, state="absent"))
    host.host.tasks.register("\\Case\\edited", task_xml(TASK))
    assert host.differences(TASK) == (Difference("definition", "not registered by us", "as registered"),)
    assert host.apply(TASK) == ()
    records = "HKLM\\SOFTWARE\\pyinfra-winrm\\Tasks"
    _, kept = host.host.registry.data(records, "\\Case\\edited").split(" ")
    host.host.registry.set(records, "\\Case\\edited", "String", f"{'0' * 64} {kept}")
    assert host.differences(TASK) == (Difference("definition", "registered by another description", "as registered"),)
    assert host.apply(TASK) == ()


def test_a_clock_is_handed_back_while_its_service_does_not_run(host: KindHost) -> None:
    host.host.time.configure("time.example,0x8", "NTP")
    assert builtin.state(host.host, "W32Time") == "stopped"
    assert host.apply(TimeSync(state="absent")) == ()
    assert host.host.time.get()["type"] == "NT5DS"


def test_an_absent_group_has_no_rule_left_and_no_other_is_touched(host: KindHost) -> None:
    before = host.host.firewall.rules()
    host.apply(FirewallGroup(name="Gone", state="absent"))
    assert host.host.firewall.rules() == before
