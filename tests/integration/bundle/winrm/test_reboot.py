"""A restart in the middle of a deploy: what comes after it finds a host that has booted anew."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lib.deploying import Project, engines, running_lab

DEPLOY = """
from pathlib import Path

from pyinfra_winrm import operations as winrm

Path("made.txt").write_text("글", encoding="utf-8")
winrm.put(name="Before", src="made.txt", dest="C:/Windows/Temp/before.txt")
winrm.reboot(name="Restart", wait=120)
winrm.put(name="After", src="made.txt", dest="C:/Windows/Temp/after.txt")
"""


@pytest.mark.pwsh
@pytest.mark.parametrize("engine", engines())
def test_deploy_goes_on_after_a_restart(engine: str, tmp_path: Path) -> None:
    with running_lab(tmp_path / "lab", engine) as lab:
        before = lab.call("lab.status")["boot_time"]
        project = Project(tmp_path / "project", [lab])
        project.write(DEPLOY)
        ran = project.deploy()
        assert ran.status == 0, ran
        assert "restarted" in ran.text
        assert lab.call("lab.status")["boot_time"] != before
        temporary = lab.drive / "Windows" / "Temp"
        assert {path.name for path in temporary.glob("*.txt")} == {"before.txt", "after.txt"}
        assert not (lab.drive / "ProgramData" / "Mailhost" / "run.lock").exists()
