"""The bootstrap and the host script under a real PowerShell, with a kind that only remembers what it was told."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pyinfra_winrm.protocol import encode_request
from pyinfra_winrm.scripts import LONGEST_COMMAND, bootstrap, command_line, host_script
from tests.lib.hostprocess import HostProcess
from tests.lib.programs import find_pwsh

pytestmark = pytest.mark.pwsh

SEAM = """
function Resolve-HostPath($path) { return $path }
function Move-HostFile($part, $path) {
    if ([IO.File]::Exists("$path.held")) {
        [IO.File]::Delete("$path.held")
        throw (New-Object IO.IOException 'held by another program', ([int]0x80070020))
    }
    [IO.File]::Delete($path)
    [IO.File]::Move($part, $path)
}
function New-HostDirectory($path, $sddl) { [void][IO.Directory]::CreateDirectory($path) }
function Open-HostWriter($path) { return New-Object IO.FileStream $path, 'Create', 'Write', 'None' }
function Open-HostReader($path) { return New-Object IO.FileStream $path, 'Open', 'Read', 'ReadWrite' }
function Read-HostFile($path) { return , [IO.File]::ReadAllBytes($path) }
function Remove-HostItem($path) { [IO.File]::Delete($path) }
function ConvertFrom-Utf8($bytes) { return [Text.Encoding]::UTF8.GetString($bytes) }
function Open-RunLock($path, $text) {
    try {
        $gone = [IO.FileOptions]::DeleteOnClose
        $stream = New-Object IO.FileStream "$path.owner", 'OpenOrCreate', 'ReadWrite', 'None', 4096, $gone
    } catch {
        throw (New-Object IO.IOException 'held', ([int]0x80070020))
    }
    [IO.File]::WriteAllText($path, $text)
    return $stream
}
function Test-RunLock($path) { return [IO.File]::Exists("$path.owner") }
function Read-Facts { return @{ language_mode = 'FullLanguage' } }
"""

KIND = """
$notes = @{}
function Read-StickyNote($key) {
    if ($key.name -eq 'broken') { throw 'the wall is gone' }
    if (-not $notes.ContainsKey($key.name)) { return @{ state = 'absent' } }
    return @{ state = 'present'; value = @{ text = $notes[$key.name]; lines = @($notes[$key.name].Split('|')) } }
}
function Set-StickyNote($desired) {
    'output of a change is not an answer'
    if ($desired.state -eq 'absent') { $notes.Remove($desired.name) } else { $notes[$desired.name] = $desired.text }
}
"""


@pytest.fixture
def host(tmp_path: Path) -> Iterator[HostProcess]:
    with HostProcess(find_pwsh(), tmp_path, SEAM) as process:
        process.load()
        yield process


def test_command_line_fits_cmd_exe() -> None:
    assert len(command_line()) <= LONGEST_COMMAND
    assert "#" not in {line[:1] for line in bootstrap().splitlines()}


def test_kind_is_read_changed_and_read_back_with_korean_text(host: HostProcess) -> None:
    assert host.ask("load", name="sticky_note", script=KIND).ok
    assert host.read("sticky_note", {"name": "메모"}) == {"state": "absent"}
    desired = {"name": "메모", "state": "present", "text": "한글 | ‘따옴표’ <&> \u0007"}
    reply = host.ask("apply", kind="sticky_note", key={"name": "메모"}, desired=desired)
    assert reply.ok, reply.failure
    assert reply.fields["state"] == {
        "state": "present",
        "value": {"text": desired["text"], "lines": ["한글 ", " ‘따옴표’ <&> \u0007"]},
    }
    assert host.read("sticky_note", {"name": "메모"}) == reply.fields["state"]


def test_many_items_come_back_in_order_and_one_that_cannot_be_read_is_unknown(host: HostProcess) -> None:
    assert host.ask("load", name="sticky_note", script=KIND).ok
    items = [{"kind": "sticky_note", "key": {"name": name}} for name in ("a", "broken", "b")]
    reply = host.ask("read", items=items)
    assert reply.fields["items"] == [
        {"state": "absent"},
        {"state": "unknown", "reason": "the wall is gone"},
        {"state": "absent"},
    ]


def test_script_that_does_not_parse_is_refused_and_the_session_goes_on(host: HostProcess) -> None:
    reply = host.ask("load", name="broken", script="function {")
    assert not reply.ok
    assert reply.failure is not None
    assert reply.failure.what == "broken"
    assert host.ask("ping").ok


def test_unknown_verb_and_damaged_line_are_answered_with_a_failure(host: HostProcess) -> None:
    reply = host.ask("dance")
    assert reply.failure is not None
    assert "dance" in reply.failure.message
    host.write(b"!!not base64!!\r\n")
    assert host.answer(0).failure is not None
    assert host.ask("ping").ok


def test_script_runs_with_environment_folder_and_exit_code(host: HostProcess, tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    script = "$env:GREETING; (Get-Location).Path; [Console]::Error.WriteLine('noise'); exit 3"
    reply = host.ask("run", script=script, env={"GREETING": "안녕"}, cwd=str(tmp_path / "sub"))
    assert reply.ok, reply.failure
    assert (reply.fields["rc"], reply.fields["out"]) == (3, ["안녕", str(tmp_path / "sub")])
    after = host.ask("run", script='"[$env:GREETING]"; (Get-Location).Path', env={}, cwd=None)
    assert (after.fields["rc"], after.fields["out"]) == (0, ["[]", str(tmp_path)])


def test_failing_command_and_thrown_error_give_a_status_that_is_not_zero(host: HostProcess) -> None:
    missing = host.ask("run", script="Get-Item /no/such/file; 'went on'", env={}, cwd=None)
    assert missing.fields["rc"] == 1
    assert missing.fields["out"] == ["went on"]
    assert "no/such/file" in " ".join(missing.fields["err"])
    thrown = host.ask("run", script="throw 'enough'", env={}, cwd=None)
    assert (thrown.fields["rc"], thrown.fields["err"]) == (1, ["enough"])


def test_objects_are_shown_as_a_console_shows_them_and_text_as_it_is(host: HostProcess) -> None:
    long = "글" * 300
    rows = ", ".join(f"[pscustomobject]@{{ Name = '{name}'; Port = {port} }}" for name, port in (("a", 1), ("b", 2)))
    script = f"1..2; '{long}'; {rows}; $true"
    reply = host.ask("run", script=script, env={}, cwd=None)
    lines = [line for line in reply.fields["out"] if line]
    assert [" ".join(line.split()) for line in lines] == [
        "1",
        "2",
        long,
        "Name Port",
        "---- ----",
        "a 1",
        "b 2",
        "True",
    ]


def test_error_stream_of_a_native_program_is_no_failure(host: HostProcess) -> None:
    reply = host.ask("run", script="sh -c 'echo warning >&2; echo fine'", env={}, cwd=None)
    assert (reply.fields["rc"], reply.fields["out"], reply.fields["err"]) == (0, ["fine"], ["warning"])
    assert host.ask("run", script="sh -c 'exit 7'", env={}, cwd=None).fields["rc"] == 7


def upload(host: HostProcess, path: Path, data: bytes, sha256: str | None = None) -> object:
    digest = sha256 or hashlib.sha256(data).hexdigest()
    assert host.ask("upload.begin", path=str(path)).ok
    host.chunk(0, data[:1000])
    host.chunk(0, data[:1000])
    host.chunk(1, data[1000:])
    reply = host.ask("upload.end", sha256=digest, patience=10)
    return reply.failure or reply.fields["sha256"]


def test_upload_takes_each_chunk_once_and_waits_for_a_held_target(host: HostProcess, tmp_path: Path) -> None:
    data = bytes(range(256)) * 1200
    target = tmp_path / "파일.bin"
    target.write_bytes(b"old")
    (tmp_path / "파일.bin.held").touch()
    assert upload(host, target, data) == hashlib.sha256(data).hexdigest()
    assert target.read_bytes() == data
    assert not list(tmp_path.glob("*mailhost-part"))


def test_upload_that_arrived_damaged_leaves_the_old_file(host: HostProcess, tmp_path: Path) -> None:
    target = tmp_path / "file.bin"
    target.write_bytes(b"old")
    failure = upload(host, target, b"x" * 2000, sha256="0" * 64)
    assert "not what was sent" in str(failure)
    assert target.read_bytes() == b"old"
    assert not list(tmp_path.glob("*mailhost-part"))


def test_missing_chunk_is_named(host: HostProcess, tmp_path: Path) -> None:
    assert host.ask("upload.begin", path=str(tmp_path / "f")).ok
    host.chunk(1, b"abc")
    reply = host.ask("upload.end", sha256="0" * 64, patience=0)
    assert reply.failure is not None
    assert "chunk 0 did not arrive" in reply.failure.message
    assert not (tmp_path / "f").exists()


def test_download_gives_pieces_and_the_size(host: HostProcess, tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"0123456789")
    reply = host.ask("download", path=str(tmp_path / "f"), offset=4, length=100)
    assert (reply.fields["data"], reply.fields["size"]) == ("NDU2Nzg5", 10)
    missing = host.ask("download", path=str(tmp_path / "none"), offset=0, length=1)
    assert missing.failure is not None
    assert (missing.failure.code, missing.failure.what) == ("not-found", str(tmp_path / "none"))


RUN = {"run": "r1", "user": "ops@desk", "start": "2026-11-25T03:00:00Z", "lease": 60}


def test_second_run_is_told_who_holds_the_lock(host: HostProcess, tmp_path: Path) -> None:
    assert host.ask("lock", **RUN).fields.get("held") is None
    with HostProcess(find_pwsh(), tmp_path, SEAM) as other:
        other.load()
        held = other.ask("lock", **{**RUN, "run": "r2"})
        assert held.fields["held"] == {key: RUN[key] for key in ("run", "user", "start")}
        seen = other.ask("read", items=[])
        assert seen.fields["held"] == {key: RUN[key] for key in ("run", "user", "start")}
        assert host.ask("read", items=[]).fields["held"] is None, "one's own lock is nobody else's"
        assert host.ask("unlock").ok
        assert other.ask("read", items=[]).fields["held"] is None
        assert other.ask("lock", **{**RUN, "run": "r2"}).fields.get("held") is None


def test_lock_file_is_gone_when_its_handle_closes(host: HostProcess, tmp_path: Path) -> None:
    assert host.ask("load", name="seam", script=host_script("seam")).ok
    lock = tmp_path / "run.lock"
    script = f"$held = Open-RunLock '{lock}' '{{}}'; Test-Path '{lock}'; $held.Dispose(); Test-Path '{lock}'"
    assert host.ask("run", script=script, env={}, cwd=None).fields["out"] == ["True", "False"]


def test_session_whose_controller_fell_silent_ends_and_gives_the_lock_back(tmp_path: Path) -> None:
    with HostProcess(find_pwsh(), tmp_path, SEAM) as silent:
        silent.load()
        assert silent.ask("lock", **{**RUN, "lease": 3}).ok
        started = time.monotonic()
        slow = encode_request(99, "run", {"script": "Start-Sleep 5; 'finished'", "env": {}, "cwd": None})
        silent.write(slow)
        assert silent.answer(99).fields["out"] == ["finished"]
        assert time.monotonic() - started >= 5
        assert silent.process.wait(60) == 3
    with HostProcess(find_pwsh(), tmp_path, SEAM) as other:
        other.load()
        assert other.ask("lock", **RUN).fields.get("held") is None
        assert json.loads((tmp_path / "Mailhost" / "run.lock").read_text())["run"] == "r1"
