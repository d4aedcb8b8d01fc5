"""Several hosts in one run: each gets what its own data says, and one that is not reached keeps nobody else back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.lib.deploying import Lab, Project, running_lab

DEPLOY = """
from pyinfra import host

from pyinfra_winrm import operations as winrm
from pyinfra_winrm import prefetch
from pyinfra_winrm.kinds import Directory, File
from pyinfra_winrm.operation import ensure

folders = [Directory(path="C:/Shop")]
files = [File(path="C:/Shop/이름.txt", content=host.data.text)]
prefetch(host, [*folders, *files])
ensure(name="Folders", task="folders", resources=folders)
ensure(name="Files", task="files", resources=files)
"""


def data(lab: Lab, text: str, **changed: Any) -> dict[str, Any]:
    """Each lab has a password of its own."""
    return lab.data(text=text, winrm_password_env=None, winrm_password=lab.config.password, **changed)


def test_each_host_gets_its_own_and_a_lost_one_keeps_nobody_back(tmp_path: Path) -> None:
    with running_lab(tmp_path / "one") as one, running_lab(tmp_path / "two") as two:
        project = Project(tmp_path / "project")
        project.write(DEPLOY, {"one": data(one, "하나"), "two": data(two, "둘")})
        done = project.deploy()
        assert done.status == 0, done
        for lab, text in ((one, "하나"), (two, "둘")):
            assert (lab.drive / "Shop" / "이름.txt").read_text(encoding="utf-8") == text
        assert project.plan().out.splitlines() == ["[@winrm/one] in step", "[@winrm/two] in step"]
        hosts = {"one": data(one, "셋"), "gone": data(one, "x", winrm_port=1), "two": data(two, "넷")}
        project.write(DEPLOY, hosts)
        partly = project.deploy()
        assert partly.status == 1, partly
        assert partly.text.count("nothing listens at https://127.0.0.1:1/wsman") == 1
        assert "Traceback" not in partly.text
        for lab, text in ((one, "셋"), (two, "넷")):
            assert (lab.drive / "Shop" / "이름.txt").read_text(encoding="utf-8") == text
