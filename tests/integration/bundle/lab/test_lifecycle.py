"""Labs as an operator starts, copies and stops them: one folder each, several beside each other, each kind of host."""

from __future__ import annotations

import os
import shutil
import signal
import time
import urllib.request
from pathlib import Path

import psutil
import pytest

from lab import __main__ as command
from lab import lifecycle, snapshot
from lab.model.standins import available
from tests.lib.deploying import running_lab

TREE = "C:\\메일"


def runs(pid: int) -> bool:
    try:
        return psutil.Process(pid).status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


def test_two_labs_run_beside_each_other_and_know_nothing_of_one_another(tmp_path: Path):
    with running_lab(tmp_path / "one") as one, running_lab(tmp_path / "two") as two:
        assert {one.config.http, one.config.https}.isdisjoint({two.config.http, two.config.https})
        assert one.config.port_base != two.config.port_base
        one.call("files.create_directory", path=TREE)
        assert two.call("files.stat", path=TREE) is None


def test_a_stopped_lab_is_copied_and_the_copy_goes_on_from_there(tmp_path: Path):
    with running_lab(tmp_path / "one") as one:
        one.call("files.create_directory", path=TREE)
        one.call("registry.set", key="HKLM\\SOFTWARE\\M", name="x", type="DWord", data=7)
        with pytest.raises(lifecycle.LabError):
            lifecycle.fork(one.folder, tmp_path / "early")
    lifecycle.fork(tmp_path / "one", tmp_path / "copy")
    shutil.rmtree(tmp_path / "one")
    with running_lab(tmp_path / "copy") as copy:
        assert copy.call("registry.data", key="HKLM\\SOFTWARE\\M", name="x") == 7
        assert copy.call("files.stat", path=TREE)["type"] == "directory"
        assert (copy.config.password, copy.config.fingerprint) == (one.config.password, one.config.fingerprint)
        assert str(tmp_path / "one") not in (copy.folder / "state.json").read_text(encoding="utf-8")


def test_stopping_ends_every_process_of_the_host(tmp_path: Path):
    with running_lab(tmp_path / "lab") as lab:
        pid = lab.call("lab.listen", port=lab.config.port_base + 25, seconds=600)
        assert runs(pid)
    assert not runs(pid)
    assert lifecycle.running(tmp_path / "lab") is None


def test_what_a_killed_lab_left_running_is_ended_by_the_next_start(tmp_path: Path):
    folder = tmp_path / "lab"
    with running_lab(folder) as lab:
        pid = lab.call("lab.listen", port=lab.config.port_base + 25, seconds=600)
        end = time.monotonic() + 30
        remembered = folder / "run" / "pids.json"
        while not remembered.exists() or str(pid) not in remembered.read_text(encoding="utf-8"):
            assert time.monotonic() < end
        os.kill(lab.config.pid, signal.SIGKILL)
        psutil.Process(lab.config.pid).wait(30)
    assert runs(pid)
    with running_lab(folder):
        assert not runs(pid)


def test_reset_brings_a_bare_host_back_on_the_same_ports(tmp_path: Path):
    with running_lab(tmp_path / "lab") as lab:
        lab.call("files.create_directory", path=TREE)
        after = lifecycle.reset(lab.folder)
        assert lifecycle.call(lab.folder, "files.stat", path=TREE) is None
        assert (after.port_base, after.password) == (lab.config.port_base, lab.config.password)


def test_a_snapshot_sees_what_the_model_was_not_told(tmp_path: Path):
    with running_lab(tmp_path / "lab") as lab:
        lab.call("files.write", path="C:\\a", data=b"1")
        before = snapshot.take(lab.folder, lab.config.pid)
        assert snapshot.differences(before, snapshot.take(lab.folder, lab.config.pid)) == []
        (lab.drive / "a").write_bytes(b"2")
        lab.call("lab.listen", port=lab.config.port_base + 25, seconds=600)
        found = snapshot.differences(before, snapshot.take(lab.folder, lab.config.pid))
        assert found[0].startswith("a: ")
        assert "content" in found[0]
        assert any(line.startswith("process ") for line in found)


@pytest.mark.mariadb
def test_the_tutorials_host_has_iis_and_mysql(tmp_path: Path):
    assert available()
    with running_lab(tmp_path / "lab", kind="tutorial") as lab:
        rows = {row["port"]: row for row in lab.call("ports.listening")}
        assert (rows[80]["pid"], rows[443]["pid"], rows[3306]["service"]) == (4, 4, "MySQL80")
        with urllib.request.urlopen(f"http://127.0.0.1:{lab.config.port_base + 80}/", timeout=10) as page:
            assert b"IIS" in page.read()
        client = '"C:\\Program Files\\MySQL\\MySQL Server 8.0\\bin\\mysql.exe" --no-defaults -h127.0.0.1'
        line = f'{client} -P{lab.config.port_base + 3306} -uroot -p{lab.config.password} -e "SELECT 1"'
        assert lab.call("programs.run", command=line)["rc"] == 0


def test_the_hmailserver_host_has_the_mail_ports_taken(tmp_path: Path):
    with running_lab(tmp_path / "lab", kind="hmailserver") as lab:
        rows = {row["port"]: row["service"] for row in lab.call("ports.listening")}
        assert {rows[port] for port in (25, 110, 143, 587)} == {"hMailServer"}
        lab.call("services.stop", name="hMailServer")
        assert lab.call("ports.listening") == []


def test_the_korean_host_speaks_code_page_949(tmp_path: Path):
    with running_lab(tmp_path / "lab", kind="korean") as lab:
        facts = lab.call("host.facts")
        assert (facts["code_page"], facts["user"], facts["profile"]) == (949, "관리자", "C:\\Users\\관리자")
        assert lab.config.user == "관리자"
        assert lab.call("lab.native", line="chcp")["out"].decode("cp949") == "활성 코드 페이지: 949\r\n"


def test_the_command_line_starts_asks_and_stops(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    folder = ["--dir", str(tmp_path / "lab")]
    assert command.main(["status", *folder]) == 1
    assert command.main(["ensure", *folder]) == 0
    assert command.main(["ensure", *folder]) == 0
    assert command.main(["start", *folder]) == 1
    for asked in (["show"], ["fault", "cut", "--verb", "apply"], ["fault", "list"], ["fault", "clear"], ["drift"]):
        assert command.main([asked[0], *folder, *asked[1:]]) == 0, asked
    assert command.main(["stop", *folder]) == 0
    shown = capsys.readouterr()
    assert "WINRM-HTTP-In-TCP" in shown.out
    assert "Traceback" not in shown.out + shown.err


@pytest.mark.parametrize("arguments", [[], ["dance"], ["start", "--engine", "x"], ["fault"]])
def test_wrong_usage_has_its_own_status(arguments: list[str]):
    with pytest.raises(SystemExit) as ended:
        command.main(arguments)
    assert ended.value.code == 64
