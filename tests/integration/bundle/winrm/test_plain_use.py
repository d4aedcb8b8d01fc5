"""The connector on its own, from pyinfra's command line, on a lab: scripts, facts, files, global arguments."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lib.deploying import Lab, Project, engines, running_lab

# The lab's model runs no script but a few plain ones; a real PowerShell runs them all.
ENGINE = engines()[-1]

pytestmark = pytest.mark.pwsh


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    with running_lab(tmp_path_factory.mktemp("plain") / "lab", ENGINE) as running:
        yield running


@pytest.fixture
def project(lab: Lab, tmp_path: Path) -> Project:
    return Project(tmp_path / "project", [lab])


def test_exec_prints_what_the_host_printed_and_fails_with_its_status(project: Project) -> None:
    project.write("")
    good = project.run("-m", "pyinfra", "-y", "-vvv", "inventory.py", "exec", "--", "'안녕 ' + (40 + 2)")
    assert good.status == 0, good
    assert "안녕 42" in good.text
    bad = project.run("-m", "pyinfra", "-y", "inventory.py", "exec", "--", "exit 3")
    assert bad.status == 1, bad
    assert "exit status 3" in bad.text


def test_fact_is_read_without_a_deploy_file(project: Project) -> None:
    project.write("")
    ran = project.run("-m", "pyinfra", "inventory.py", "fact", "pyinfra_winrm.facts.HostFacts")
    assert ran.status == 0, ran
    assert '"build": 17763' in ran.text


SCRIPTS = """
from pathlib import Path

from pyinfra import host
from pyinfra.api import HiddenValue

from pyinfra_winrm import operations as winrm
from pyinfra_winrm.facts import PowerShell

Path("made.txt").write_text("글", encoding="utf-8")
lines = host.get_fact(PowerShell, script="1..3")
assert lines == ["1", "2", "3"], lines
winrm.put(name="Put", src="made.txt", dest="C:/Windows/Temp/파일.txt")
winrm.powershell(
    name="Run",
    script="[IO.File]::WriteAllText('C:/Windows/Temp/env.txt', $env:GREETING); (Get-Location).Path; exit 7",
    _env={"GREETING": HiddenValue("안녕")},
    _chdir="C:/Windows/Temp",
    _success_exit_codes=[0, 7],
)
winrm.powershell(name="Ignored", script="throw 'no matter'", _ignore_errors=True)
"""


def test_operations_take_the_global_arguments_that_have_a_meaning(project: Project, lab: Lab) -> None:
    project.write(SCRIPTS)
    ran = project.deploy("-vvv")
    assert ran.status == 0, ran
    assert (lab.drive / "Windows" / "Temp" / "파일.txt").read_text(encoding="utf-8") == "글"
    assert (lab.drive / "Windows" / "Temp" / "env.txt").read_text(encoding="utf-8") == "안녕"
    assert "no matter" in ran.text
    assert "안녕" not in ran.text
    again = project.deploy("--json")
    results = {row["name"]: row for row in json.loads(again.out)["results"]["operations"]}
    assert results["Put"]["no_change"] == ["@winrm/lab0"], results


@pytest.mark.parametrize("argument", ["_sudo=True", "_su_user='root'", "_doas=True"])
def test_global_argument_without_a_meaning_is_named(project: Project, argument: str) -> None:
    project.write(
        f"from pyinfra_winrm import operations as winrm\nwinrm.powershell(name='Run', script='1', {argument})\n"
    )
    ran = project.deploy()
    assert ran.status == 1, ran
    assert f"{argument.partition('=')[0]} has no meaning on Windows" in ran.text
    assert "Traceback" not in ran.text


def test_script_that_takes_too_long_is_stopped(project: Project) -> None:
    project.write(
        "from pyinfra_winrm import operations as winrm\n"
        "winrm.powershell(name='Slow', script='Start-Sleep 60', _timeout=2)\n"
    )
    ran = project.deploy()
    assert ran.status == 1, ran
    assert "the script did not finish within 2 s and was stopped" in ran.text


def test_file_comes_back_as_it_went(project: Project) -> None:
    project.write(
        "import io\n"
        "from pathlib import Path\n"
        "from pyinfra import host, state\n"
        "from pyinfra.operations import python\n"
        "content = bytes(range(256)) * 3000\n"
        "def both(state, host):\n"
        "    assert host.put_file(io.BytesIO(content), 'C:/Windows/Temp/both.bin')\n"
        "    back = io.BytesIO()\n"
        "    assert host.get_file('C:/Windows/Temp/both.bin', back)\n"
        "    assert back.getvalue() == content\n"
        "    assert not host.get_file('C:/Windows/Temp/none.bin', back)\n"
        "python.call(name='Both ways', function=both)\n"
    )
    ran = project.deploy()
    assert ran.status == 0, ran
    assert "127.0.0.1: " in ran.text
    assert "none.bin" in ran.text
