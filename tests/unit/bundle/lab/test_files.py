from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.model import paths
from lab.model.errors import HostError
from lab.model.host import Host
from lab.model.state import net
from tests.lib.labhost import bare_host, sleeper

FOLDER = "C:\\메일호스트"


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    with bare_host(tmp_path / "lab") as host:
        host.files.create_directory(FOLDER)
        yield host


def test_names_are_found_in_any_case_and_keep_the_one_they_have(host: Host):
    host.files.write(FOLDER + "\\Etc.TXT", b"1")
    host.files.write("c:\\메일호스트\\ETC.txt", b"2")
    assert host.files.names(FOLDER) == ["Etc.TXT"]
    found = host.files.stat("C:\\메일호스트\\etc.txt")
    assert found is not None
    assert (found["path"], found["size"]) == (FOLDER + "\\Etc.TXT", 1)


@pytest.mark.parametrize(
    "path",
    [
        "C:/Mailhost",
        "C:\\a/b",
        "C:\\a|b",
        "C:\\NUL",
        "C:\\com1.txt",
        "C:\\end.",
        "C:\\end ",
        "C:\\..\\x",
        "Mailhost",
        "",
    ],
)
def test_what_windows_refuses_or_would_take_for_another_name_is_refused(host: Host, path: str):
    with pytest.raises(HostError):
        host.files.create_directory(path)


def test_a_path_of_260_characters_is_too_long(host: Host):
    host.files.write("C:\\" + "a" * 255, b"")
    with pytest.raises(HostError) as refused:
        host.files.write(FOLDER + "\\" + "a" * 251, b"")
    assert refused.value.win32 == 206


def test_another_drive_is_not_there(host: Host):
    with pytest.raises(HostError) as refused:
        host.files.write("D:\\x", b"")
    assert refused.value.code == "not-found"


@given(st.text(max_size=40))
def test_any_text_is_a_path_or_refused(text: str):
    with contextlib.suppress(HostError):
        assert all(paths.split("C:\\" + text))


def test_a_folder_made_under_the_root_lets_users_create_in_it(host: Host):
    # CVE-2021-26557 is that: what is made under C:\ inherits create rights for all users.
    assert "(A;CIID;LC;;;BU)" in host.files.sddl(FOLDER)


def test_a_protected_list_stops_what_comes_from_above_and_passes_its_own_on(host: Host):
    host.files.set_sddl(FOLDER, "D:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)")
    host.files.write(FOLDER + "\\비밀", b"x")
    assert host.files.sddl(FOLDER + "\\비밀") == "O:BAD:AI(A;ID;FA;;;SY)(A;ID;FA;;;BA)"


def test_replacing_keeps_the_access_list_of_the_target(host: Host):
    host.files.write(FOLDER + "\\a", b"1")
    host.files.set_sddl(FOLDER + "\\a", "D:PAI(A;;FA;;;BA)")
    host.files.write(FOLDER + "\\b", b"2")
    host.files.replace(FOLDER + "\\b", FOLDER + "\\a")
    assert host.files.read(FOLDER + "\\a") == b"2"
    assert host.files.sddl(FOLDER + "\\a") == "O:BAD:PAI(A;;FA;;;BA)"


def test_a_move_into_another_folder_keeps_what_was_inherited_before(host: Host):
    host.files.create_directory("C:\\closed")
    host.files.set_sddl("C:\\closed", "D:PAI(A;OICI;FA;;;BA)")
    host.files.write("C:\\closed\\a", b"")
    host.files.move("C:\\closed\\a", FOLDER + "\\a")
    assert host.files.sddl(FOLDER + "\\a") == "O:BAD:AI(A;ID;FA;;;BA)"


def test_a_move_does_not_replace(host: Host):
    host.files.write(FOLDER + "\\a", b"")
    host.files.write(FOLDER + "\\b", b"")
    with pytest.raises(HostError) as refused:
        host.files.move(FOLDER + "\\a", FOLDER + "\\b")
    assert refused.value.win32 == 183


def test_a_program_that_runs_cannot_be_replaced_nor_its_folder_moved(host: Host):
    line = sleeper(host)
    running = host.processes.start(host.processes.launch(line), "test")
    for refused in (
        lambda: host.files.move("C:\\App", "C:\\Other"),
        lambda: host.files.delete_directory("C:\\App", recursive=True),
        lambda: host.files.delete("C:\\app\\PYTHON.exe"),
    ):
        with pytest.raises(HostError) as error:
            refused()
        assert error.value.code == "sharing-violation"
    running.process.kill()
    running.process.wait()
    host.files.move("C:\\App", "C:\\Other")


def test_an_open_file_cannot_be_replaced_until_it_is_closed(host: Host):
    host.files.write(FOLDER + "\\a", b"1")
    real = host.drive.real(FOLDER + "\\a")
    pid = host.processes.start_helper(
        "holder.exe", ["import sys,time; h=open(sys.argv[1]); time.sleep(600)", str(real)]
    )
    while not host.files.holders(FOLDER + "\\a"):
        assert host.processes.all()
    with pytest.raises(HostError) as refused:
        host.files.write(FOLDER + "\\a", b"2")
    assert refused.value.code == "sharing-violation"
    assert f"holder.exe ({pid})" in refused.value.message
    host.processes.end_all()
    host.files.write(FOLDER + "\\a", b"2")


def test_a_write_without_room_is_refused_and_leaves_the_file(host: Host):
    host.files.write(FOLDER + "\\a", b"old")
    host.system.set("disk_limit", 10)
    with pytest.raises(HostError) as refused:
        host.files.write(FOLDER + "\\a", b"x" * 100)
    assert refused.value.code == "disk-full"
    assert host.files.read(FOLDER + "\\a") == b"old"


def test_removing_a_junction_keeps_what_it_points_to(host: Host):
    host.files.create_directory(FOLDER + "\\r1")
    host.files.write(FOLDER + "\\r1\\a", b"")
    host.files.create_junction(FOLDER + "\\current", FOLDER + "\\r1")
    found = host.files.stat(FOLDER + "\\current")
    assert found is not None
    assert (found["type"], found["target"]) == ("junction", FOLDER + "\\r1")
    host.files.delete_directory(FOLDER + "\\current", recursive=True)
    assert host.files.names(FOLDER + "\\r1") == ["a"]


def test_writing_the_same_again_is_no_change(host: Host):
    host.files.write(FOLDER + "\\a", b"1")
    before = len(host.journal.entries())
    host.files.write(FOLDER + "\\a", b"1")
    host.files.set_sddl(FOLDER, host.files.sddl(FOLDER))
    host.files.create_directory(FOLDER)
    assert len(host.journal.entries()) == before


def test_content_is_in_the_journal_by_its_hash_alone(host: Host):
    host.files.write(FOLDER + "\\a", "비밀번호".encode())
    assert "비밀번호" not in host.journal.path.read_text(encoding="utf-8")


def test_what_came_and_went_is_no_change_in_the_net_journal(host: Host):
    host.files.write(FOLDER + "\\a", b"1")
    before = len(host.journal.entries())
    host.files.write(FOLDER + "\\secret", b"x")
    host.files.set_sddl(FOLDER + "\\secret", "D:PAI(A;;FA;;;BA)")
    host.files.move(FOLDER + "\\secret", FOLDER + "\\moved")
    host.files.delete(FOLDER + "\\moved")
    host.files.append(FOLDER + "\\part", b"1")
    host.files.replace(FOLDER + "\\part", FOLDER + "\\a")
    assert net(host.journal.entries()[before:]) == []
    host.files.write(FOLDER + "\\a", b"2")
    changed = net(host.journal.entries()[before:])
    assert [(entry["kind"], entry["name"]) for entry in changed] == [("file", FOLDER + "\\a")]
