from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.model import serviceprocess, services
from lab.model.errors import HostError
from lab.model.host import Host
from tests.lib.labhost import bare_host, sleeper
from tests.lib.ports import free_port


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    with bare_host(tmp_path / "lab") as host:
        yield host


def refusal(action: Callable[[], object]) -> HostError:
    with pytest.raises(HostError) as refused:
        action()
    return refused.value


def until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.02)


def test_failure_actions_are_the_bytes_that_sc_writes():
    # `sc.exe failure X reset= 86400 actions= restart/60000/restart/60000/run/1000`, read from a real registry.
    data = services.failure_actions(86_400, [("restart", 60_000), ("restart", 60_000), ("run", 1_000)])
    assert data == "80510100000000000000000003000000140000000100000060ea00000100000060ea000003000000e8030000"


actions = st.lists(st.tuples(st.sampled_from(["none", "restart", "reboot", "run"]), st.integers(0, 2**31)), max_size=5)


@given(st.integers(0, 2**31), actions)
def test_failure_actions_read_back(reset: int, pairs: list[tuple[str, int]]):
    read = services.parse_failure_actions(services.failure_actions(reset, pairs))
    assert read == {"reset": reset, "actions": [list(pair) for pair in pairs]}


@given(st.binary(max_size=60))
def test_any_bytes_are_failure_actions_or_none(raw: bytes):
    read = services.parse_failure_actions(raw.hex())
    assert read is None or set(read) == {"reset", "actions"}


def test_a_service_is_a_process_that_starts_and_stops(host: Host):
    host.services.create("App", sleeper(host))
    host.services.start("APP")
    status = host.services.status("app")
    assert status["state"] == "running"
    assert os.path.exists(f"/proc/{status['pid']}")
    host.services.stop("App")
    assert host.services.status("App")["state"] == "stopped"
    assert not os.path.exists(f"/proc/{status['pid']}")


@pytest.mark.parametrize(
    ("prepare", "number"),
    [
        ({"start": "disabled"}, 1058),
        ({"depends": ["Nothing"]}, 1068),
        ({"account": "NT SERVICE\\Other"}, 1069),
        ({"account": "nobody"}, 1069),
        ({"image_path": "C:\\App\\python.exe -c pass"}, 1053),
        ({"image_path": "C:\\missing.exe"}, 2),
    ],
)
def test_a_service_that_cannot_start_says_why_with_the_managers_number(host: Host, prepare: dict, number: int):
    host.services.create("App", sleeper(host))
    host.services.configure("App", prepare)
    error = refusal(lambda: host.services.start("App"))
    assert error.win32 == number
    assert host.services.status("App")["state"] == "stopped"


def test_an_account_without_access_cannot_start_it_and_with_access_can(host: Host):
    host.services.create("App", sleeper(host) + " C:\\App\\settings.toml")
    host.files.write("C:\\App\\settings.toml", b"")
    host.services.configure("App", {"account": "NT SERVICE\\App"})
    host.files.set_sddl("C:\\App", "D:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)")
    assert refusal(lambda: host.services.start("App")).win32 == 5
    own = host.accounts.sid("NT SERVICE\\App")
    host.files.set_sddl("C:\\App", f"D:PAI(A;OICI;FA;;;SY)(A;OICI;FA;;;BA)(A;OICI;0x1200a9;;;{own})")
    host.files.set_sddl("C:\\App\\settings.toml", "D:PAI(A;;FA;;;BA)")
    assert "settings.toml" in refusal(lambda: host.services.start("App")).message
    host.files.set_sddl("C:\\App\\settings.toml", f"D:PAI(A;;FA;;;BA)(A;;FR;;;{own})")
    host.services.start("App")


def test_a_dependency_is_started_first_and_refuses_to_stop_alone(host: Host):
    host.services.create("Base", sleeper(host))
    host.services.create("App", sleeper(host))
    host.services.configure("App", {"depends": ["Base"]})
    host.services.start("App")
    assert host.services.status("Base")["state"] == "running"
    assert refusal(lambda: host.services.stop("Base")).win32 == 1051
    host.services.stop("Base", dependents=True)
    assert host.services.status("App")["state"] == "stopped"


def test_a_service_that_runs_is_deleted_once_it_has_stopped(host: Host):
    host.services.create("App", sleeper(host))
    host.services.start("App")
    host.services.delete("App")
    assert refusal(lambda: host.services.create("App", "x")).win32 == 1072
    host.services.stop("App")
    assert not host.services.exists("App")


def test_a_killed_service_is_restarted_by_its_recovery_actions(host: Host):
    host.services.create("App", sleeper(host))
    host.services.configure("App", {"failure": {"reset": 60, "actions": [["restart", 0], ["none", 0]]}})
    host.services.start("App")
    first = host.services.status("App")["pid"]
    os.kill(first, signal.SIGKILL)
    until(lambda: host.services.supervise() or host.services.status("App")["pid"] not in (0, first))
    second = host.services.status("App")["pid"]
    os.kill(second, signal.SIGKILL)
    until(lambda: host.services.status("App")["state"] == "stopped")
    host.services.supervise()
    assert host.services.status("App")["state"] == "stopped"


def test_a_service_that_gets_no_time_has_not_started():
    port = free_port()
    script = "import socket, sys, time; one = socket.create_server(('127.0.0.1', int(sys.argv[1]))); time.sleep(600)"
    with subprocess.Popen([sys.executable, "-c", script, str(port)]) as process:
        process.send_signal(signal.SIGSTOP)
        go_on = threading.Timer(4 * serviceprocess.SETTLE, process.send_signal, (signal.SIGCONT,))
        go_on.start()
        try:
            assert serviceprocess.settled(process) is None
            socket.create_connection(("127.0.0.1", port), timeout=60).close()
        finally:
            go_on.join()
            process.kill()


def test_a_service_stopped_on_purpose_is_not_restarted(host: Host):
    host.services.create("App", sleeper(host))
    host.services.configure("App", {"failure": {"reset": 60, "actions": [["restart", 0]]}, "failure_flag": True})
    host.services.start("App")
    host.services.stop("App")
    host.services.supervise()
    assert host.services.status("App")["state"] == "stopped"


def test_automatic_services_start_with_the_host(tmp_path: Path):
    with bare_host(tmp_path / "lab") as first:
        first.services.create("App", sleeper(first), start="auto")
        first.services.create("Manual", sleeper(first))
    with bare_host(tmp_path / "lab") as second:
        assert second.services.status("App")["state"] == "running"
        assert second.services.status("Manual")["state"] == "stopped"


def test_the_environment_of_a_service_is_bare_but_for_its_own(host: Host, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("LEAK", "1")
    host.files.create_directory("C:\\Out")
    script = "import os,time; open(r'{}','w').write(repr(dict(os.environ))); time.sleep(600)"
    target = host.drive.real("C:\\Out") / "env"
    host.programs.make_interpreter("C:\\App")
    host.services.create("App", f'C:\\App\\python.exe -c "{script.format(target)}"')
    host.services.configure("App", {"environment": ["OWN=한글"]})
    host.services.start("App")
    until(target.exists)
    until(lambda: bool(target.read_text(encoding="utf-8")))
    seen = target.read_text(encoding="utf-8")
    assert "LEAK" not in seen
    assert "'OWN': '한글'" in seen
