"""A plan of a host that another run is changing: it waits for nobody, takes nothing, and says who that is."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.lib.deploying import Project, engines, running_lab
from tests.lib.labsession import session

DEPLOY = """
from pyinfra_winrm.kinds import Directory
from pyinfra_winrm.operation import ensure

ensure(name="Folder", task="folder", resources=[Directory(path="C:/Shop")])
"""
OTHER = {"run": "r1", "user": "김@desk", "start": "2026-11-25T03:00:00+00:00"}
LINE = "a run by 김@desk since 2026-11-25T03:00:00+00:00 holds the lock"


@pytest.mark.pwsh
@pytest.mark.parametrize("engine", engines())
def test_a_plan_names_the_run_that_holds_the_lock_and_takes_nothing(engine: str, tmp_path: Path) -> None:
    with running_lab(tmp_path / "lab", engine) as lab:
        project = Project(tmp_path / "project", [lab])
        project.write(DEPLOY)
        file = lab.drive / "ProgramData" / "Mailhost" / "run.lock"
        with session(lab) as other:
            assert other.read("lock", {**OTHER, "lease": 600}).fields.get("held") is None
            held = project.plan("--json")
            assert held.status == 2, held
            assert held.json[-1]["lock"] == {"run": "r1", "user": OTHER["user"], "since": OTHER["start"]}
            text = project.plan()
            assert text.out.splitlines()[-2:] == [LINE, "1 difference"]
            assert file.exists()
            other.read("unlock", {})
        assert "holds the lock" not in project.plan().out
        file.parent.mkdir(exist_ok=True)
        file.write_text("{}", encoding="utf-8")
        left = project.plan("--json")
        assert "lock" not in left.json[-1], "a file that nobody has open is nobody's lock"
        file.unlink()
