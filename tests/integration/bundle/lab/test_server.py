"""The lab's server as a client on the wire meets it: limits, time-outs, quotas, faults by their causes."""

from __future__ import annotations

import base64
import http.client
import json
import os
import signal
import socket
import ssl
import time
from collections.abc import Iterator

import psutil
import pytest
import requests
import winrm
from winrm.exceptions import WinRMOperationTimeoutError, WSManFaultError

from lab import lifecycle
from pyinfra_winrm.protocol import ReplyReader, encode_request
from pyinfra_winrm.scripts import command_line
from tests.lib.deploying import Lab, running_lab

TOO_MANY_SHELLS, NO_SHELL, TOO_LARGE = 0x803381A5, 2150858843, 2150858819


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with running_lab(tmp_path_factory.mktemp("lab") / "lab") as lab:
        yield lab


@pytest.fixture
def lab(shared: Lab) -> Iterator[Lab]:
    yield shared
    shared.call("lab.clear")


def client(lab: Lab, **changed: object) -> winrm.protocol.Protocol:
    chosen = {"transport": "ntlm", "ca_trust_path": lab.config.ca, "operation_timeout_sec": 2, "read_timeout_sec": 30}
    return winrm.protocol.Protocol(
        f"https://127.0.0.1:{lab.config.https}/wsman",
        username=lab.config.user, password=lab.config.password, proxy=None, **chosen | changed,
    )  # fmt: skip


class Session:
    """The bootstrap behind a plain client, one request at a time."""

    def __init__(self, lab: Lab, **changed: object) -> None:
        self.client = client(lab, **changed)
        self.shell = self.client.open_shell(codepage=65001)
        self.command = self.client.run_command(self.shell, command_line(), console_mode_stdin=False)
        self.reader = ReplyReader()

    def send(self, verb: str, **fields: object) -> None:
        self.client.send_command_input(self.shell, self.command, encode_request(1, verb, fields))

    def reply(self) -> dict:
        while True:
            out, _, _, done = self.client.get_command_output_raw(self.shell, self.command)
            for reply in self.reader.feed(out):
                return dict(reply.fields)
            assert not done

    def ask(self, verb: str, **fields: object) -> dict:
        self.send(verb, **fields)
        return self.reply()


def fault(action) -> int:
    with pytest.raises(WSManFaultError) as raised:
        action()
    return raised.value.wsman_fault_code


def test_only_this_machine_is_listened_to(lab: Lab):
    rows = psutil.Process(lab.config.pid).net_connections("tcp")
    listening = {row.laddr.ip for row in rows if row.status == psutil.CONN_LISTEN}
    assert listening == {"127.0.0.1"}


def test_the_private_file_is_for_its_owner_alone(lab: Lab):
    assert (lab.folder / "lab.json").stat().st_mode & 0o777 == 0o600


def test_identify_is_answered_without_a_sign_on_and_nothing_else_is(lab: Lab):
    url = f"http://127.0.0.1:{lab.config.http}/wsman"
    envelope = (
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body><i:Identify '
        'xmlns:i="http://schemas.dmtf.org/wbem/wsman/identity/1/wsmanidentity.xsd"/></s:Body></s:Envelope>'
    )
    headers = {"WSMANIDENTIFY": "unauthenticated", "Content-Type": "application/soap+xml"}
    answer = requests.post(url, envelope, headers=headers, timeout=10)
    assert (answer.status_code, "10.0.17763" in answer.text) == (200, True)
    other = requests.post(url, envelope.replace("Identify", "Create"), headers=headers, timeout=10)
    assert other.status_code == 500
    assert requests.post(url, envelope, timeout=10).status_code == 401


def test_basic_is_offered_under_tls_alone(lab: Lab):
    plain = requests.post(f"http://127.0.0.1:{lab.config.http}/wsman", timeout=10)
    secure = requests.post(f"https://127.0.0.1:{lab.config.https}/wsman", timeout=10, verify=lab.config.ca)
    assert "Basic" not in plain.headers["WWW-Authenticate"]
    assert "Basic" in secure.headers["WWW-Authenticate"]


def test_tls_1_3_is_not_spoken_as_on_server_2019(lab: Lab):
    context = ssl.create_default_context(cafile=lab.config.ca)
    context.minimum_version = ssl.TLSVersion.TLSv1_3
    with socket.create_connection(("127.0.0.1", lab.config.https)) as plain, pytest.raises(ssl.SSLError):
        context.wrap_socket(plain, server_hostname="127.0.0.1")


def test_a_request_of_more_than_512000_bytes_is_too_large(lab: Lab):
    session = Session(lab)
    session.client.send_command_input(session.shell, session.command, b" " * 380_000)
    too_much = lambda: session.client.send_command_input(session.shell, session.command, b" " * 384_000)  # noqa: E731
    assert fault(too_much) == TOO_LARGE


def test_no_output_in_time_is_an_operation_time_out_and_the_shell_lives_on(lab: Lab):
    session = Session(lab, operation_timeout_sec=1)
    with pytest.raises(WinRMOperationTimeoutError):
        session.client.get_command_output_raw(session.shell, session.command)
    assert session.ask("ping")["ok"]


def test_a_shell_that_is_gone_has_its_own_fault(lab: Lab):
    session = Session(lab)
    session.client.close_shell(session.shell, close_session=False)
    assert fault(lambda: session.send("ping")) == NO_SHELL


def test_more_shells_than_the_quota_are_refused(lab: Lab):
    lab.call("lab.quota", name="MaxShellsPerUser", value=1)
    try:
        for shell in range(lab.call("lab.status")["shells"], 1):
            del shell
            client(lab).open_shell()
        assert fault(client(lab).open_shell) == TOO_MANY_SHELLS
    finally:
        lab.call("lab.quota", name="MaxShellsPerUser", value=None)


def test_an_idle_shell_expires_and_a_used_one_does_not(lab: Lab):
    used, idle = client(lab), client(lab)
    kept, gone = used.open_shell(idle_timeout="PT2S"), idle.open_shell(idle_timeout="PT2S")
    command = used.run_command(kept, command_line(), console_mode_stdin=False)
    for _ in range(3):
        with pytest.raises(WinRMOperationTimeoutError):
            used.get_command_output_raw(kept, command)
    assert fault(lambda: idle.run_command(gone, "hostname")) == NO_SHELL
    used.close_shell(kept)


def test_an_encrypted_message_of_another_connection_is_a_bad_request(lab: Lab):
    connection = http.client.HTTPConnection("127.0.0.1", lab.config.http, timeout=10)
    kind = 'multipart/encrypted;protocol="application/HTTP-SPNEGO-session-encrypted";boundary="Encrypted Boundary"'
    token = base64.b64encode(b"NTLMSSP\x00\x03").decode()
    connection.request(
        "POST", "/wsman", b"--Encrypted Boundary", {"Content-Type": kind, "Authorization": f"Negotiate {token}"}
    )
    assert connection.getresponse().status == 401


@pytest.mark.parametrize("kind", ["cut", "cut-after"])
def test_a_cut_connection_took_effect_or_not_as_it_was_asked(lab: Lab, kind: str):
    session = Session(lab)
    desired = {"path": f"C:\\{kind}", "state": "present", "sddl": None, "adopt": False}
    lab.fault(kind, verb="apply")
    with pytest.raises(requests.ConnectionError):
        session.send("apply", kind="directory", key={"path": f"C:\\{kind}"}, desired=desired)
    if kind == "cut-after":
        session.reply()
    assert (lab.drive / kind).exists() == (kind == "cut-after")


def test_a_partial_answer_is_cut_in_its_middle(lab: Lab):
    session = Session(lab)
    session.send("facts")
    lab.fault("partial", verb="receive")
    with pytest.raises(requests.RequestException):
        session.reply()


def test_a_stalled_program_shows_as_operation_time_outs_and_answers_in_the_end(lab: Lab):
    session = Session(lab, operation_timeout_sec=1)
    lab.fault("stall", verb="ping", seconds=2)
    session.send("ping")
    with pytest.raises(WinRMOperationTimeoutError):
        session.client.get_command_output_raw(session.shell, session.command)
    while True:
        try:
            assert session.reply()["ok"]
            break
        except WinRMOperationTimeoutError:
            continue


def test_constrained_language_is_told_by_the_bootstrap_itself(lab: Lab):
    lab.call("system.set", name="language_mode", value="ConstrainedLanguage")
    try:
        session = Session(lab)
        reply = session.reply()
        assert (reply["ok"], reply["error"]["code"]) == (False, "language-mode")
    finally:
        lab.call("system.set", name="language_mode", value="FullLanguage")


def test_too_little_memory_ends_the_program(lab: Lab):
    lab.call("lab.quota", name="MaxMemoryPerShellMB", value=20)
    try:
        session = Session(lab)
        out, err, code, done = session.client.get_command_output_raw(session.shell, session.command)
        assert (out, done) == (b"", True)
        assert b"OutOfMemory" in err
        assert code
    finally:
        lab.call("lab.quota", name="MaxMemoryPerShellMB", value=None)


def test_a_held_file_and_a_taken_port_have_real_processes(lab: Lab):
    (lab.drive / "held.txt").write_text("x", encoding="utf-8")
    pid = lab.call("lab.hold", path="C:\\held.txt", seconds=600)
    end = time.monotonic() + 30
    while not lab.call("files.holders", path="C:\\held.txt"):
        assert time.monotonic() < end
    os.kill(pid, signal.SIGKILL)
    while lab.call("files.holders", path="C:\\held.txt"):
        assert time.monotonic() < end
    port = lab.config.port_base + 25
    lab.call("lab.listen", port=port, seconds=600)
    while port not in [row["port"] for row in lab.call("ports.listening")]:
        assert time.monotonic() < end


def test_a_reboot_ends_sessions_and_changes_the_boot_time(lab: Lab):
    session = Session(lab)
    before = lab.call("host.facts")["boot_time"]
    lifecycle.call(lab.folder, "lab.reboot", seconds=0.2)
    assert lab.call("host.facts")["boot_time"] > before
    with pytest.raises((requests.ConnectionError, WSManFaultError)):
        session.ask("ping")
    assert Session(lab).ask("ping")["ok"]


def test_a_host_that_is_down_answers_nobody(lab: Lab):
    lab.fault("down", seconds=60)
    with pytest.raises(requests.ConnectionError):
        Session(lab)
    lab.call("lab.clear")
    assert Session(lab).ask("ping")["ok"]


def test_the_lock_of_a_session_goes_with_it(lab: Lab):
    first, second = Session(lab), Session(lab)
    me = {"run": "1", "user": "가", "start": "now", "lease": 60}
    assert "held" not in first.ask("lock", **me)
    assert second.ask("lock", **me | {"run": "2"})["held"]["run"] == "1"
    first.client.close_shell(first.shell)
    end = time.monotonic() + 30
    while "held" in second.ask("lock", **me | {"run": "2"}):
        assert time.monotonic() < end
    second.client.close_shell(second.shell)


def test_a_silent_holder_loses_the_lock_after_its_lease(lab: Lab):
    first, second = Session(lab), Session(lab)
    first.ask("lock", run="1", user="a", start="now", lease=1)
    end = time.monotonic() + 30
    while "held" in second.ask("lock", run="2", user="b", start="now", lease=60):
        assert time.monotonic() < end
        time.sleep(0.1)
    second.ask("unlock")


def test_other_commands_are_refused_with_what_to_do(lab: Lab):
    plain = client(lab)
    shell = plain.open_shell(codepage=65001)
    command = plain.run_command(shell, "format C:")
    out, err, code = plain.get_command_output(shell, command)
    assert (out, code) == (b"", 9009)
    assert b"--engine pwsh" in err
    json.dumps(err.decode())


def test_shutdown_restarts_the_host(lab: Lab):
    before = lab.call("host.facts")["boot_time"]
    assert Session(lab).ask("run", script="shutdown.exe /r /t 1 /c Mailhost", env={}, cwd=None)["rc"] == 0
    end = time.monotonic() + 60
    while lab.call("host.facts")["boot_time"] == before:
        assert time.monotonic() < end
        time.sleep(0.1)
    while True:
        try:
            assert Session(lab).ask("ping")["ok"]
            break
        except requests.ConnectionError:
            assert time.monotonic() < end
            time.sleep(0.1)
