"""``files/enable-winrm.ps1`` on the lab's PowerShell: certificate, listener, rule, inventory line; twice: no change."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from lab import hosts
from lab.engine.pwsh import PwshEngine
from lab.kinds.calls import calls as kind_calls
from lab.model.host import Host
from lab.seam import Seam, calls
from lab.wsman.shells import CommandLine, Output
from tests.lib.programs import ROOT

pytestmark = pytest.mark.pwsh
SCRIPT = ROOT / "files" / "enable-winrm.ps1"
RULE = "RemoteManagement-Deploys"


class Server:
    """A fresh host at whose console the script is run."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.host = Host(folder)
        hosts.prepare(self.host, "bare")
        token = secrets.token_hex(8)
        self.seam = Seam({**calls(self.host), **kind_calls(self.host)}, token)
        threading.Thread(target=self.seam.serve, daemon=True).start()
        self.engine = PwshEngine(self.host, lambda: self.seam.port, token)

    def run(self, script: str) -> tuple[str, int]:
        """What a PowerShell of the console prints for a text."""
        encoded = base64.b64encode(script.encode("utf-16-le")).decode()
        output = Output()
        self.engine.start(
            CommandLine(f"powershell.exe -NoProfile -EncodedCommand {encoded}", 65001, {}, None, True), output
        )
        text, code = b"", None
        while code is None:
            taken = output.take(1 << 20, 60)
            assert taken is not None, text.decode()
            streams, code = taken
            text += streams.get("stdout", b"") + streams.get("stderr", b"")
        return text.decode(), code

    def enable(self, call: str) -> str:
        """The script pasted, then a call."""
        text, code = self.run(f"{SCRIPT.read_text(encoding='ascii')}\n{call}")
        assert code == 0, text
        return text


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    started = Server(tmp_path / "host")
    yield started
    started.host.close()
    started.seam.close()


def test_it_opens_the_server_and_prints_the_inventory_line(server: Server) -> None:
    said = server.enable(
        "Enable-RemoteManagement -Allow '192.0.2.7, 2001:db8::/64' -Names 'mail.example.net,203.0.113.5'"
    )
    listener = server.host.listeners.get("HTTPS")
    assert listener is not None
    assert (listener["port"], listener["hostname"], listener["address"]) == (5986, "mail.example.net", "*")
    certificate = server.host.listeners.certificates()[listener["thumbprint"]]
    assert certificate["names"] == ["mail.example.net", "203.0.113.5"]
    rule = server.host.firewall.rules()[RULE]
    assert "|LPort=5986|" in rule
    assert "|RA4=192.0.2.7|RA6=2001:db8::/64|" in rule
    fingerprint = hashlib.sha256(base64.b64decode(certificate["raw"])).hexdigest()
    line = re.search(
        r'^\("@winrm/mail\.example\.net", \{.*"winrm_fingerprint": "([0-9a-f]{64})"\}\),', said, re.MULTILINE
    )
    assert line is not None, said
    assert line[1] == fingerprint
    name, data = eval(line[0].rstrip(","))  # noqa: S307 - the line has to be Python
    assert (name, data["winrm_port"]) == ("@winrm/mail.example.net", 5986)


def test_run_again_it_changes_nothing_and_prints_the_same(server: Server) -> None:
    call = "Enable-RemoteManagement -Allow 192.0.2.7"
    first = server.enable(call)
    before = server.host.journal.entries()
    assert server.enable(call) == first
    assert server.host.journal.entries() == before


def test_other_addresses_change_the_rule_and_keep_the_certificate(server: Server) -> None:
    server.enable("Enable-RemoteManagement -Allow 192.0.2.7")
    before = server.host.listeners.get("HTTPS")
    server.enable("Enable-RemoteManagement -Allow 198.51.100.0/24")
    assert server.host.listeners.get("HTTPS") == before
    assert "|RA4=198.51.100.0/255.255.255.0|" in server.host.firewall.rules()[RULE]


@pytest.mark.parametrize("everywhere", ["*", "0.0.0.0/0", "Any"])
def test_it_refuses_to_open_the_server_to_everybody(server: Server, everywhere: str) -> None:
    text, code = server.run(f"{SCRIPT.read_text(encoding='ascii')}\nEnable-RemoteManagement -Allow '{everywhere}'")
    assert code != 0
    assert "Name the addresses" in text
    assert server.host.journal.entries() == []


def test_as_a_file_it_takes_the_same_parameters(server: Server) -> None:
    text, code = server.run(f"& '{SCRIPT}' -Allow 192.0.2.7 -Port 15986")
    assert code == 0, text
    listener = server.host.listeners.get("HTTPS")
    assert listener is not None
    assert listener["port"] == 15986


def test_it_can_be_pasted_without_doing_anything_yet(server: Server) -> None:
    assert server.run(SCRIPT.read_text(encoding="ascii")) == ("", 0)
    assert server.host.journal.entries() == []


def test_user_data_of_a_cloud_takes_its_length() -> None:
    limit = 16 * 1024  # bytes of user data at the large providers
    assert len(SCRIPT.read_bytes()) < limit
