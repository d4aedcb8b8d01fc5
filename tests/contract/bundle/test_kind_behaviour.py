"""What kinds refuse and how they say it, on both engines: foreign owners, wrong hashes and signers, held files."""

from __future__ import annotations

import json
import socket
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from lab.kinds import builtin
from lab.model import tasks
from pyinfra_winrm.kinds import (
    Acl,
    Allow,
    Archive,
    Directory,
    Download,
    File,
    FirewallGroup,
    MySQLServer,
    Program,
    PythonRelease,
    Reconcile,
    ScheduledTask,
    Service,
    TimeSync,
)
from pyinfra_winrm.kinds.scheduled_task import task_xml
from pyinfra_winrm.resource import Absent, Difference, Present, Unknown
from pyinfra_winrm.secret import Secret
from tests.lib.kindcases.material import Material, sha256, signed_program, zipped
from tests.lib.kindhost import ENGINES, KindHost, RefusedError, kind_host

pytestmark = pytest.mark.pwsh
CLOSED = Acl((Allow("SYSTEM", "full"), Allow("Administrators", "full")))


@pytest.fixture(scope="module", params=ENGINES)
def host(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[KindHost]:
    with kind_host(tmp_path_factory.mktemp("host"), request.param, "korean") as started:
        started.apply(Directory(path="C:/Case"))
        yield started


@pytest.fixture(scope="module")
def material(tmp_path_factory: pytest.TempPathFactory) -> Material:
    return Material(tmp_path_factory.mktemp("material"))


def refused(host: KindHost, resource: object) -> RefusedError:
    with pytest.raises(RefusedError) as caught:
        host.apply(resource)  # type: ignore[arg-type]
    return caught.value


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


def test_an_archive_with_another_hash_is_refused_and_thrown_away(host: KindHost, material: Material) -> None:
    wrong = Download(urls=((material.folder / "mysql.zip").as_uri(),), sha256="0" * 64)
    error = refused(host, Archive(path="C:/Case/wrong", download=wrong))
    assert "another SHA-256" in str(error)
    assert host.host.files.stat("C:\\Case\\wrong") is None
    assert host.host.files.stat("C:\\Case\\wrong.zip") is None


def test_the_next_address_is_tried_when_one_does_not_give_the_file(host: KindHost, material: Material) -> None:
    path = material.folder / "mysql.zip"
    download = Download(urls=((material.folder / "none.zip").as_uri(), path.as_uri()), sha256=sha256(path))
    assert host.apply(Archive(path="C:/Case/second", download=download)) == ()


def test_an_archive_that_reaches_outside_is_refused(host: KindHost, tmp_path: Path) -> None:
    path = zipped(tmp_path / "outside.zip", {"top/../../../outside.txt": b"x", "top/inside.txt": b"y"})
    refused(host, Archive(path="C:/Case/outside", download=Download(source=path, sha256=sha256(path))))
    assert host.host.files.stat("C:\\outside.txt") is None
    assert host.host.files.stat("C:\\Case\\outside") is None


def test_a_damaged_archive_shows_and_is_unpacked_again(host: KindHost, material: Material) -> None:
    archive = Archive(path="C:/Case/damaged", download=material.download("mysql.zip"))
    host.apply(archive)
    host.host.files.delete("C:\\Case\\damaged\\bin\\mysqld.exe")
    assert [line.field for line in host.differences(archive)] == ["content"]
    assert host.apply(archive) == ()


def test_a_program_of_another_publisher_is_not_run(host: KindHost, tmp_path: Path) -> None:
    path = tmp_path / "setup.exe"
    path.write_bytes(signed_program("Somebody Else"))
    download = Download(source=path, publisher="Microsoft Corporation")
    error = refused(host, Program(name="vc_redist.x64", download=download, detect_key="HKLM/SOFTWARE/None"))
    assert "signed by 'Somebody Else'" in str(error)
    assert host.host.registry.data("HKLM\\SOFTWARE\\None", "Version") is None


def spoilt(program: bytes) -> bytes:
    """One byte of a signed program is another, before its signature."""
    return program[:0x40] + bytes([program[0x40] ^ 1]) + program[0x41:]


SIGNED = signed_program("Case Ltd.")
BAD_SIGNATURES = {"HashMismatch": spoilt(SIGNED), "NotSigned": SIGNED[:0x200]}


def installer(path: Path, content: bytes) -> Program:
    path.write_bytes(content)
    runtime = "HKLM/SOFTWARE/Microsoft/VisualStudio/14.0/VC/Runtimes/x64"
    download = Download(source=path, publisher="Case Ltd.")
    return Program(name="vc_redist.x64", download=download, detect_key=runtime, version="14.0")


@pytest.mark.parametrize("status", sorted(BAD_SIGNATURES))
def test_a_program_whose_signature_is_not_good_is_not_run(host: KindHost, tmp_path: Path, status: str) -> None:
    program = installer(tmp_path / "setup.exe", BAD_SIGNATURES[status])
    error = refused(host, program)
    assert f"is not good ({status}), wanted is one of 'Case Ltd.'" in str(error)
    assert host.read(program) == [Absent()]


@pytest.mark.parametrize("status", sorted(BAD_SIGNATURES))
def test_an_archive_whose_program_is_not_well_signed_is_not_put_in_place(
    host: KindHost, tmp_path: Path, status: str
) -> None:
    path = zipped(tmp_path / "signed.zip", {"top/bin/case.exe": BAD_SIGNATURES[status], "top/read.me": b"x"})
    download = Download(source=path, publisher="Case Ltd.")
    error = refused(host, Archive(path="C:/Case/badly", download=download, signed="bin/case.exe"))
    assert f"is not good ({status})" in str(error)
    assert host.host.files.stat("C:\\Case\\badly") is None


def test_a_well_signed_program_of_the_publisher_is_run_and_a_well_signed_archive_unpacked(
    host: KindHost, tmp_path: Path
) -> None:
    program = installer(tmp_path / "setup.exe", SIGNED)
    assert host.apply(program) == ()
    assert host.apply(replace(program, state="absent")) == ()
    path = zipped(tmp_path / "signed.zip", {"top/bin/case.exe": SIGNED, "top/read.me": b"x"})
    archive = Archive(path="C:/Case/well", download=Download(source=path, publisher="Case Ltd."), signed="bin/case.exe")
    assert host.apply(archive) == ()
    other = replace(archive, path="C:/Case/name", download=Download(source=path, publisher="case ltd."))
    assert "signed by 'Case Ltd.', wanted is 'case ltd.'" in str(refused(host, other))


def test_a_release_that_runs_is_kept_reported_and_removed_later(host: KindHost, material: Material) -> None:
    release = PythonRelease(
        id="1",
        folder="C:/Case/releases",
        python=material.download("python.zip"),
        requirements=material.requirements,
        wheels=material.wheels,
        keep=1,
    )
    host.apply(Directory(path="C:/Case/releases"))
    host.apply(release)
    sleep = ("C:/Case/releases/1/python.exe", "-c", "import time; time.sleep(1000)")
    service = Service(name="case-release", command=sleep)
    host.apply(service)
    newer = replace(release, id="2")
    assert host.apply(newer) == ()
    (state,) = host.read(newer)
    assert isinstance(state, Present)
    assert (state.value["held"], state.value["surplus"]) == (["1"], [])
    host.apply(replace(service, state="absent"))
    assert [line.field for line in host.differences(newer)] == ["surplus"]
    assert host.apply(newer) == ()
    assert host.host.files.stat("C:\\Case\\releases\\1") is None


def test_what_a_cut_off_run_left_of_a_release_is_removed(host: KindHost, material: Material) -> None:
    release = PythonRelease(
        id="9",
        folder="C:/Case/half",
        python=material.download("python.zip"),
        requirements=material.requirements,
        wheels=material.wheels,
    )
    host.apply(Directory(path="C:/Case/half/9.new"))
    assert host.apply(release) == ()
    assert host.host.files.names("C:\\Case\\half") == ["9"]


def test_a_wheel_with_another_hash_is_refused(host: KindHost, material: Material, tmp_path: Path) -> None:
    wheels = tmp_path / "wheels.zip"
    with zipfile.ZipFile(material.wheels) as given, zipfile.ZipFile(wheels, "w") as made:
        for entry in given.infolist():
            made.writestr(entry, given.read(entry))
    bad = material.requirements.partition("sha256:")[0] + "sha256:" + "0" * 64 + "\n"
    release = PythonRelease(
        id="bad",
        folder="C:/Case/bad",
        python=material.download("python.zip"),
        requirements=bad,
        wheels=wheels,
    )
    host.apply(Directory(path="C:/Case/bad"))
    refused(host, release)
    assert host.host.files.stat("C:\\Case\\bad\\bad") is None


def test_data_without_its_administrators_password_is_refused(host: KindHost) -> None:
    host.apply(Directory(path="C:/Case/orphan/data"))
    server = MySQLServer(
        name="Orphan",
        program="C:/Case/none",
        config_file="C:/Case/orphan/my.ini",
        config="[mysqld]\nport=1\n",
        data="C:/Case/orphan/data",
        admin_file="C:/Case/orphan/admin.cnf",
    )
    assert "admin.cnf" in str(refused(host, server))


def test_a_program_that_fails_is_unknown_with_its_last_words(host: KindHost, material: Material) -> None:
    host.apply(Directory(path="C:/Case/failing"))
    release = PythonRelease(
        id="r",
        folder="C:/Case/failing",
        python=material.download("python.zip"),
        requirements=material.requirements,
        wheels=material.wheels,
    )
    missing = Reconcile(name="x", command=("C:/Case/failing/r/python.exe", "-c", "raise SystemExit('고장')"))
    (before,) = host.read(missing)
    assert isinstance(before, Unknown)
    assert "not there yet" in before.reason
    gone = replace(missing, state="absent")
    assert host.read(gone) == [Absent()], "what is not there has made nothing that could be left"
    assert host.apply(gone) == ()
    host.apply(release)
    assert host.read(missing) == [Unknown("고장")]
    assert host.read(gone) == [Unknown("고장")]
    refusing = "import sys; print('unrecognized arguments: --absent', file=sys.stderr); sys.exit(2)"
    unable = replace(gone, command=("C:/Case/failing/r/python.exe", "-c", refusing))
    assert host.read(unable) == [Unknown("unrecognized arguments: --absent")]
    assert "unrecognized" in str(refused(host, unable))
    assert [name for name in host.host.files.names("C:\\Windows\\Temp") if name.startswith("desired-")] == []


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


def test_a_service_whose_program_is_missing_says_so(host: KindHost) -> None:
    service = Service(name="nowhere", command=("C:/Case/nowhere.exe",), start_timeout=1)
    assert "nowhere.exe" in str(refused(host, service))
    host.apply(replace(service, state="absent"))


@pytest.mark.mariadb
def test_a_server_that_ends_at_its_first_start_is_not_waited_for(host: KindHost, material: Material) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        server = MySQLServer(
            name="Taken",
            program="C:/Case/taken/program",
            config_file="C:/Case/taken/etc/my.ini",
            config=f"[mysqld]\nport={taken.getsockname()[1]}\nbind-address=127.0.0.1\n",
            data="C:/Case/taken/data",
            admin_file="C:/Case/taken/etc/admin.cnf",
        )
        host.apply(Directory(path="C:/Case/taken/etc"))
        host.apply(Archive(path="C:/Case/taken/program", download=material.download("mysql.zip")))
        assert "ended" in str(refused(host, server))
    assert host.host.files.stat("C:\\Case\\taken\\data") is None
    assert host.apply(server) == ()
