"""The examples of docs/connector.md do what the page says."""

from __future__ import annotations

import re
from pathlib import Path

from pyinfra_winrm.settings import DATA_META
from tests.lib.deploying import Project, running_lab
from tests.lib.programs import ROOT


def test_example_of_resources_deploys_and_is_then_in_step(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "connector.md").read_text(encoding="utf-8")
    example = re.search(r"```python\n(# deploy\.py\n.*?)```", page, re.DOTALL)
    assert example is not None
    with running_lab(tmp_path / "lab") as lab:
        project = Project(tmp_path / "project", [lab])
        project.write(example[1])
        assert project.plan().status == 2
        assert project.deploy().status == 0
        assert project.plan().out == "in step\n"
        (lab.drive / "Shop" / "shop.ini").write_text("port=80\n")
        lines = project.plan().out.splitlines()
    assert re.fullmatch(r"settings / file C:/Shop/shop\.ini: content: sha256 \w{16} -> sha256 \w{16}", lines[0])
    assert lines[1:] == ["1 difference"]


def test_every_data_key_is_described() -> None:

    page = (ROOT / "docs" / "connector.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(winrm_\w+)`", page, re.MULTILINE)) == set(DATA_META)
