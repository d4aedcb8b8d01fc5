"""A deploy that changes the listener it came in by, over real TLS: cut, reached again, confirmed, and in step after."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path
from typing import Any

import pytest

from lab import config
from tests.lib.deploying import Lab, Project, engines, running_lab

DEPLOY = """
from pyinfra import host

from pyinfra_winrm.kinds import Directory, WinRMListener
from pyinfra_winrm.operation import ensure

listener = WinRMListener(hostname="mail.example", thumbprint=host.data.thumbprint)
ensure(name="Before", task="before", resources=[Directory(path="C:/Before")])
ensure(name="Way in", task="way in", resources=[listener])
ensure(name="After", task="after", resources=[Directory(path="C:/After")])
"""
REMOVED = """
from pyinfra_winrm.kinds import WinRMListener
from pyinfra_winrm.operation import ensure

ensure(name="Way in", task="way in", resources=[WinRMListener(state="absent")])
"""


def made(lab: Lab) -> tuple[str, str]:
    """Thumbprint and fingerprint of a new certificate of the host."""
    row = lab.call("seam.command", command="New-SelfSignedCertificate", parameters={"dnsname": ["mail.example"]})
    raw = row["RawData"] if isinstance(row["RawData"], bytes) else base64.b64decode(row["RawData"]["base64"])
    return row["Thumbprint"], hashlib.sha256(raw).hexdigest()


def data(lab: Lab, thumbprint: str, **changed: Any) -> dict[str, dict[str, Any]]:
    return {"lab0": lab.data(thumbprint=thumbprint, **changed)}


@pytest.mark.pwsh
@pytest.mark.parametrize("engine", engines())
def test_a_deploy_changes_its_own_way_in_and_goes_on(engine: str, tmp_path: Path) -> None:
    with running_lab(tmp_path / "lab", engine) as lab:
        thumbprint, fingerprint = made(lab)
        project = Project(tmp_path / "project", [lab])
        project.write(DEPLOY, data(lab, thumbprint))
        ran = project.deploy()
        assert ran.status == 0, ran
        assert f'put winrm_fingerprint = "{fingerprint}" into the inventory' in ran.text
        assert (lab.drive / "After").is_dir()
        assert lab.call("tasks.paths") == []
        assert not (lab.drive / "ProgramData" / "Mailhost" / "run.lock").exists()
        old = project.plan()
        assert old.status == 1, old
        assert f"has the fingerprint {fingerprint}, pinned is {lab.config.fingerprint}" in old.out
        project.write(DEPLOY, data(lab, thumbprint, winrm_fingerprint=fingerprint))
        assert project.plan().out == "in step\n"
        kept = config.load(lab.folder)
        assert kept is not None
        assert kept.fingerprint == fingerprint, "the lab's file follows, as a person would have it follow"
        project.write(REMOVED, data(lab, thumbprint, winrm_fingerprint=fingerprint))
        refused = project.deploy()
        assert refused.status == 1, refused
        assert "would leave no way back" in refused.text
        assert lab.call("listeners.get", transport="HTTPS")["thumbprint"] == thumbprint


def test_a_removed_listener_lets_nobody_in_any_more(tmp_path: Path) -> None:
    with running_lab(tmp_path / "lab") as lab:
        thumbprint, fingerprint = made(lab)
        lab.call("listeners.set", transport="HTTPS", fields={"thumbprint": thumbprint})
        project = Project(tmp_path / "project", [lab])
        project.write(REMOVED, data(lab, thumbprint, winrm_fingerprint=fingerprint))
        assert "would leave no way back" in project.deploy().text
        plain = {"winrm_scheme": "http", "winrm_port": lab.config.http, "winrm_fingerprint": None}
        project.write(REMOVED, data(lab, thumbprint, **plain))
        gone = project.deploy()
        assert gone.status == 0, gone
        project.write(REMOVED, data(lab, thumbprint, winrm_fingerprint=fingerprint))
        assert project.plan().status == 1
