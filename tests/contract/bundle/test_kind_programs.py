"""What kinds of programs refuse, on both engines: wrong hashes and signers, running releases, failing servers."""

from __future__ import annotations

import socket
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from pyinfra_winrm.kinds import Archive, Directory, Download, MySQLServer, Program, PythonRelease, Reconcile, Service
from pyinfra_winrm.resource import Absent, Present, Unknown
from tests.lib.kindcases.material import Material, sha256, signed_program, zipped
from tests.lib.kindhost import KindHost, refused

pytestmark = pytest.mark.pwsh


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
