"""The lab speaks WS-Management: clients of others run on it, and what is not safe is refused by the right side."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest
import winrm
from pypsrp.shell import Process, WinRS
from pypsrp.wsman import WSMan

from lab.certificates import ensure
from lab.config import LabConfig
from tests.lib.deploying import Lab, Project, engines, running_lab

ABOUT = "pywinrm, pypsrp and Ansible run on the lab over both transports; what is not safe is refused by the right side"

PATIENCE = 120  # seconds; ends what hangs
HOST_NAME = "WIN-LAB"
ANSIBLE = """
import json, sys
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.play_context import PlayContext
from ansible.plugins.loader import connection_loader, init_plugin_loader

options = json.loads(sys.argv[1])
options["_extras"] = {name: value for name, value in options.items() if name.startswith("ansible_winrm_")}
init_plugin_loader([])
connection = connection_loader.get("winrm", PlayContext(), None)
connection.set_options(var_options=options)
connection.put_file(sys.argv[2], "C:/Windows/Temp/" + sys.argv[3])
status, out, err = connection.exec_command(sys.argv[4])
print(json.dumps({"status": status, "out": out.decode()}))
"""
DEPLOY = """
from pyinfra_winrm.kinds import Directory
from pyinfra_winrm.operation import ensure
ensure(name="Folder", task="folder", resources=[Directory(path="C:/Mailhost")])
"""
REFUSALS = (winrm.exceptions.WSManFaultError, winrm.exceptions.InvalidCredentialsError)
SCRIPT = "$env:COMPUTERNAME"
COMMAND = "powershell -NoProfile -EncodedCommand " + base64.b64encode(SCRIPT.encode("utf-16-le")).decode()


def pywinrm(config: LabConfig) -> list[str]:
    """Basic and NTLM over HTTPS, NTLM over encrypted HTTP."""
    https = {"endpoint": f"https://127.0.0.1:{config.https}/wsman", "ca_trust_path": config.ca}
    http = {"endpoint": f"http://127.0.0.1:{config.http}/wsman", "message_encryption": "always"}
    done = []
    for transport, where in (("ntlm", https), ("basic", https), ("ntlm", http)):
        protocol = winrm.protocol.Protocol(
            transport=transport, username=config.user, password=config.password, proxy=None, **where
        )
        shell = protocol.open_shell(codepage=65001)
        command = protocol.run_command(shell, COMMAND)
        out, err, code = protocol.get_command_output(shell, command)
        protocol.cleanup_command(shell, command)
        protocol.close_shell(shell)
        assert (out.decode().strip(), code) == (HOST_NAME, 0), (out, err, code)
        done.append(f"pywinrm {transport} {where['endpoint'].partition(':')[0]}")
    return done


def pypsrp(config: LabConfig) -> list[str]:
    """WinRS over both, with the envelope size asked of the server."""
    done = []
    for ssl, port, more in ((True, config.https, {"cert_validation": config.ca}), (False, config.http, {})):
        client = WSMan(
            "127.0.0.1", port=port, ssl=ssl, auth="ntlm", encryption="auto", username=config.user,
            password=config.password, no_proxy=True, **more,
        )  # fmt: skip
        with client, WinRS(client) as shell:
            client.update_max_payload_size()
            process = Process(shell, COMMAND)
            process.invoke()
            process.signal("http://schemas.microsoft.com/wbem/wsman/1/windows/shell/signal/ctrl_c")
            out = process.stdout.decode().strip()
            assert (out, process.rc) == (HOST_NAME, 0), (out, process.stderr, process.rc)
        done.append(f"pypsrp ntlm {'https' if ssl else 'http'}")
    return done


def ansible(config: LabConfig, folder: Path, drive: Path) -> list[str]:
    """Its winrm connection: put_file of 300 kB and what ``raw`` runs."""
    source = folder / "source.bin"
    source.write_bytes(os.urandom(300_000))
    done = []
    for scheme, port in (("https", config.https), ("http", config.http)):
        options = {
            "ansible_host": "127.0.0.1", "ansible_port": port, "ansible_user": config.user,
            "ansible_password": config.password, "ansible_winrm_scheme": scheme, "ansible_winrm_transport": "ntlm",
            "ansible_winrm_ca_trust_path": config.ca, "ansible_winrm_message_encryption": "auto",
        }  # fmt: skip
        target = f"{scheme}.bin"
        ran = subprocess.run(
            [sys.executable, "-c", ANSIBLE, json.dumps(options), str(source), target, SCRIPT],
            env=os.environ | {"ANSIBLE_HOME": str(folder), "ANSIBLE_LOCAL_TEMP": str(folder)},
            capture_output=True, text=True, timeout=PATIENCE, check=False,
        )  # fmt: skip
        assert ran.returncode == 0, ran.stderr[-2000:]
        answer = json.loads(ran.stdout.splitlines()[-1])
        assert (answer["status"], answer["out"].strip()) == (0, HOST_NAME), answer
        put = (drive / "Windows" / "Temp" / target).read_bytes()
        assert hashlib.sha256(put).digest() == hashlib.sha256(source.read_bytes()).digest()
        done += [f"ansible raw {scheme}", f"ansible put_file {scheme}"]
    return done


def refusals(lab: Lab, folder: Path) -> dict[str, str]:
    """Each unsafe way: who refuses it, and the one message for it."""
    with tempfile.TemporaryDirectory(dir=folder) as second:
        other = Path(second) / "tls"
        ensure(other, HOST_NAME)
        unknown = str(other / "ca.pem")
        cases: dict[str, tuple[dict[str, object], str, str]] = {
            "wrong password": ({"winrm_password_env": "WRONG"}, "server", "refused the user Administrator"),
            "unknown CA": ({"winrm_fingerprint": None, "winrm_ca_file": unknown}, "client", "unknown authority"),
            "wrong pin": ({"winrm_fingerprint": "ab" * 32}, "client", "the fingerprint"),
            "Basic without TLS": (
                {"winrm_scheme": "http", "winrm_transport": "basic", "winrm_fingerprint": None}, "client", "in clear",
            ),
        }  # fmt: skip
        found = {}
        for name, (changed, side, text) in cases.items():
            project = Project(Path(second) / name.replace(" ", "-"), (lab,), {"WRONG": "not-the-password"})
            project.write(DEPLOY, {"host": lab.data(**changed)})
            before = lab.call("lab.status")
            ran = project.plan()
            after = lab.call("lab.status")
            assert ran.status == 1, (name, ran)
            assert ran.out.count(text) == 1, (name, ran)
            assert "Traceback" not in ran.text, (name, ran)
            assert after["served"] == before["served"], name
            by_server = after["refused"]["credentials"] > before["refused"]["credentials"]
            assert by_server == (side == "server"), (name, before, after)
            found[name] = side
    return found


def refused_by_server(lab: Lab) -> dict[str, str]:
    """What a careless client may try over HTTP: the server turns it away."""
    endpoint = f"http://127.0.0.1:{lab.config.http}/wsman"
    ways: dict[str, tuple[Callable[[], winrm.protocol.Protocol], str, str]] = {
        "clear HTTP": (lambda: _careless(lab, endpoint, "ntlm"), "clear text", "Unencrypted traffic is disabled"),
        "Basic without TLS, by another client": (
            lambda: _careless(lab, endpoint, "basic"), "credentials", "credentials were rejected",
        ),
    }  # fmt: skip
    found = {}
    for name, (client, why, text) in ways.items():
        before = lab.call("lab.status")
        with pytest.raises(REFUSALS, match=text):
            client().open_shell()
        after = lab.call("lab.status")
        assert after["refused"][why] > before["refused"][why], (name, after)
        assert after["served"] == before["served"], name
        found[name] = "server"
    return found


def _careless(lab: Lab, endpoint: str, transport: str) -> winrm.protocol.Protocol:
    return winrm.protocol.Protocol(
        endpoint=endpoint, transport=transport, username=lab.config.user, password=lab.config.password,
        message_encryption="never", proxy=None,
    )  # fmt: skip


def run(size: str) -> dict[str, object]:
    del size
    ran: dict[str, list[str]] = {}
    refused: dict[str, str] = {}
    with tempfile.TemporaryDirectory(prefix="mailhost-wire-") as name:
        folder = Path(name)
        for engine in engines():
            with running_lab(folder / engine, engine) as lab:
                clients = [*pywinrm(lab.config), *pypsrp(lab.config), *ansible(lab.config, folder, lab.drive)]
                ran[engine] = clients
                if not refused:
                    refused = refusals(lab, folder) | refused_by_server(lab)
    return {"engines": list(ran), "ran": ran[engines()[0]], "refused_by": refused}
