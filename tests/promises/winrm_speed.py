"""What a plan of a converged host costs beside Ansible doing the same reads, and an upload beside its copy."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from pyinfra_winrm.kinds import KINDS
from pyinfra_winrm.scripts import host_script
from pyinfra_winrm.upload import upload
from tests.lib.deploying import PATIENCE, Lab, Project, engines, running_lab
from tests.lib.labsession import session

ABOUT = "a plan of 80 resources in 8 requests and a tenth of Ansible's time; 64 MiB uploaded at 20 MB/s"

RESOURCES = 80
MOST_REQUESTS = 8
FASTER = 10
MEGABYTES_A_SECOND = 20
MIB = 1024 * 1024

DEPLOY = f"""
from pyinfra import host

from pyinfra_winrm import prefetch
from pyinfra_winrm.kinds import Directory, File
from pyinfra_winrm.operation import ensure

folders = [Directory(path=f"C:/Mailhost/{{number}}") for number in range({RESOURCES // 2})]
files = [File(path=f"C:/Mailhost/{{number}}/설정.txt", content="글") for number in range({RESOURCES // 2})]
prefetch(host, [*folders, *files])
for task, resources in (("folders", folders), ("files", files)):
    ensure(name=task, task=task, resources=resources)
"""

# pyinfra executes config.py first: the process counts its own requests.
CONFIG = """
import atexit
import json
import os

from pyinfra_winrm import transport

made = {"open": 0, "send": 0, "receive": 0, "close": 0}


def counted(name):
    plain = getattr(transport.Wire, name)

    def count(wire, *arguments):
        made[name] += 1
        return plain(wire, *arguments)

    setattr(transport.Wire, name, count)


for name in made:
    counted(name)
atexit.register(lambda: open("requests.json", "w").write(json.dumps(made)))
"""

COPY = """
import json, sys, time
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.play_context import PlayContext
from ansible.plugins.loader import connection_loader, init_plugin_loader

options = json.loads(sys.argv[1])
options["_extras"] = {name: value for name, value in options.items() if name.startswith("ansible_winrm_")}
init_plugin_loader([])
connection = connection_loader.get("winrm", PlayContext(), None)
connection.set_options(var_options=options)
connection._connect()
started = time.monotonic()
connection.put_file(sys.argv[2], "C:/Windows/Temp/ansible.bin")
print(time.monotonic() - started)
"""


def ansible_options(lab: Lab) -> dict[str, object]:
    """Ansible's names for the lab's listener."""
    return {
        "ansible_host": "127.0.0.1", "ansible_port": lab.config.https, "ansible_user": lab.config.user,
        "ansible_password": lab.config.password, "ansible_connection": "winrm", "ansible_winrm_scheme": "https",
        "ansible_winrm_transport": "ntlm", "ansible_winrm_ca_trust_path": lab.config.ca,
    }  # fmt: skip


def function(script: str, name: str) -> str:
    """One function of a PowerShell file."""
    found = re.search(rf"^function {name}\b.*?^}}", script, re.MULTILINE | re.DOTALL)
    assert found, name
    return found[0]


def raw_reads() -> Iterator[str]:
    """Our own reads, each as a script that stands alone."""
    seam = host_script("seam")
    shared = [function(seam, name) for name in ("Get-HostItem", "Get-HostAccess")]
    hashing = [function(seam, name) for name in ("ConvertTo-Hex", "Get-HostHash")]
    for number in range(RESOURCES):
        kind, name, extra = ("directory", "", []) if number % 2 else ("file", "\\설정.txt", hashing)
        read = function(KINDS[kind].script.read_text(encoding="utf-8"), f"Read-{kind.title()}")
        path = f"C:\\Mailhost\\{number // 2}{name}"
        call = f"ConvertTo-Json -Depth 9 -InputObject (Read-{kind.title()} @{{ path = '{path}' }})"
        yield "\n".join([*shared, *extra, read, call])


def playbook(lab: Lab, folder: Path, tasks: int) -> float:
    """Seconds that Ansible takes for so many of the reads."""
    reads = [script for script, _ in zip(raw_reads(), range(tasks), strict=False)]
    assert not any("{{" in script or "{%" in script for script in reads), "Ansible would take it for a template"
    (folder / "hosts.json").write_text(json.dumps({"all": {"hosts": {"lab": ansible_options(lab)}}}))
    play = [{"hosts": "all", "gather_facts": False, "tasks": [{"raw": script} for script in reads]}]
    (folder / "play.json").write_text(json.dumps(play, ensure_ascii=False), encoding="utf-8")
    started = time.monotonic()
    ran = subprocess.run(
        [Path(sys.executable).parent / "ansible-playbook", "-v", "-i", "hosts.json", "play.json"],
        cwd=folder, capture_output=True, text=True, timeout=4 * PATIENCE, check=False,
        env=os.environ | {"ANSIBLE_HOME": str(folder / "ansible"), "LC_ALL": "C.UTF-8"},
    )  # fmt: skip
    took = time.monotonic() - started
    assert ran.returncode == 0, ran.stdout[-2000:] + ran.stderr[-2000:]
    assert ran.stdout.count("present") >= tasks, ran.stdout[-2000:]
    return took


def planned(lab: Lab, project: Project) -> tuple[int, float]:
    """Requests and seconds of a plan of the converged host; the lab's own count must agree."""
    before = lab.call("lab.status")["served"]
    started = time.monotonic()
    plan = project.plan()
    took = time.monotonic() - started
    assert plan.status == 0, plan
    made = json.loads((project.folder / "requests.json").read_text())
    # Opening is two requests: the shell and the command.
    everything = 2 * made["open"] + made["send"] + made["receive"] + 1
    assert lab.call("lab.status")["served"] - before == everything, (made, before, lab.call("lab.status"))
    extra = max(0, made["receive"] - made["send"])
    return everything - extra, took


def uploads(lab: Lab, folder: Path, size: int) -> dict[str, float]:
    """MB/s of our upload and of Ansible's copy of the same file."""
    source = folder / "source.bin"
    source.write_bytes(os.urandom(size))
    with session(lab) as opened:
        started = time.monotonic()
        upload(opened, source, "C:\\Windows\\Temp\\ours.bin")
        ours = time.monotonic() - started
    assert (lab.drive / "Windows" / "Temp" / "ours.bin").read_bytes() == source.read_bytes()
    ran = subprocess.run(
        [sys.executable, "-c", COPY, json.dumps(ansible_options(lab)), str(source)],
        env=os.environ | {"ANSIBLE_HOME": str(folder / "ansible")},
        capture_output=True, text=True, timeout=PATIENCE, check=False,
    )  # fmt: skip
    assert ran.returncode == 0, ran.stderr[-2000:]
    theirs = float(ran.stdout.splitlines()[-1])
    return {"upload_mb_s": round(size / 1e6 / ours, 1), "put_file_mb_s": round(size / 1e6 / theirs, 1)}


def reads(lab: Lab, folder: Path, tasks: int) -> dict[str, float]:
    """The plan beside Ansible."""
    project = Project(folder / "project", [lab])
    project.write(DEPLOY)
    (project.folder / "config.py").write_text(CONFIG, encoding="utf-8")
    assert project.deploy().status == 0
    requests, ours = planned(lab, project)
    assert requests <= MOST_REQUESTS, requests
    found: dict[str, float] = {"resources": RESOURCES, "requests": requests, "plan_seconds": round(ours, 2)}
    if lab.config.engine != "pwsh":
        return found
    # Its start is counted once; every further task costs what the tasks in between cost.
    one, many = playbook(lab, folder, 1), playbook(lab, folder, tasks)
    theirs = one + (many - one) / (tasks - 1) * (RESOURCES - 1)
    ratio = theirs / ours
    assert ratio >= FASTER, (ours, one, many)
    return found | {"ansible_tasks": tasks, "ansible_seconds": round(theirs, 1), "times_faster": round(ratio, 1)}


def run(size: str) -> dict[str, object]:
    """On every engine that this machine can run; the speed of the upload counts at full size."""
    full = size == "full"
    found: dict[str, object] = {}
    with tempfile.TemporaryDirectory(prefix="mailhost-speed-") as name:
        folder = Path(name)
        for engine in engines():
            with running_lab(folder / engine, engine) as lab:
                measured = reads(lab, folder, RESOURCES if full else 4)
                measured |= uploads(lab, folder, (64 if full else 8) * MIB)
            found[engine] = measured
            if full:
                assert measured["upload_mb_s"] >= MEGABYTES_A_SECOND, measured
    return found
